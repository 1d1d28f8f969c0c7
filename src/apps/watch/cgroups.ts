/** Whose container a control group is, as runtimes name theirs. Pure. */

/** `unknown`: of no runtime that names its groups so; a pid namespace all the same. */
export type Runtime =
  | 'dayfly'
  | 'docker'
  | 'podman'
  | 'containerd'
  | 'cri-o'
  | 'kubernetes'
  | 'buildkit'
  | 'lxc'
  | 'nspawn'
  | 'crun'
  | 'runc'
  | 'unknown'

export interface CgroupOwner {
  readonly runtime: Runtime
  /** Whole, as the runtime has it. */
  readonly id: string
}

/** By what a group is called under the systemd driver, `docker-<id>.scope`, or with cgroupfs. */
const named: readonly (readonly [Runtime, RegExp])[] = [
  ['docker', /^docker-([0-9a-f]{64})\.scope$/],
  ['podman', /^libpod-([0-9a-f]{64})(?:\.scope)?$/],
  ['containerd', /^cri-containerd-([0-9a-f]{64})\.scope$/],
  ['containerd', /^nerdctl-([0-9a-f]{64})\.scope$/],
  ['cri-o', /^crio-([0-9a-f]{64})(?:\.scope)?$/],
  ['lxc', /^lxc\.payload\.(.+)$/],
  ['nspawn', /^machine-(.+)\.scope$/],
]

const isId = (name: string): boolean => /^[0-9a-f]{64}$/.test(name)

/** By the folder that the group is in, where it is called by its id alone. */
const ofFolder = (folders: readonly string[]): Runtime => {
  if (folders.includes('buildkit')) return 'buildkit'
  if (folders.includes('docker')) return 'docker'
  if (folders.some(folder => folder.startsWith('kubepods'))) return 'kubernetes'
  return 'containerd'
}

/** A runtime's container whose group is at that place of the way. */
const ofPart = (parts: readonly string[], index: number): CgroupOwner | undefined => {
  const part = parts[index] ?? ''
  for (const [runtime, pattern] of named) {
    const id = pattern.exec(part)?.[1]
    if (id !== undefined) return { runtime, id }
  }
  if (isId(part)) return { runtime: ofFolder(parts.slice(0, index)), id: part }
  // BuildKit's own ids are shorter.
  return parts[index - 1] === 'buildkit' ? { runtime: 'buildkit', id: part } : undefined
}

/**
 * The outermost container on the way: what runs in a container's own groups is that container. Undefined for a group that says nothing. `cgroup` is a path, as
 * `/system.slice/docker-<id>.scope`. Anybody who starts containers may have them put below a group of any name: they are Dayfly's only right in the folder of a
 * daemon, at the top, that `lives`, and only where no other runtime has named them.
 */
export const cgroupOwner = (cgroup: string, lives: (slice: number) => boolean): CgroupOwner | undefined => {
  const parts = cgroup.split('/').filter(part => part !== '')
  const [top = '', cell] = parts
  const slice = /^dayfly-(\d+)$/.exec(top)?.[1]
  if (slice !== undefined && cell !== undefined && ofPart(parts, 1) === undefined && lives(Number(slice))) return { runtime: 'dayfly', id: cell }
  for (const index of parts.keys()) {
    const owner = ofPart(parts, index)
    if (owner !== undefined) return owner
  }
  return undefined
}
