/** Volumes, folders, tmpfs, configs and secrets of a service as mounts of a workload. */
import { posix } from 'node:path'
import { parseBytes } from '../base/bytes.ts'
import { messageOf } from '../base/errors.ts'
import type { Mount } from '../model/mount.ts'
import { defaultLimits } from '../model/workload.ts'
import type { Project, Service, ServiceMount } from './project.ts'
import type { Sink } from './sink.ts'
import type { Path } from './tree.ts'

export interface MountContext {
  readonly project: Project
  readonly service: string
  readonly path: Path
  readonly sink: Sink
  /** Bytes: what a tmpfs without a size may grow to, for it counts against this anyway. */
  readonly memory: number | undefined
  /** Several instances do not share what belongs to one. */
  readonly several: boolean
}

export interface DraftMounts {
  readonly mounts: readonly Mount[]
  /** Names of the project's volumes and of anonymous ones. */
  readonly volumes: readonly string[]
  /** Keys of the project's configs. */
  readonly configs: readonly string[]
  /** Files under /run/secrets, with the keys of the project's secrets that they hold. */
  readonly secrets: readonly { readonly file: string; readonly secret: string }[]
}

/** `web` and `/var/lib/data` → `web.var-lib-data`: the same at every update. */
export const anonymousVolume = (service: string, target: string): string =>
  `${service}.${target.replaceAll(/[^A-Za-z0-9_.]+/g, '-').replaceAll(/^-+|-+$/g, '')}`.slice(0, 128)

export const isWithin = (folder: string, path: string): boolean => {
  const relative = posix.relative(folder, path)
  return relative === '' || (!relative.startsWith('../') && relative !== '..')
}

const volumeMount = (mount: ServiceMount, path: Path, { service, sink, several }: MountContext): Mount | undefined => {
  const { source = '', target } = mount
  const readOnly = mount.read_only === true
  const copy = mount.volume?.nocopy !== true
  if (source === '') {
    // An anonymous volume is one instance's own. Of several, each has it in its own root file system, which ends with it too.
    if (several) {
      sink.warn('notice', path, `each instance has ${target} for itself, in its own root file system: an anonymous volume is not shared`)
      return undefined
    }
    return { type: 'volume', volume: anonymousVolume(service, target), target, readOnly, copy }
  }
  const subpath = mount.volume?.subpath
  return { type: 'volume', volume: source, target, readOnly, copy, ...(subpath === undefined || subpath === '' ? {} : { subpath }) }
}

const bindMount = (mount: ServiceMount, path: Path, { project, sink }: MountContext): Mount | undefined => {
  const { source = '', target } = mount
  if (!isWithin(project.folder, source)) {
    sink.error(path, `${source} is outside the project folder ${project.folder}`, {
      policy: 'Bind mounts of the project folder only',
      remedy: 'Put it into the project folder, or use a volume and fill it with --seed.',
    })
    return undefined
  }
  return { type: 'bind', source, target, readOnly: mount.read_only === true }
}

const standardMode = 0o1777

/** `/run:size=64m,mode=755` */
const shortTmpfs = (text: string, path: Path, { sink, memory }: MountContext): Mount => {
  const [target = '', options = ''] = text.split(/:(.*)/s)
  let [size, mode] = [memory ?? defaultLimits.memory, standardMode]
  for (const option of options.split(',').filter(each => each !== '')) {
    const [name = '', value = ''] = option.split('=')
    if (name === 'size') {
      try {
        size = parseBytes(value, 'size')
      } catch (error) {
        sink.error(path, messageOf(error))
      }
    } else if (name === 'mode' && /^[0-7]{1,4}$/.test(value)) mode = Number.parseInt(value, 8)
    else if (!['rw', 'nosuid', 'nodev', 'noexec', 'noatime'].includes(name)) sink.warn('ignored', path, `the tmpfs option ${option} has no effect`)
  }
  return { type: 'tmpfs', target, size, mode }
}

const mountOf = (mount: ServiceMount, path: Path, context: MountContext): Mount | undefined => {
  switch (mount.type) {
    case 'volume':
      return volumeMount(mount, path, context)
    case 'bind':
      return bindMount(mount, path, context)
    case 'tmpfs':
      return {
        type: 'tmpfs',
        target: mount.target,
        size: mount.tmpfs?.size ?? context.memory ?? defaultLimits.memory,
        mode: mount.tmpfs?.mode ?? standardMode,
      }
    default:
      context.sink.error(path, `mounts of the type ${mount.type} are not supported`, {
        remedy: 'Use a volume, a folder of the project, a config or a tmpfs.',
      })
      return undefined
  }
}

const idOf = (text: string | undefined, path: Path, sink: Sink): number => {
  if (text === undefined || text === '') return 0
  if (/^\d{1,10}$/.test(text)) return Number(text)
  sink.error(path, `${JSON.stringify(text)} is no number`, { remedy: 'Write the id as a number.' })
  return 0
}

const secretsFolder = '/run/secrets/'

/** The name below /run/secrets, where all secrets are. */
const secretFile = (target: string, path: Path, sink: Sink): string | undefined => {
  const file = target.startsWith(secretsFolder) ? target.slice(secretsFolder.length) : target
  if (!file.includes('/')) return file
  sink.error(path, `a secret cannot be at ${target}`, {
    remedy: `Secrets are files under ${secretsFolder}: leave target out, or give it a plain name.`,
  })
  return undefined
}

export const mountsOf = (service: Service, context: MountContext): DraftMounts => {
  const { path, sink } = context
  const volumes = (service.volumes ?? []).flatMap((mount, index) => mountOf(mount, [...path, 'volumes', index], context) ?? [])
  const tmpfs = (service.tmpfs ?? []).map((text, index) => shortTmpfs(text, [...path, 'tmpfs', index], context))
  const configs = (service.configs ?? []).map(
    (config, index): Mount => ({
      type: 'config',
      config: config.source,
      target: config.target ?? `/${config.source}`,
      uid: idOf(config.uid, [...path, 'configs', index, 'uid'], sink),
      gid: idOf(config.gid, [...path, 'configs', index, 'gid'], sink),
      mode: config.mode ?? 0o444,
    }),
  )
  const secrets = (service.secrets ?? []).flatMap((secret, index) => {
    const here = [...path, 'secrets', index]
    if (secret.uid !== undefined || secret.gid !== undefined || secret.mode !== undefined) {
      sink.warn('ignored', here, 'uid, gid and mode have no effect: a secret can be read by the user of its service, and by nobody else')
    }
    const file = secretFile(secret.target ?? secret.source, [...here, 'target'], sink)
    return file === undefined ? [] : [{ file, secret: secret.source }]
  })
  const mounts = [...volumes, ...tmpfs, ...configs]
  return {
    mounts,
    volumes: mounts.flatMap(mount => (mount.type === 'volume' ? [mount.volume] : [])),
    configs: mounts.flatMap(mount => (mount.type === 'config' ? [mount.config] : [])),
    secrets,
  }
}
