/** What an instance sees beside its image: from the workload's mounts to what its monitor and its runtime are told. Pure, but for looking at owners. */
import { chmodSync, chownSync, lstatSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DayflyError, messageOf } from '../../base/errors.ts'
import { NativeError } from '../../host/native/channel.ts'
import type { IdMap, MonitorCopy, MonitorMount } from '../../host/native/monitor.ts'
import type { IdRange } from '../../host/network/slots.ts'
import type { ContainerMount } from '../../host/oci/config.ts'
import type { Mount } from '../../model/mount.ts'
import type { WorkloadSpec } from '../../model/workload.ts'
import type { Ids } from './binds.ts'
import { bindIds } from './binds.ts'
import type { CellPaths } from './layout.ts'
import type { Resources } from './resources.ts'

export interface ConfigFile extends Ids {
  readonly path: string
  readonly content: Uint8Array
  readonly mode: number
}

export interface MountPlan {
  /** To be written before anything is attached. Ids as on disk: the container's own. */
  readonly files: readonly ConfigFile[]
  readonly attached: readonly MonitorMount[]
  /** With the volume's name: they wait for each other. */
  readonly copies: readonly { readonly name: string; readonly copy: Omit<MonitorCopy, 'when'> }[]
  readonly container: readonly ContainerMount[]
}

const invalid = (message: string, remedy: string): DayflyError => new DayflyError('invalid', message, { field: 'mounts', remedy })

const parts = (target: string): string[] => target.split('/').filter(part => part !== '' && part !== '.')

/** What the kernel shows there is the container's jail; /dev/shm is ordinary memory. */
const isReserved = ([top, below]: readonly string[]): boolean => top === 'proc' || top === 'sys' || (top === 'dev' && below !== 'shm')

/** Outer ones first; targets without detours. Throws `invalid` for what cannot be mounted on, and for two at one place. */
export const orderedMounts = ({ mounts = [], secrets }: Pick<WorkloadSpec, 'mounts' | 'secrets'>): Mount[] => {
  const all = mounts.map(mount => ({ mount, path: parts(mount.target) }))
  const seen = new Set<string>()
  for (const { mount, path } of all) {
    const target = path.join('/')
    if (isReserved(path)) throw invalid(`${mount.target} cannot be mounted on: the kernel's own files are there`, 'Choose another target.')
    if (secrets.length > 0 && (target === 'run/secrets' || target.startsWith('run/secrets/'))) {
      throw invalid(`${mount.target} cannot be mounted on: the secrets are there`, 'Choose another target.')
    }
    if (seen.has(target)) throw invalid(`two mounts have the target ${mount.target}`, 'Leave one of them out.')
    seen.add(target)
  }
  return all.sort((a, b) => a.path.length - b.path.length).map(({ mount, path }) => ({ ...mount, target: `/${path.join('/')}` }))
}

const ownerOf = (source: string): Ids => {
  try {
    return lstatSync(source)
  } catch (error) {
    throw new DayflyError('invalid', `the mount of ${source}: ${messageOf(error)}`, { field: 'mounts', cause: error })
  }
}

/** Throws `invalid`, field `mounts`. `user`: the instance's own. */
export const planMounts = (workload: WorkloadSpec, user: Ids, ids: IdRange, paths: CellPaths, resources: Resources | undefined): MountPlan => {
  /** On disk there are the container's own numbers, as in image layers: what is in a volume does not depend on whose ids its environment has. */
  const own: readonly IdMap[] = [{ disk: 0, seen: ids.first, count: ids.count }]
  const files: ConfigFile[] = []
  const attached: MonitorMount[] = []
  const copies: { name: string; copy: Omit<MonitorCopy, 'when'> }[] = []
  const container: ContainerMount[] = []
  const attach = (target: string, mount: Omit<MonitorMount, 'number'>): void => {
    const number = attached.length
    attached.push({ ...mount, number })
    const source = join(paths.attached, String(number))
    container.push({ type: 'bind', source, destination: target, readOnly: mount.access === 'ro', executable: true })
  }
  for (const mount of orderedMounts(workload)) {
    const { target } = mount
    switch (mount.type) {
      case 'tmpfs':
        container.push({ type: 'tmpfs', destination: target, size: mount.size, mode: mount.mode })
        break
      case 'bind': {
        const access = mount.readOnly ? 'ro' : 'rw'
        attach(target, { source: mount.source, subpath: '', access, ids: bindIds(ownerOf(mount.source), user, mount.readOnly, ids) })
        break
      }
      case 'volume': {
        const source = resources?.use(mount.volume)
        if (source === undefined) throw invalid(`the environment has no volume ${mount.volume}`, 'Declare it among its volumes.')
        attach(target, { source, subpath: mount.subpath ?? '', access: mount.readOnly ? 'ro' : 'rw', ids: { users: own, groups: own } })
        if (mount.copy && mount.subpath === undefined) copies.push({ name: mount.volume, copy: { volume: source, target, ...ids } })
        break
      }
      case 'config': {
        const content = resources?.config(mount.config)
        if (content === undefined) throw invalid(`the environment has no config ${mount.config}`, 'Declare it among its configs.')
        if (mount.uid >= ids.count || mount.gid >= ids.count) throw invalid(`${target}: ids go up to ${ids.count - 1}`, 'Use a smaller uid and gid.')
        const path = join(paths.configs, String(files.length))
        // Without setuid and setgid, which no mount of ours honours: on the host the file must not have them either.
        files.push({ path, content, uid: mount.uid, gid: mount.gid, mode: mount.mode & 0o777 })
        attach(target, { source: path, subpath: '', access: 'ro', ids: { users: own, groups: own } })
      }
    }
  }
  return { files, attached, copies, container }
}

export const writeConfigs = (paths: CellPaths, files: readonly ConfigFile[]): void => {
  if (files.length > 0) mkdirSync(paths.configs, { mode: 0o700 })
  for (const { path, content, uid, gid, mode } of files) {
    writeFileSync(path, content, { mode: 0o600 })
    chownSync(path, uid, gid)
    chmodSync(path, mode)
  }
}

const reasons: Readonly<Record<string, string>> = {
  ELOOP: 'there is a symbolic link on the way',
  ENOENT: 'it is not there',
  ENOTDIR: 'it is not there',
  EXDEV: 'it leads out of the volume',
  EINVAL: 'it is neither a folder nor a file, or its file system cannot map ids',
}

/** What a monitor says of a mount that it could not make. */
export const reportMount =
  (mount: MonitorMount) =>
  (cause: unknown): never => {
    const reason = cause instanceof NativeError ? reasons[cause.errno] : undefined
    if (reason === undefined) throw cause
    const what = mount.subpath === '' ? mount.source : `${mount.subpath} in the volume`
    throw new DayflyError('invalid', `the mount of ${what}: ${reason}`, { field: 'mounts', cause })
  }

/** What a container that waits would see is what its instance would see: no folder of the host's, which may be another one by then. */
export const mountsKeep = ({ mounts = [] }: Pick<WorkloadSpec, 'mounts'>): boolean =>
  mounts.every(mount => mount.type !== 'bind' && (mount.type !== 'volume' || mount.subpath === undefined))
