/** Helper, firewall and resolvers in a world, as a daemon has them. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { resolverUser } from '../../../src/host/dns/build.ts'
import type { ResolverSpec } from '../../../src/host/dns/config.ts'
import { planDomains, portsKey } from '../../../src/host/dns/domains.ts'
import type { AnsweredQuestion } from '../../../src/host/dns/questions.ts'
import type { Resolvers } from '../../../src/host/dns/resolvers.ts'
import { openResolvers } from '../../../src/host/dns/resolvers.ts'
import type { Helper } from '../../../src/host/native/helper.ts'
import { spawnHelper } from '../../../src/host/native/helper.ts'
import { allSlices, interfacePrefix, sliceNetwork } from '../../../src/host/network/slots.ts'
import type { Firewall } from '../../../src/host/nft/firewall.ts'
import { openFirewall } from '../../../src/host/nft/firewall.ts'
import type { World } from './world.ts'

const root = new URL('../../..', import.meta.url).pathname
export const dnsmasq = '/usr/sbin/dnsmasq'
export const { user, uid } = resolverUser()

export interface Daemon extends AsyncDisposable {
  readonly helper: Helper
  readonly firewall: Firewall
  readonly resolvers: Resolvers
  /** Whose answers are there: all since it began. */
  readonly questions: readonly AnsweredQuestion[]
}

export const buildHelper = (): void => {
  execFileSync('make', ['-s', '-C', `${root}/native`, 'build/dayfly-helper'], { stdio: 'inherit' })
}

/** One daemon's view. Disposing of it ends the daemon, and leaves firewall and resolvers as they are. `nameLifetime`: seconds. */
export const startDaemon = async (world: World, nameLifetime?: number): Promise<Daemon> => {
  await using stack = new AsyncDisposableStack()
  const helper = stack.use(await spawnHelper({ binary: `${root}/native/build/dayfly-helper`, wrapper: world.host.enter }))
  const firewall = stack.use(
    await openFirewall({
      nft: (commands, output) => helper.nft(commands, output),
      slice: 0,
      bridgePrefix: interfacePrefix(0),
      sliceNetwork: sliceNetwork(0),
      allSlices,
      owner: '/run/dayfly',
      files: world.host.files,
      ...(nameLifetime === undefined ? {} : { nameLifetime }),
    }),
  )
  const questions: AnsweredQuestion[] = []
  const resolvers = stack.use(
    openResolvers(join(world.folder, 'names'), {
      program: dnsmasq,
      user,
      uid,
      makePipe: path => helper.pipeAdd(path),
      spawn: (log, program, args) => helper.spawnLogging(log, program, args),
      kill: (process, signal) => helper.kill(process, signal),
      onQuestion: (_network, question) => void questions.push(question),
      ask: async (server, name) => {
        const reply = await world.host.inquire({ server, name }, 'briefly')
        return reply?.answers.flatMap(({ type, data }) => (type === 'A' ? [data] : []))
      },
    }),
  )
  const moved = stack.move()
  return { helper, firewall, resolvers, questions, [Symbol.asyncDispose]: () => moved[Symbol.asyncDispose]() }
}

/** Ends all that daemons left. */
export const clear = async (world: World): Promise<void> => {
  await using daemon = await startDaemon(world)
  await daemon.resolvers.sweep(new Set())
  await daemon.firewall.remove()
}

export const gateways = { 'dfy0-1': '10.208.0.1', 'dfy0-2': '10.208.0.65' } as const

export interface Wanted {
  readonly hosts?: ResolverSpec['hosts']
  /** `registry.example.org`, `*.example.com:443` */
  readonly egress?: readonly string[]
  readonly upstreams?: readonly string[]
  readonly privateAnswers?: boolean
}

/** What a backend does for an environment that has names: opens them, then has them resolved. */
export const serve = async (daemon: Daemon, bridge: keyof typeof gateways, wanted: Wanted): Promise<'kept' | 'changed' | 'started'> => {
  const { firewall, resolvers } = daemon
  const listen = gateways[bridge]
  const plan = planDomains(
    (wanted.egress ?? []).map(entry => {
      const [domain = '', port] = entry.split(':')
      return { domain, port: port === undefined ? undefined : Number(port) }
    }),
  )
  await firewall.allowResolver(bridge, listen)
  const lists = new Map(plan.map(({ ports }) => [portsKey(ports), ports]))
  const opened = await firewall.openNames(bridge, [...lists.values()])
  return resolvers.of(bridge).ensure({
    listen,
    hosts: wanted.hosts ?? [],
    domains: plan.map(domain => ({ ...domain, nftset: opened.get(lists.get(portsKey(domain.ports)) ?? 'all') ?? '' })),
    upstreams: wanted.upstreams ?? ['198.18.0.53'],
    privateAnswers: wanted.privateAnswers ?? false,
  })
}
