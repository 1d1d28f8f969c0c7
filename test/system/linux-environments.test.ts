/** Environments of several instances on the real kernel: who reaches whom, by which names, what is denied, pauses, and what a new daemon takes over. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { newEnvironmentId } from '../../src/base/ids.ts'
import type { EnvironmentRequest, InstanceRequest } from '../../src/engine/backend.ts'
import type { WorkloadSpec } from '../../src/model/workload.ts'
import type { Stage, Started } from './linux/stage.ts'
import { makeStage, signal, until } from './linux/stage.ts'

let stage: Stage
const made: string[] = []
before(async () => {
  stage = await makeStage()
})
after(async () => {
  // A test that failed has left some.
  for (const { id, environment } of await stage.backend().observe()) if (made.includes(environment)) await stage.backend().remove(id, signal())
  for (const id of made)
    await stage
      .backend()
      .removeEnvironment(id, signal())
      .catch(() => {})
  await stage[Symbol.asyncDispose]()
})

const environment = async (change: Partial<EnvironmentRequest> = {}): Promise<string> => {
  const id = newEnvironmentId()
  made.push(id)
  await stage.backend().prepareEnvironment({ id, networks: {}, volumes: [], configs: new Map(), ...change }, signal())
  return id
}

const start = (of: string, script: string, change: Partial<WorkloadSpec> = {}, more: Partial<InstanceRequest> = {}): Promise<Started> =>
  stage.start(stage.request(stage.workload(script, change), { environment: of, ...more }))

/** What it prints, with its exit code. */
const run = async (of: string, script: string, change: Partial<WorkloadSpec> = {}, more: Partial<InstanceRequest> = {}): Promise<string> => {
  const started = await start(of, `exec 2>&1\n${script}`, change, more)
  const { code } = await stage.backend().wait(started.id, signal())
  const log = stage.log(started.id)
  await stage.backend().remove(started.id, signal())
  return `${log}${code}`
}

const server = 'mkdir /tmp/www; hostname > /tmp/www/name; exec httpd -f -p 8080 -h /tmp/www'
/** By hand: programs that are linked statically cannot ask for names in every way. Fails when there is no such name, or nobody answers. */
const ask = (name: string): string => `
  at=$(nslookup ${name} | sed -n '/^Name/,$ s/^Address: \\(10[0-9.]*\\).*/\\1/p' | head -1)
  case ${name} in 10.*) at=${name};; esac
  [ -n "$at" ] && printf 'GET /name HTTP/1.0\\r\\n\\r\\n' | nc -w 2 $at 8080 | tail -1 | grep . || { echo unreachable; false; }`

const answers = async (address: string | undefined): Promise<void> => {
  await until('its server answers the host', async () => {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const socket = connect({ host: address ?? '', port: 8080 })
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
    const there = await promise
    socket.destroy()
    return there
  })
}

const end = async (id: string, ...instances: readonly Started[]): Promise<void> => {
  for (const instance of instances) await stage.backend().remove(instance.id, signal())
  await stage.backend().removeEnvironment(id, signal())
  const left = await stage.backend().owned()
  assert.deepEqual(
    left.filter(({ owner }) => owner === undefined || owner === id),
    [],
  )
}

