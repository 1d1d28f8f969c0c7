/** From what the user asked for to what is run: the image is found, its configuration merged, the host's own size respected. Creates nothing. */
import { randomInt } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import type { RunRequest } from '../../api/schemas/environments.ts'
import type { OnProgress } from '../../api/services.ts'
import { formatBytes } from '../../base/bytes.ts'
import { DayflyError } from '../../base/errors.ts'
import type { HealthCheck } from '../../model/deployment.ts'
import type { EnvironmentSpec } from '../../model/environment.ts'
import { defaultLease } from '../../model/lease.ts'
import type { Limits, WorkloadSpec } from '../../model/workload.ts'
import { defaultLimits } from '../../model/workload.ts'

/** What of an image decides how it is run. */
export interface PlannedImage {
  readonly digest: string
  readonly config: {
    readonly entrypoint: readonly string[]
    readonly cmd: readonly string[]
    readonly env: Readonly<Record<string, string>>
    readonly user: string
    readonly workingDir: string
    readonly stopSignal: string
    /** Paths that are to be volumes. */
    readonly volumes: readonly string[]
    readonly health?: Omit<HealthCheck, 'command'> & { readonly command: readonly string[] }
  }
}

export interface PlanParts {
  readonly owner: string
  /** Finds an image, or fetches it as the request says. Throws `not_found`. */
  resolveImage(request: RunRequest, onProgress: OnProgress, signal: AbortSignal): Promise<PlannedImage>
  /** The number of a user in an image. Throws `invalid` when the image does not know it. */
  uidOf(digest: string, user: string): Promise<number>
  /** Whether a living environment has the name. */
  /** Where it is not the default team. */
  readonly team?: string
  isTaken(name: string): boolean
  /** Capabilities that may be asked for. */
  readonly capabilities: readonly string[]
}

export const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
export const defaultGrace = 10_000
export const defaultLogLimit = 64 * 1024 * 1024
const workloadName = 'main'

/** The host's own bounds: what is above them. A limit above them is a mistake, not a limit. */
export const limitFaults = (limits: Limits): { field: string; message: string; remedy: string }[] => {
  const cores = availableParallelism()
  const memory = totalmem()
  const pids = Number(readFileSync('/proc/sys/kernel/pid_max', 'utf8'))
  const bounds = [
    { field: 'limits.cpus', given: limits.cpus, most: cores, show: String },
    { field: 'limits.memory', given: limits.memory, most: memory, show: formatBytes },
    { field: 'limits.pids', given: limits.pids, most: pids, show: String },
  ]
  return bounds
    .filter(({ given, most }) => given > most)
    .map(({ field, given, most, show }) => ({
      field,
      message: `${show(given)} is more than this host's ${show(most)}`,
      remedy: `Ask for at most ${show(most)}.`,
    }))
}

const checkLimits = (limits: Limits): void => {
  const [first] = limitFaults(limits)
  if (first !== undefined) throw new DayflyError('invalid', `${first.field}: ${first.message}`, { field: first.field, remedy: first.remedy })
}

/** As docker does: another entry point drops the image's command, another command does not drop the entry point. */
const commandOf = (request: RunRequest, image: PlannedImage): string[] => {
  const { entrypoint, cmd } = image.config
  const words = [...(request.entrypoint ?? entrypoint), ...(request.command ?? (request.entrypoint === undefined ? cmd : []))]
  if (words[0] === undefined || words[0] === '') {
    throw new DayflyError('invalid', `command: ${request.image} has no command of its own`, {
      field: 'command',
      remedy: 'Name one: dayfly run IMAGE -- COMMAND.',
    })
  }
  return words
}

const checkCapabilities = (asked: readonly string[], granted: readonly string[]): void => {
  const refused = asked.find(name => !granted.includes(name))
  if (refused === undefined) return
  throw new DayflyError('invalid', `capabilities: ${refused} cannot be granted`, {
    field: 'capabilities',
    remedy: `These can: ${granted.join(', ')}.`,
  })
}

/** `registry:5000/team/Web_App:1.2` → `web-app`. */
const baseName = (image: string): string => {
  const last = (image.replace(/@.*$/, '').split('/').at(-1) ?? '').replace(/:[^:]*$/, '')
  const clean = last
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 40)
    .replace(/-+$/, '')
  return clean === '' || clean === 'sha256' ? 'env' : clean
}

const letters = 'abcdefghijkmnpqrstuvwxyz23456789'

/** The image's name and four characters by chance. */
const makeUpName = (image: string, isTaken: (name: string) => boolean): string => {
  for (;;) {
    const name = `${baseName(image)}-${Array.from({ length: 4 }, () => letters[randomInt(letters.length)]).join('')}`
    if (!isTaken(name)) return name
  }
}

export const plan = async (parts: PlanParts, request: RunRequest, onProgress: OnProgress, signal: AbortSignal): Promise<EnvironmentSpec> => {
  const limits: Limits = {
    cpus: request.limits.cpus ?? defaultLimits.cpus,
    memory: request.limits.memory ?? defaultLimits.memory,
    pids: request.limits.pids ?? defaultLimits.pids,
    io: request.limits.io ?? defaultLimits.io,
  }
  checkLimits(limits)
  checkCapabilities(request.capabilities, parts.capabilities)
  if (request.name !== undefined && parts.isTaken(request.name)) {
    throw new DayflyError('conflict', `name: an environment named ${request.name} lives already`, {
      field: 'name',
      remedy: `Choose another, or end it: dayfly down ${request.name}.`,
    })
  }
  const image = await parts.resolveImage(request, onProgress, signal)
  const user = request.user ?? image.config.user
  const workload: WorkloadSpec = {
    kind: request.kind ?? (request.tty ? 'sandbox' : 'job'),
    image: image.digest,
    imageName: request.image,
    command: commandOf(request, image),
    env: { PATH: defaultPath, ...image.config.env, ...request.env },
    user,
    workdir: request.workdir ?? (image.config.workingDir === '' ? '/' : image.config.workingDir),
    readOnly: request.readOnly,
    capabilities: [...new Set(request.capabilities)],
    limits,
    egress: request.egress,
    runtime: request.runtime,
    ...(request.hostname === undefined ? {} : { hostname: request.hostname }),
    tty: request.tty,
    stdin: request.stdin,
    stopSignal: request.stopSignal ?? image.config.stopSignal,
    grace: request.grace ?? defaultGrace,
    logLimit: request.logLimit ?? defaultLogLimit,
    secrets: Object.keys(request.secrets),
  }
  await parts.uidOf(image.digest, user)
  return {
    name: request.name ?? makeUpName(request.image, parts.isTaken),
    owner: parts.owner,
    ...(parts.team === undefined ? {} : { team: parts.team }),
    labels: request.labels,
    lease: {
      ttl: request.lease.ttl ?? defaultLease.ttl,
      idle: request.lease.idle ?? defaultLease.idle,
      retention: request.lease.retention ?? defaultLease.retention,
    },
    workloads: { [workloadName]: workload },
  }
}
