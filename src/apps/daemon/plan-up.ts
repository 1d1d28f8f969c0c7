/**
 * From the draft of an environment to what is run: images are found or fetched, several at once; what they say is merged; everything is checked against
 * this host; and all that is wrong is told together. Creates nothing.
 */
import { existsSync } from 'node:fs'
import type { RunRequest } from '../../api/schemas/environments.ts'
import type { UpRequest } from '../../api/schemas/workloads.ts'
import type { OnImageProgress, OnProgress } from '../../api/services.ts'
import { anonymousVolume } from '../../compose/draft-mounts.ts'
import { noRestart } from '../../model/deployment.ts'
import type { EnvironmentDraft, WorkloadDraft } from '../../model/draft.ts'
import type { EnvironmentSpec } from '../../model/environment.ts'
import { defaultLease } from '../../model/lease.ts'
import type { Mount } from '../../model/mount.ts'
import type { Limits, WorkloadSpec } from '../../model/workload.ts'
import { defaultLimits } from '../../model/workload.ts'
import type { Faults } from './faults.ts'
import { createFaults } from './faults.ts'
import { hostFault } from './host-names.ts'
import type { PlannedImage } from './plan.ts'
import { defaultGrace, defaultLogLimit, defaultPath, limitFaults } from './plan.ts'

export interface PlanUpParts {
  readonly owner: string
  /** Where it is not the default team. */
  readonly team?: string
  /** Finds an image, or fetches it as the request says. Throws `not_found`. */
  resolveImage(request: Pick<RunRequest, 'image' | 'pull' | 'auth'>, onProgress: OnProgress, signal: AbortSignal): Promise<PlannedImage>
  /** The number of a user in an image. Throws `invalid` when the image does not know it. */
  uidOf(digest: string, user: string): Promise<number>
  /** Capabilities that may be asked for. */
  readonly capabilities: readonly string[]
  /** Whether this host runs what is for the platform, `os/architecture[/variant]`. */
  runs(platform: string): boolean
  /** What names of the gateway end with. */
  readonly domains: readonly string[]
}

/** Images that are fetched at once: more share the same wire. */
const atOnce = 3

/** By name; what could not be had is told. Each is resolved once, however many workloads it has. */
const resolveImages = async (
  parts: PlanUpParts,
  { draft, auth }: Pick<UpRequest, 'draft' | 'auth'>,
  faults: Faults,
  onProgress: OnImageProgress,
  signal: AbortSignal,
): Promise<Map<string, PlannedImage>> => {
  const wanted = new Map<string, { workload: string; pull: WorkloadDraft['pull'] }>()
  const order = ['never', 'missing', 'always'] as const
  for (const [workload, { image, pull }] of Object.entries(draft.workloads)) {
    const before = wanted.get(image)
    if (before === undefined || order.indexOf(pull) > order.indexOf(before.pull)) wanted.set(image, { workload: before?.workload ?? workload, pull })
  }
  const images = new Map<string, PlannedImage>()
  const queue = [...wanted]
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [image, { workload, pull }] = next
      const request = { image, pull, ...(auth === undefined ? {} : { auth }) }
      const found = await faults.of(`workloads.${workload}.image`, () => parts.resolveImage(request, progress => onProgress(image, progress), signal))
      if (found !== undefined) images.set(image, found)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  return images
}

/** As docker does: another entry point drops the image's command, another command does not drop the entry point. */
const commandOf = ({ entrypoint, command }: WorkloadDraft, { config }: PlannedImage): string[] => [
  ...(entrypoint ?? config.entrypoint),
  ...(command ?? (entrypoint === undefined ? config.cmd : [])),
]

const trimmed = (path: string): string => path.replaceAll(/\/+/g, '/').replace(/(?<=.)\/$/, '')

/**
 * With the volumes that the image asks for and the draft does not give it. Where there are several instances, each has the place in its own root file
 * system, for such a volume belongs to one.
 */
const mountsOf = (name: string, draft: WorkloadDraft, { config }: PlannedImage): Mount[] => {
  const mounts = draft.mounts ?? []
  const taken = new Set(mounts.map(({ target }) => trimmed(target)))
  if ((draft.deployment.scale?.max ?? 1) > 1) return mounts
  const missing = config.volumes.map(trimmed).filter(path => path.startsWith('/') && path !== '/' && !taken.has(path))
  return [
    ...mounts,
    ...missing.map((target): Mount => ({ type: 'volume', volume: anonymousVolume(name, target), target, readOnly: false, copy: true })),
  ]
}

const writesToVolume = (mounts: readonly Mount[]): boolean => mounts.some(mount => mount.type === 'volume' && !mount.readOnly)