test('instances know each other by name, as long as there is such a name; other environments see nothing of them', async () => {
  const id = await environment()
  const other = await environment()
  const web = await start(id, server, {}, { hostname: 'web' })
  await answers(web.address)
  const name = (text: string, ...instances: readonly Started[]) => ({ name: text, network: undefined, instances: instances.map(of => of.id) })
  await stage.backend().setNames(id, [name('web', web), name('www.example', web)])
  assert.equal(await run(id, `${ask('web')}; ${ask('www.example')}`), 'web\nweb\n0')
  assert.equal(await run(id, ask('web'), { runtime: 'runsc' }, { hostname: 'sandboxed' }), 'web\n0', 'in gVisor, too')
  assert.match(await run(other, ask('web')), /unreachable\n1$/)
  assert.match(await run(other, ask(web.address ?? '')), /1$/)
  assert.match(await run(newEnvironmentId(), ask(web.address ?? '')), /1$/)

  const second = await start(id, server, {}, { hostname: 'second' })
  await stage.backend().setNames(id, [name('web', web, second)])
  const both = await run(id, 'for i in 1 2 3 4 5 6 7 8; do nslookup web | grep "^Address: 10"; done | sort -u | wc -l')
  assert.equal(both, '2\n0')
  assert.match(await run(id, 'nslookup www.example'), /NXDOMAIN|REFUSED|can't (find|resolve)/)
  await stage.backend().setNames(id, [])
  assert.match(await run(id, ask('web')), /unreachable\n1$/)
  await end(id, web, second)
  await end(other)
})

test('instances reach those that they share a network with, and no others; the host reaches them, and they never the host', async () => {
  const id = await environment({ networks: { front: { internal: false }, back: { internal: true } } })
  const web = await start(id, server, {}, { hostname: 'web', networks: ['front', 'back'] })
  const database = await start(id, server, {}, { hostname: 'database', networks: ['back'] })
  for (const { address } of [web, database]) await answers(address)
  const from = (networks: readonly string[], whom: Started): Promise<string> => run(id, ask(whom.address ?? ''), {}, { networks })
  assert.equal(await from(['front'], web), 'web\n0')
  assert.equal(await from(['back'], database), 'database\n0')
  assert.equal(await from(['front', 'back'], database), 'database\n0')
  assert.match(await from(['front'], database), /1$/)
  const gateway = (web.address ?? '').replace(/\d+$/, last => String((Number(last) & 192) + 1))
  assert.match(await run(id, `echo x | nc -w 1 ${gateway} 22`), /[^0]$/)
  await end(id, web, database)
})

test('what is denied is told: whom, where, and the names asked for in vain', async () => {
  const id = await environment()
  const request = stage.request(stage.workload('nc -w 1 192.0.2.9 81; nslookup closed.example.org; true'), { environment: id })
  await stage.start(request)
  await stage.backend().wait(request.id, signal())
  const denied = async () => stage.backend().denied(id)
  await until('both are told', async () => (await denied()).length >= 2)
  const all = await denied()
  const packet = all.find(({ protocol }) => protocol === 'tcp')
  assert.deepEqual({ ...packet, count: 0 }, { instance: request.id, destination: '192.0.2.9', port: 81, protocol: 'tcp', count: 0 })
  assert.ok((packet?.count ?? 0) > 0)
  const name = all.find(({ protocol }) => protocol === 'dns')
  assert.deepEqual([name?.instance, name?.destination], [request.id, 'closed.example.org'])
  const counted = (): Promise<number[]> => denied().then(list => list.map(({ count }) => count))
  assert.deepEqual(await counted(), await counted(), 'asking counts nothing')
  await stage.backend().remove(request.id, signal())
  await end(id)
})

test('a paused instance stands still, takes no command, and goes on; what it uses is told', async () => {
  const id = newEnvironmentId()
  const busy = await start(id, 'while :; do i=$((i+1)); done')
  const usage = async () => (await stage.backend().usage()).get(busy.id) ?? { cpu: 0, memory: 0 }
  await until('it has used its processor', async () => (await usage()).cpu > 20_000)
  assert.ok((await usage()).memory > 0)
  await stage.backend().pause(busy.id)
  await stage.backend().pause(busy.id)
  const before = await usage()
  await assert.rejects(
    stage.backend().exec(busy.id, { command: ['true'], env: {}, user: undefined, workdir: undefined, tty: false, rows: 24, columns: 80 }, signal()),
    { code: 'wrong_state' },
  )
  await stage.reopen()
  await sleep(100)
  assert.ok((await usage()).cpu < before.cpu + 50_000, 'a moment may be accounted for late')
  await stage.backend().resume(busy.id)
  await stage.backend().resume(busy.id)
  await until('it goes on', async () => (await usage()).cpu > before.cpu + 100_000)
  await stage.backend().pause(busy.id)
  await end(id, busy)
})

test('a new daemon takes over names, networks and places, and those of nobody end', async () => {
  const id = await environment({ networks: { one: { internal: false }, two: { internal: false } } })
  const gone = await environment()
  const web = await start(id, server, {}, { hostname: 'web', networks: ['one'] })
  await answers(web.address)
  await stage.backend().setNames(id, [{ name: 'web', network: undefined, instances: [web.id] }])
  const resolver = async (): Promise<string[]> =>
    (await stage.backend().owned()).flatMap(({ kind, name, owner }) => (kind === 'process' && owner === id && /dnsmasq/.test(name) ? [name] : []))
  const before = await resolver()
  assert.equal(before.length, 1)
  await stage.reopen()
  assert.deepEqual(await resolver(), before)
  const request = { id, networks: { one: { internal: false }, two: { internal: false } }, volumes: [], configs: new Map() }
  await stage.backend().prepareEnvironment(request, signal())
  assert.equal(await run(id, ask('web'), {}, { networks: ['one'] }), 'web\n0', 'before names are told again')
  assert.match(await run(id, ask(web.address ?? ''), {}, { networks: ['two'] }), /1$/)
  await stage.backend().setNames(id, [{ name: 'again', network: undefined, instances: [web.id] }])
  assert.equal(await run(id, ask('again'), {}, { networks: ['one'] }), 'web\n0')
  assert.deepEqual(await resolver(), before)
  process.kill(Number(before[0]?.split(' ')[0]), 'SIGKILL')
  await stage.backend().setNames(id, [{ name: 'web', network: undefined, instances: [web.id] }])
  assert.equal(await run(id, ask('web'), {}, { networks: ['one'] }), 'web\n0')
  await end(id, web)
  await end(gone)
})

test('instances of one environment come from what was prepared for it, in its own network, and with its volumes', async () => {
  const id = await environment({ volumes: ['data'] })
  const change: Partial<WorkloadSpec> = { mounts: [{ type: 'volume', volume: 'data', target: '/data', readOnly: false, copy: false }] }
  const script = 'echo $(hostname) $(tail -1 /etc/hosts) >> /data/seen; sleep 60'
  const all = await Promise.all(Array.from({ length: 4 }, (_, index) => start(id, script, change, { hostname: `cold-${index}` })))
  await until('some are prepared', () =>
    stage
      .backend()
      .pool()
      .prepared.some(({ ready }) => ready >= 4),
  )
  const more = await Promise.all(Array.from({ length: 4 }, (_, index) => start(id, script, change, { hostname: `warm-${index}` })))
  assert.deepEqual(
    more.map(of => of.start),
    Array.from({ length: 4 }, () => 'prepared'),
  )
  assert.equal(new Set([...all, ...more].map(({ address }) => address)).size, 8)
  const seen = stage.request(stage.workload('until [ $(wc -l < /data/seen) = 8 ]; do sleep 0.01; done; cat /data/seen', change), { environment: id })
  await stage.start(seen)
  await stage.backend().wait(seen.id, signal())
  for (const { address, id: instance } of more) {
    assert.ok(stage.log(seen.id).includes(`${address} warm-`), instance)
  }
  await stage.backend().remove(seen.id, signal())
  await end(id, ...all, ...more)
  assert.equal(stage.backend().pool().prepared.length, 0)
})

test('egress by name alone gives a single instance a resolver of its own, which ends with it', async () => {
  const id = newEnvironmentId()
  const seen = await run(id, 'grep -c nameserver /etc/resolv.conf; nslookup closed.example.org | grep -o "REFUSED\\|NXDOMAIN" | head -1', {
    egressDomains: [{ domain: 'open.example.org', port: 443 }],
  })
  assert.match(seen, /^1\n(REFUSED|NXDOMAIN)\n0$/)
  await end(id)
})
