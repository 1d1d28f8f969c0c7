/**
 * A project as what the daemon is asked for. Pure: what has to be read, run or built for it first is listed, and its contents are put in by
 * whoever reads them.
 */

import { given } from '../base/given.ts'
import type { EnvironmentDraftInput } from '../model/draft.ts'
import { EnvironmentDraft } from '../model/draft.ts'
import type { Lease } from '../model/lease.ts'
import type { DraftMounts } from './draft-mounts.ts'
import { networksOf } from './draft-networks.ts'
import type { Origin } from './draft-origins.ts'
import { fileOrigin, secretOrigin, seedsOf } from './draft-origins.ts'
import { serviceDraft } from './draft-service.ts'
import type { DayflyProject } from './extension.ts'
import type { Warning } from './problems.ts'
import { Problems } from './problems.ts'
import type { Project, ServiceBuild } from './project.ts'
import type { Sink } from './sink.ts'
import { sinkOf } from './sink.ts'
import type { Path } from './tree.ts'

/** What the caller's command line says on top of the files. */
export interface DraftOptions {
  readonly lease?: Partial<Lease>
  readonly labels?: Readonly<Record<string, string>>
  /** Instances by service. */
  readonly scale?: Readonly<Record<string, number>>
  /** Secrets whose content the caller has: their origin in the files does not count. By the project's keys. */
  readonly secrets?: ReadonlySet<string>
  /** Fetches all images anew. */
  readonly pull?: boolean
}

export interface Build {
  /** The services that it is the image of. */
  readonly services: readonly string[]
  /** The name that the image gets. */
  readonly image: string
  readonly build: ServiceBuild
  readonly always: boolean
  readonly platform: string | undefined
}

export interface Drafted {
  /** Its `configs` lack those of `configs` below. */
  readonly draft: EnvironmentDraftInput
  /** By key of the project's secrets: where each comes from, and the files that it becomes, by workload; none where only builds need it. */
  readonly secrets: Readonly<
    Record<string, { readonly origin: Origin; readonly files: readonly { readonly workload: string; readonly file: string }[] }>
  >
  /** By name: configs that have to be read. */
  readonly configs: Readonly<Record<string, Origin>>
  readonly builds: readonly Build[]
  /** By volume: the folder or archive that fills it. Absolute. */
  readonly seeds: Readonly<Record<string, string>>
  readonly warnings: readonly Warning[]
}

/** `My_App` → `my-app`: what is a project's name may be no host name. */
export const environmentName = (project: string): string =>
  project
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 63)
    .replaceAll(/^-+|-+$/g, '')

/** What the services run that are brought up, and what of others these are built from. */
const buildsOf = (project: Project): Build[] => {
  const all = { ...project.disabled, ...project.services }
  const builds = new Map<string, Build>()
  const done = new Set<string>()
  const add = (name: string): void => {
    const service = Object.hasOwn(all, name) ? all[name] : undefined
    if (service?.build === undefined || done.has(name)) return
    done.add(name)
    const image = service.image ?? `${project.name}-${name}`
    const before = builds.get(image)
    builds.set(image, {
      services: [...(before?.services ?? []), name],
      image,
      build: before?.build ?? service.build,
      always: before?.always === true || service.pull_policy === 'build',
      platform: service.platform,
    })
    for (const at of Object.values(service.build.additional_contexts ?? {})) if (at.startsWith('service:')) add(at.slice('service:'.length))
  }
  for (const name of Object.keys(project.services)) add(name)
  return [...builds.values()]
}

/** What the model calls otherwise than compose files do. */
const properties: Readonly<Record<string, string>> = {
  ...{
    stopSignal: 'stop_signal',
    grace: 'stop_grace_period',
    workdir: 'working_dir',
    capabilities: 'cap_add',
    shmSize: 'shm_size',
    groups: 'group_add',
  },
  ...{ hosts: 'extra_hosts', mounts: 'volumes', egressDomains: 'x-dayfly.egress' },
}