const deploymentOf = ({ deployment }: WorkloadDraft, image: PlannedImage, mounts: readonly Mount[]): NonNullable<WorkloadSpec['deployment']> => {
  const own = image.config.health
  const ofImage =
    own === undefined
      ? undefined
      : { ...own, command: [...own.command], interval: Math.max(10, own.interval), startInterval: Math.max(10, own.startInterval) }
  const health = deployment.health === undefined ? ofImage : (deployment.health ?? undefined)
  return {
    scale: deployment.scale ?? { min: 1, max: 1, window: 30_000 },
    restart: deployment.restart ?? noRestart,
    ...(health === undefined ? {} : { health }),
    dependsOn: deployment.dependsOn,
    networks: deployment.networks,
    expose: deployment.expose,
    update: {
      order: deployment.update.order ?? (writesToVolume(mounts) ? 'stop-first' : 'start-first'),
      parallelism: deployment.update.parallelism ?? 1,
    },
  }
}

/** Without the members that are undefined, and those that have been merged. */
const restOf = ({ egressDomains, hostname, sysctls, ulimits, shmSize, init, groups, hosts, labels }: WorkloadDraft) => ({
  ...(egressDomains === undefined ? {} : { egressDomains }),
  ...(hostname === undefined ? {} : { hostname }),
  ...(sysctls === undefined ? {} : { sysctls }),
  ...(ulimits === undefined ? {} : { ulimits }),
  ...(shmSize === undefined ? {} : { shmSize }),
  ...(init === undefined ? {} : { init }),
  ...(groups === undefined ? {} : { groups }),
  ...(hosts === undefined ? {} : { hosts }),
  ...(labels === undefined ? {} : { labels }),
})

const limitsOf = ({ limits }: WorkloadDraft): Limits => ({
  cpus: limits.cpus ?? defaultLimits.cpus,
  memory: limits.memory ?? defaultLimits.memory,
  pids: limits.pids ?? defaultLimits.pids,
  io: limits.io ?? defaultLimits.io,
})

const workloadOf = (name: string, draft: WorkloadDraft, image: PlannedImage): WorkloadSpec => {
  const mounts = mountsOf(name, draft, image)
  return {
    kind: draft.kind ?? 'service',
    image: image.digest,
    imageName: draft.image,
    command: commandOf(draft, image),
    env: { PATH: defaultPath, ...image.config.env, ...draft.env },
    user: draft.user ?? image.config.user,
    workdir: draft.workdir ?? (image.config.workingDir === '' ? '/' : image.config.workingDir),
    readOnly: draft.readOnly,
    capabilities: [...new Set(draft.capabilities)],
    limits: limitsOf(draft),
    egress: draft.egress,
    runtime: draft.runtime,
    tty: draft.tty,
    stdin: draft.stdin,
    stopSignal: draft.stopSignal ?? image.config.stopSignal,
    grace: draft.grace ?? defaultGrace,
    logLimit: draft.logLimit ?? defaultLogLimit,
    secrets: draft.secrets,
    ...(mounts.length === 0 ? {} : { mounts }),
    ...restOf(draft),
    deployment: deploymentOf(draft, image, mounts),
  }
}

/** The names of the first circle of dependencies. */
const circleIn = (workloads: EnvironmentDraft['workloads']): readonly string[] | undefined => {
  const done = new Set<string>()
  const visit = (name: string, above: readonly string[]): readonly string[] | undefined => {
    const at = above.indexOf(name)
    if (at >= 0) return [...above.slice(at), name]
    if (done.has(name)) return undefined
    for (const next of Object.keys(workloads[name]?.deployment.dependsOn ?? {})) {
      const found = visit(next, [...above, name])
      if (found !== undefined) return found
    }
    done.add(name)
    return undefined
  }
  for (const name of Object.keys(workloads)) {
    const found = visit(name, [])
    if (found !== undefined) return found
  }
  return undefined
}

