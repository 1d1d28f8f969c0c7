/**
 * What a container is called and made from, as its runtime has it on the disk. No daemon is asked: nobody waits for one that hangs, and none is woken. What cannot be
 * read is left out: the container is watched all the same, by its id.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { given } from '../../base/given.ts'
import { isLivedIn } from '../../host/cgroup/daemons.ts'
import type { CgroupOwner, Runtime } from './cgroups.ts'
import { cgroupOwner } from './cgroups.ts'
import { readBelow } from './read-file.ts'

/** A pid namespace that was seen. */
export interface Seen {
  readonly pid: number
  readonly pidNamespace: number
  readonly cgroup: string
}

export interface Container {
  readonly runtime: Runtime
  /** Whole; `pidns-<inode>` where no runtime says one. */
  readonly id: string
  readonly name: string
  /** As it was asked for; empty when that is not known. */
  readonly imageName: string
  /** Digest of its configuration; empty when that is not known. */
  readonly image: string
  /** Namespace of its pod, or compose project; otherwise the runtime. */
  readonly group: string
  readonly labels: Readonly<Record<string, string>>
  readonly privileged: boolean
}

type Facts = Partial<Pick<Container, 'name' | 'imageName' | 'image' | 'group' | 'labels' | 'privileged'>>

/** Bytes of what is said of one container, and of a list of all. */
const most = 1024 * 1024
const mostListed = 16 * most

/** Of a file that is not there, is no JSON or another one than it should be: undefined. */
const parsed = <T>(schema: z.ZodType<T>, text: string | undefined): T | undefined => {
  try {
    return schema.parse(JSON.parse(text ?? ''))
  } catch {
    return undefined
  }
}

/** Of root's own folders. */
const read = <T>(schema: z.ZodType<T>, folder: string, path: string): T | undefined => parsed(schema, readBelow({ folder, path, uid: 0, most }))