/** Paths of the model's faults as paths of the file: where both have a thing, it has the same name but for the workloads. */
const composePath = ([first, ...rest]: readonly PropertyKey[]): Path => {
  const parts = rest.map((part, index) => (typeof part === 'number' ? part : index === 1 ? (properties[String(part)] ?? String(part)) : String(part)))
  return first === 'workloads' ? ['services', ...parts] : [typeof first === 'symbol' || first === undefined ? '' : first, ...parts]
}

const secretsOf = (project: Project, mounted: ReadonlyMap<string, DraftMounts>, given: ReadonlySet<string>, sink: Sink): Drafted['secrets'] => {
  const built = Object.values(project.services).flatMap(({ build }) => (build?.secrets ?? []).map(({ source }) => source))
  const names = new Set([...[...mounted.values()].flatMap(({ secrets }) => secrets.map(({ secret }) => secret)), ...built])
  return Object.fromEntries(
    [...names].flatMap(name => {
      const origin = secretOrigin(name, project.secrets[name], given, sink)
      const files = [...mounted].flatMap(([workload, { secrets }]) =>
        secrets.filter(({ secret }) => secret === name).map(({ file }) => ({ workload, file })),
      )
      return origin === undefined ? [] : [[name, { origin, files }]]
    }),
  )
}

/** Those that are used: the contents that the files hold, and where the others come from. */
const configsOf = (project: Project, mounted: ReadonlyMap<string, DraftMounts>, sink: Sink) => {
  const configs: Record<string, Origin> = {}
  const contents: Record<string, string> = {}
  for (const name of new Set([...mounted.values()].flatMap(mounts => mounts.configs))) {
    const config = project.configs[name] ?? { name }
    const origin = fileOrigin(config)
    if (config.content !== undefined) contents[name] = Buffer.from(config.content).toString('base64')
    else if (origin !== undefined) configs[name] = origin
    else sink.error(['configs', name], 'an environment has configs of its own only', { remedy: 'Say what it holds: file, environment or content.' })
  }
  return { configs, contents }
}

/** `loaded`: what `load` has made of the files. Throws `InvalidCompose` with all that the model cannot have. */
export const draftOf = ({ project, dayfly }: { project: Project; dayfly: DayflyProject }, options: DraftOptions = {}): Drafted => {
  const problems = new Problems(project.folder)
  const sink = sinkOf(problems)
  const builds = buildsOf(project)
  const { networks, memberships } = networksOf(project)
  const workloads: Record<string, unknown> = {}
  const mounted = new Map<string, DraftMounts>()
  for (const [name, service] of Object.entries(project.services)) {
    const extension = dayfly.services[name]
    if (extension === undefined) throw new TypeError(`the service ${name} was loaded without its extension`)
    const built = builds.find(({ services }) => services.includes(name))
    const { workload, mounts } = serviceDraft(name, service, {
      ...{ project, extension, sink },
      builtImage: built?.image,
      networks: memberships[name] ?? {},
      scale: options.scale?.[name],
    })
    workloads[name] = { ...workload, ...(options.pull === true && built === undefined ? { pull: 'always' } : {}) }
    mounted.set(name, mounts)
  }
  for (const name of Object.keys(options.scale ?? {})) {
    if (!Object.hasOwn(project.services, name)) {
      sink.error([], `--scale: there is no service ${name}`, { remedy: `There are ${Object.keys(project.services).join(', ')}.` })
    }
  }

  const volumes = new Set([...mounted.values()].flatMap(mounts => mounts.volumes))
  const { configs, contents } = configsOf(project, mounted, sink)
  const { onIdle, ...clocks } = dayfly.lease
  const draft = {
    name: environmentName(project.name),
    labels: options.labels ?? {},
    lease: { ...given({ ...clocks, onIdle }), ...options.lease },
    workloads,
    networks,
    volumes: [...volumes],
    configs: contents,
  }
  const secrets = secretsOf(project, mounted, options.secrets ?? new Set(), sink)
  const seeds = seedsOf(project, volumes, sink)
  const checked = EnvironmentDraft.safeParse(draft)
  for (const issue of checked.error?.issues ?? []) sink.error(composePath(issue.path), issue.message)
  problems.throwIfAny()
  if (!checked.success) throw new TypeError('a draft that does not fit and has no problem')
  return { draft: checked.data, secrets, configs, builds, seeds, warnings: problems.warnings }
}