/** What names something of the draft that is not there, or twice. */
const checkReferences = ({ draft, partial }: Pick<UpRequest, 'draft' | 'partial'>, domains: readonly string[], faults: Faults): void => {
  const published = new Map<number, string>()
  const hosts = new Map<string, string>()
  for (const [name, { mounts = [], deployment }] of Object.entries(draft.workloads)) {
    const path = `workloads.${name}`
    for (const [target, { required, condition }] of Object.entries(deployment.dependsOn)) {
      if (required && !partial && !Object.hasOwn(draft.workloads, target))
        faults.say(`${path}.deployment.dependsOn.${target}`, `there is no workload ${target}`)
      if (required && condition === 'completed' && draft.workloads[target]?.deployment.scale?.min === 0)
        faults.say(
          `${path}.deployment.dependsOn.${target}`,
          `${target} is scaled to none, and so never completes`,
          'Let it have an instance, or make it not required.',
        )
    }
    for (const network of Object.keys(deployment.networks)) {
      if (!Object.hasOwn(draft.networks, network)) faults.say(`${path}.deployment.networks.${network}`, `there is no network ${network}`)
    }
    for (const [index, mount] of mounts.entries()) {
      const at = `${path}.mounts[${index}]`
      if (mount.type === 'volume' && !draft.volumes.includes(mount.volume)) faults.say(at, `there is no volume ${mount.volume}`)
      if (mount.type === 'config' && !Object.hasOwn(draft.configs ?? {}, mount.config)) faults.say(at, `there is no config ${mount.config}`)
      if (mount.type === 'bind' && !existsSync(mount.source)) faults.say(at, `${mount.source} does not exist`, 'Make it, or mount something else.')
      if (mounts.slice(0, index).some(other => trimmed(other.target) === trimmed(mount.target)))
        faults.say(at, `${mount.target} is taken by another mount`)
    }
    for (const { published: port } of deployment.expose) {
      if (port === undefined || port === 0) continue
      const other = published.get(port)
      if (other !== undefined)
        faults.say(`${path}.deployment.expose`, `the port ${port} is published by ${other}`, 'Publish another one, or none: 0 takes a free one.')
      published.set(port, name)
    }
    for (const [index, { host, protocol }] of deployment.expose.entries()) {
      if (host === undefined) continue
      const at = `${path}.deployment.expose[${index}].host`
      const fault =
        protocol === 'tcp' ? { message: 'a port that goes by TCP has no name of its own', remedy: 'Leave it out.' } : hostFault(host, domains)
      if (fault !== undefined) faults.say(at, fault.message, fault.remedy)
      const other = hosts.get(host)
      if (other !== undefined) faults.say(at, `${host} is the name of ${other} already`, 'Choose another one.')
      hosts.set(host, name)
    }
  }
  const circle = circleIn(draft.workloads)
  if (circle !== undefined)
    faults.say(`workloads.${circle[0]}.deployment.dependsOn`, `workloads depend on each other in a circle: ${circle.join(' → ')}`)
}

/** What needs no image to be judged: told also when images are missing. */
const checkHost = (parts: PlanUpParts, draft: EnvironmentDraft, faults: Faults): void => {
  for (const [name, workload] of Object.entries(draft.workloads)) {
    const path = `workloads.${name}`
    for (const { field, message, remedy } of limitFaults(limitsOf(workload))) faults.say(`${path}.${field}`, message, remedy)
    const refused = workload.capabilities.filter(capability => !parts.capabilities.includes(capability))
    if (refused.length > 0)
      faults.say(`${path}.capabilities`, `${refused.join(', ')} cannot be granted`, `These can: ${parts.capabilities.join(', ')}.`)
    if (workload.platform !== undefined && !parts.runs(workload.platform)) {
      faults.say(`${path}.platform`, `this host does not run ${workload.platform}`, 'Leave it out, and use an image that is built for this host too.')
    }
  }
}

export const planUp = async (
  parts: PlanUpParts,
  request: Pick<UpRequest, 'draft' | 'partial' | 'auth'>,
  onProgress: OnImageProgress,
  signal: AbortSignal,
): Promise<EnvironmentSpec> => {
  const { draft } = request
  const faults = createFaults()
  checkReferences(request, parts.domains, faults)
  checkHost(parts, draft, faults)
  const images = await resolveImages(parts, request, faults, onProgress, signal)
  const workloads: Record<string, WorkloadSpec> = {}
  for (const [name, workload] of Object.entries(draft.workloads)) {
    const image = images.get(workload.image)
    if (image === undefined) continue
    const planned = workloadOf(name, workload, image)
    if ((planned.command[0] ?? '') === '') faults.say(`workloads.${name}.command`, `${workload.image} has no command of its own`, 'Name one.')
    await faults.of(`workloads.${name}.user`, () => parts.uidOf(image.digest, planned.user))
    workloads[name] = planned
  }
  faults.throwIfAny()
  const volumes = new Set([
    ...draft.volumes,
    ...Object.values(workloads).flatMap(({ mounts = [] }) => mounts.flatMap(mount => (mount.type === 'volume' ? [mount.volume] : []))),
  ])
  const { onIdle } = draft.lease
  return {
    name: draft.name,
    owner: parts.owner,
    ...(parts.team === undefined ? {} : { team: parts.team }),
    labels: draft.labels,
    lease: {
      ttl: draft.lease.ttl ?? defaultLease.ttl,
      idle: draft.lease.idle ?? defaultLease.idle,
      retention: draft.lease.retention ?? defaultLease.retention,
      ...(onIdle === undefined ? {} : { onIdle }),
    },
    workloads,
    networks: draft.networks,
    volumes: [...volumes],
    configs: draft.configs ?? {},
  }
}