const names = (folder: string): string[] => {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

const Labels = z.record(z.string(), z.string()).nullish()
const DockerConfig = z.object({ Name: z.string(), Image: z.string().optional(), Config: z.object({ Image: z.string().optional(), Labels }) })
const DockerHost = z.object({ Privileged: z.boolean().optional() })
const Bundle = z.object({
  annotations: z.record(z.string(), z.string()).optional(),
  linux: z.object({ cgroupsPath: z.string().optional() }).optional(),
})
const Listed = z.array(z.unknown())
const Name = z.string().max(1024)
const StoredContainer = z.object({ names: z.array(Name).nullish(), image: Name.optional(), metadata: z.string().max(most).optional() })
const StoredMetadata = z.object({ name: Name.optional(), 'image-name': Name.optional(), namespace: Name.optional() })
const CrunStatus = z.object({ pid: z.int(), 'cgroup-path': z.string().optional() })
const RuncState = z.object({ init_process_pid: z.int() })

const ofDocker = (root: string, id: string): Facts | undefined => {
  const folder = join(root, 'var/lib/docker/containers', id)
  const config = read(DockerConfig, folder, 'config.v2.json')
  if (config === undefined) return undefined
  const labels = config.Config.Labels ?? {}
  return given({
    name: config.Name.replace(/^\//, ''),
    imageName: config.Config.Image,
    image: config.Image,
    group: labels['com.docker.compose.project'],
    labels,
    privileged: read(DockerHost, folder, 'hostconfig.json')?.Privileged,
  })
}

/** Where containers/storage is. */
interface Storage {
  /** Only root can have laid the way to it. */
  readonly folder: string
  readonly path: string
  readonly uid: number
}

/** Only the one that is asked for is looked at: all others are whatever their owner likes. */
const storedIn = ({ folder, path, uid }: Storage, file: string, id: string): z.infer<typeof StoredContainer> | undefined => {
  const listed = parsed(Listed, readBelow({ folder, path: join(path, file), uid, most: mostListed }))
  const found = listed?.find(one => typeof one === 'object' && one !== null && 'id' in one && one.id === id)
  return StoredContainer.safeParse(found).data
}

/** containers/storage, which podman and CRI-O have in common. */
const ofStorage = (id: string, storages: readonly Storage[]): Facts | undefined => {
  for (const storage of storages) {
    for (const file of ['containers.json', 'volatile-containers.json']) {
      const found = storedIn(storage, file, id)
      if (found === undefined) continue
      const said = parsed(StoredMetadata, found.metadata)
      return given({
        name: said?.name ?? found.names?.[0],
        imageName: said?.['image-name'] || undefined,
        // One that was made of a folder has neither.
        image: found.image === undefined || found.image === '' ? undefined : `sha256:${found.image}`,
        group: said?.namespace,
      })
    }
  }
  return undefined
}

const ofAnnotations = (annotations: Readonly<Record<string, string>>): Facts => {
  const first = (...keys: readonly string[]): string | undefined => keys.map(key => annotations[key]).find(value => value !== undefined)
  return given({
    name: first('io.kubernetes.cri.container-name', 'io.kubernetes.container.name', 'nerdctl/name', 'io.kubernetes.cri.sandbox-name'),
    imageName: first('io.kubernetes.cri.image-name', 'io.kubernetes.cri-o.ImageName'),
    group: first('io.kubernetes.cri.sandbox-namespace', 'io.kubernetes.pod.namespace', 'nerdctl/namespace'),
  })
}

/** By namespace and id. */
const containerdTasks = 'run/containerd/io.containerd.runtime.v2.task'

/** The bundle that containerd has made, in whichever of its namespaces. */
const ofContainerd = (root: string, id: string): Facts | undefined => {
  const folder = join(root, containerdTasks)
  for (const namespace of names(folder)) {
    const bundle = read(Bundle, join(folder, namespace, id), 'config.json')
    if (bundle !== undefined) return { group: namespace, ...ofAnnotations(bundle.annotations ?? {}) }
  }
  return undefined
}

/** The host's, and that of the user whose session the group belongs to. */
const storagesOf = (root: string, cgroup: string): Storage[] => {
  const own = ['run/containers/storage', 'var/lib/containers/storage'].map(path => ({ folder: join(root, path), path: 'overlay-containers', uid: 0 }))
  const uid = /\/user-(\d+)\.slice\//.exec(cgroup)?.[1]
  if (uid === undefined || uid === '0') return own
  const home = passwd(root)
    .find(fields => fields[2] === uid)
    ?.at(5)
  if (home === undefined) return own
  return [
    { folder: join(root, 'run/user', uid), path: 'containers/overlay-containers', uid: Number(uid) },
    { folder: join(root, home), path: '.local/share/containers/storage/overlay-containers', uid: Number(uid) },
    ...own,
  ]
}

const passwd = (root: string): string[][] => {
  try {
    return readFileSync(join(root, 'etc/passwd'), 'utf8')
      .split('\n')
      .map(line => line.split(':'))
  } catch {
    return []
  }
}

const factsOf = (root: string, { runtime, id }: CgroupOwner, cgroup: string): Facts | undefined => {
  switch (runtime) {
    case 'docker':
      return ofDocker(root, id)
    case 'podman':
      return ofStorage(id, storagesOf(root, cgroup))
    case 'cri-o':
      return ofStorage(id, storagesOf(root, cgroup))
    case 'containerd':
      return ofContainerd(root, id)
    case 'kubernetes':
      return ofContainerd(root, id) ?? ofStorage(id, storagesOf(root, cgroup))
    default:
      return undefined
  }
}

const namespaceOf = (root: string, pid: number): number | undefined => {
  try {
    return Number(/\d+/.exec(readlinkSync(join(root, 'proc', String(pid), 'ns/pid')))?.[0])
  } catch {
    return undefined
  }
}

const pidFrom = (folder: string): number | undefined => {
  const text = readBelow({ folder, path: 'init.pid', uid: 0, most: 64 })
  return text === undefined ? undefined : Number(text)
}

/** What a runtime says of one that it has made. */
interface Known {
  readonly owner: CgroupOwner
  readonly pid: number | undefined
  readonly cgroup: string | undefined
}

const known = (root: string): Known[] => [
  ...names(join(root, 'run/crun')).map(id => {
    const status = read(CrunStatus, join(root, 'run/crun', id), 'status')
    return { owner: { runtime: 'crun' as const, id }, pid: status?.pid, cgroup: status?.['cgroup-path'] }
  }),
  ...names(join(root, 'run/runc')).map(id => {
    const state = read(RuncState, join(root, 'run/runc', id), 'state.json')
    return { owner: { runtime: 'runc' as const, id }, pid: state?.init_process_pid, cgroup: undefined }
  }),
  ...names(join(root, containerdTasks)).flatMap(namespace =>
    names(join(root, containerdTasks, namespace)).map(id => {
      const folder = join(root, containerdTasks, namespace, id)
      const bundle = read(Bundle, folder, 'config.json')
      return { owner: { runtime: 'containerd' as const, id }, pid: pidFrom(folder), cgroup: bundle?.linux?.cgroupsPath }
    }),
  ),
]

/**
 * A container of crun or runc by themselves, or of containerd's own tools, whose groups are called as their callers like: by its group, which is known also of
 * one that is gone by now, or by the pid namespace of its first process.
 */
const byState = (root: string, { pidNamespace, cgroup }: Seen): CgroupOwner | undefined => {
  const all = known(root)
  const own = cgroup !== '' && cgroup !== '/'
  const found =
    (own ? all.find(one => one.cgroup === cgroup) : undefined) ?? all.find(({ pid }) => pid !== undefined && namespaceOf(root, pid) === pidNamespace)
  return found?.owner
}

/** Ids as people know them: what is no hash stays whole. */
export const shortId = (id: string): string => (/^[0-9a-f]{64}$/.test(id) ? id.slice(0, 12) : id)

/** Synchronous: the events after it wait. `root`: where the host's file system is; `lives`: whether the daemon of that slice does. */
export const identify = (
  seen: Seen,
  { root = '/', lives = isLivedIn }: { readonly root?: string; readonly lives?: typeof isLivedIn } = {},
): Container => {
  const { pidNamespace, cgroup } = seen
  const owner = cgroupOwner(cgroup, lives) ?? byState(root, seen) ?? { runtime: 'unknown', id: `pidns-${pidNamespace}` }
  const unnamed = { name: shortId(owner.id), imageName: '', image: '', group: owner.runtime, labels: {}, privileged: false }
  return { ...unnamed, ...factsOf(root, owner, cgroup), ...owner }
}
