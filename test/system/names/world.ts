/**
 * A host with two environments, and an internet with a name server, in namespaces:
 *
 *   web 10.208.0.2 ┐
 *   api 10.208.0.3 ┼─ dfy0-1 10.208.0.1 ──┐
 *   db  10.208.0.4 ┘                      ├ host ── up0 198.18.0.1 ── 198.18.0.2  internet, also 198.18.0.53 (names), 198.18.1.1 to .9, 10.77.0.1
 *   other 10.208.0.66 ── dfy0-2 10.208.0.65 ┘
 *
 * Instances have the addresses and MACs that arithmetic gives them, and isolated ports. The internet listens on 22, 80 and 443.
 */
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { instanceAddress } from '../../../src/host/network/slots.ts'
import { setBridgeFilter } from '../firewall/bridge-filter.ts'
import type { Space } from '../firewall/space.ts'
import { makeSpace } from '../firewall/space.ts'
import { until } from '../monitor/patience.ts'

export interface World extends AsyncDisposable {
  readonly host: Space
  readonly internet: Space
  readonly web: Space
  readonly api: Space
  readonly db: Space
  readonly other: Space
  /** A folder that is gone at the end. */
  readonly folder: string
  /** What the internet's name server has, as lines of a hosts file; and what it was asked since the last time, names and types. */
  readonly names: { set(hosts: string): Promise<void>; asked(): string[] }
}

/** Slots, and which instances are in them, in the order of their places. */
const environments = { 1: ['web', 'api', 'db'], 2: ['other'] } as const

export const portOf = { web: 'dfy0-1.0', api: 'dfy0-1.1', db: 'dfy0-1.2' } as const

export const makeWorld = async (bridgeFilter: 0 | 1 = 0): Promise<World> => {
  await using stack = new AsyncDisposableStack()
  const space = async (): Promise<Space> => stack.use(await makeSpace())
  const [host, internet, web, api, db, other] = await Promise.all([space(), space(), space(), space(), space(), space()])
  const folder = mkdtempSync('/tmp/dayfly-names-')
  chmodSync(folder, 0o711) // As a run folder is: resolvers read in it as another user.
  stack.defer(() => rmSync(folder, { recursive: true }))

  host.sh(setBridgeFilter(bridgeFilter))
  for (const each of [host, internet, web, api, db, other]) each.sh('echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6')
  host.ip(`link add up0 type veth peer name eth0 netns ${internet.pid}`, 'addr add 198.18.0.1/24 dev up0', 'link set up0 up')
  internet.ip('addr add 198.18.0.2/24 dev eth0', 'addr add 198.18.0.53/24 dev eth0', 'link set eth0 up')
  internet.ip(...Array.from({ length: 9 }, (_, index) => `addr add 198.18.1.${index + 1}/32 dev lo`), 'addr add 10.77.0.1/32 dev lo')
  host.ip('route add default via 198.18.0.2')

  const spaces = { web, api, db, other }
  for (const [slot, members] of Object.entries(environments)) {
    const bridge = `dfy0-${slot}`
    const gateway = `10.208.0.${(Number(slot) - 1) * 64 + 1}`
    host.ip(`link add ${bridge} type bridge mcast_snooping 0`, `addr add ${gateway}/26 dev ${bridge}`, `link set ${bridge} up`)
    for (const [index, name] of members.entries()) {
      const { mac } = instanceAddress({ slice: 0, slot: Number(slot) - 1 }, index)
      const address = `10.208.0.${(Number(slot) - 1) * 64 + 2 + index}`
      host.ip(
        `link add ${bridge}.${index} type veth peer name eth0 netns ${spaces[name].pid}`,
        `link set ${bridge}.${index} master ${bridge}`,
        `link set ${bridge}.${index} up`,
      )
      host.sh(`bridge link set dev ${bridge}.${index} isolated on`)
      spaces[name].ip(`link set eth0 address ${mac}`, `addr add ${address}/26 dev eth0`, 'link set eth0 up', `route add default via ${gateway}`)
      await Promise.all([spaces[name].listen('tcp', 80, address), spaces[name].listen('udp', 80, address)])
    }
  }
  const reachable = [...Array.from({ length: 9 }, (_, index) => `198.18.1.${index + 1}`), '10.77.0.1']
  await Promise.all(reachable.flatMap(address => [22, 80, 443].map(port => internet.listen('tcp', port, address))))
  await internet.listen('udp', 443, '198.18.1.1')
  await Promise.all(['10.208.0.1', '198.18.0.1'].map(address => host.listen('tcp', 80, address)))

  const server = stack.use(await startNames(internet, folder))
  const moved = stack.move()
  return { host, internet, ...spaces, folder, names: server, [Symbol.asyncDispose]: () => moved[Symbol.asyncDispose]() }
}

const end = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

const startNames = async (internet: Space, folder: string): Promise<World['names'] & AsyncDisposable> => {
  const hosts = join(folder, 'internet-hosts')
  const log = join(folder, 'internet-log')
  writeFileSync(hosts, '')
  writeFileSync(log, '')
  const [program = '', ...enter] = internet.enter
  const options = [
    '--conf-file=/dev/null',
    '--keep-in-foreground',
    '--user=root',
    '--pid-file=',
    '--no-resolv',
    '--no-hosts',
    `--addn-hosts=${hosts}`,
  ]
  const server = spawn(
    program,
    [
      ...enter,
      'dnsmasq',
      ...options,
      '--listen-address=198.18.0.53',
      '--bind-interfaces',
      '--local-ttl=0',
      '--log-queries',
      `--log-facility=${log}`,
      '--cname=www.example.com,cdn.example.net',
      '--host-record=slow.example.com,198.18.1.8,3600',
      '--txt-record=a.example.com,words',
    ],
    { stdio: 'ignore' },
  )
  await once(server, 'spawn')
  const seen = (): string[] => [...readFileSync(log, 'utf8').matchAll(/query\[(\S+)\] (\S+) from/g)].map(([, type, name]) => `${type} ${name}`)
  let state = 0
  const set = async (text: string): Promise<void> => {
    state++
    writeFileSync(hosts, `${text}\n127.0.0.1 state-${state}.internet.test\n`)
    server.kill('SIGHUP')
    await until('the names of the internet', async () => {
      const reply = await internet.inquire({ server: '198.18.0.53', name: `state-${state}.internet.test` }, 'briefly')
      return reply?.answers.length === 1
    })
  }
  await until('the internet’s name server', () => internet.inquire({ server: '198.18.0.53', name: 'internet.test' }, 'briefly'))
  let told = 0
  return {
    set,
    asked: () => {
      const fresh = seen().slice(told)
      told += fresh.length
      return fresh.filter(entry => !entry.includes('internet.test'))
    },
    [Symbol.asyncDispose]: () => end(server),
  }
}
