/** One group: a folder in each hierarchy, all of the same name. */
import type { Dirent } from 'node:fs'
import { readdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DayflyError, errnoOf } from '../../base/errors.ts'
import { failure, keyedNumber, readControl, writeControl } from './files.ts'
import type { Controller, Hierarchy } from './hierarchy.ts'
import type { CgroupLimits, Setting } from './limits.ts'
import { settings } from './limits.ts'

export interface Cgroup {
  readonly name: string
  /** What a process joins to be in the group: one folder on v2, one for each hierarchy on v1. */
  readonly folders: readonly string[]
  /** Takes effect at once. Throws `host`. */
  setLimits(limits: CgroupLimits): void
  /** Processes directly in it and in groups below it, as this process's pid namespace numbers them. Empty when it is gone. */
  processes(): number[]
  /** How often the kernel ended one of its processes for want of memory. 0 when it is gone. */
  oomKills(): number
  /** Bytes. 0 when it is gone. */
  memoryUsage(): number
  /** Nanoseconds of CPU. 0 when it is gone. */
  cpuUsage(): number
  /** Resolves when every process of it stands still. */
  freeze(): Promise<void>
  thaw(): void
  /** SIGKILL to everything in it, also to what is being forked meanwhile. Resolves when nothing is left. */
  killAll(): Promise<void>
  /** Also of groups that were made below it. Waits for processes that are still on their way out. Does nothing when it is gone. */
  remove(): Promise<void>
}

/** How long the kernel is given to finish what was asked of it, ms. */
const patience = 10_000

/** Looks again after 1, 2, 4 … at most 50 ms. False when it never came true. */
const until = async (condition: () => boolean): Promise<boolean> => {
  const end = performance.now() + patience
  for (let pause = 1; !condition(); pause = Math.min(pause * 2, 50)) {
    if (performance.now() > end) return false
    await sleep(pause)
  }
  return true
}

const subfolders = (folder: string): string[] => {
  let entries: Dirent[]
  try {
    entries = readdirSync(folder, { withFileTypes: true })
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENODEV') return []
    throw failure(`reading ${folder}`, error)
  }
  return entries.filter(entry => entry.isDirectory()).map(entry => join(folder, entry.name))
}

const withDescendants = (folder: string): string[] => [...subfolders(folder).flatMap(withDescendants), folder]

/** True when it is gone; false while the kernel still holds something in it. */
const removed = (folder: string): boolean => {
  for (const each of withDescendants(folder)) {
    try {
      rmdirSync(each)
    } catch (error) {
      const errno = errnoOf(error)
      if (errno === 'EBUSY' || errno === 'ENOTEMPTY') return false
      if (errno !== 'ENOENT') throw failure(`removing the cgroup ${each}`, error)
    }
  }
  return true
}

const processesOf = (folder: string): number[] =>
  withDescendants(folder).flatMap(each =>
    // 0 stands for a process outside this pid namespace: it cannot be named from here.
    (readControl(join(each, 'cgroup.procs')) ?? '').split('\n').flatMap(line => (line === '' || line === '0' ? [] : [Number(line)])),
  )

const kill = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if (errnoOf(error) !== 'ESRCH') throw error
  }
}

/** `path` below each hierarchy's mount point. Nothing is read or written yet. `disk`: `major:minor`, for the limit on io. */
export const createGroup = (hierarchy: Hierarchy, path: string, disk: string | undefined): Cgroup => {
  const { mode, mounts } = hierarchy
  const name = path.slice(path.lastIndexOf('/') + 1)
  const folderOf = (controller: Controller): string | undefined => {
    const mount = mounts.get(controller)
    return mount === undefined ? undefined : join(mount, path)
  }
  const read = (controller: Controller, file: string): string | undefined => {
    const folder = folderOf(controller)
    return folder === undefined ? undefined : readControl(join(folder, file))
  }
  const unique = [...new Set(mounts.values())].map(mount => join(mount, path))
  const known = new Map<string, string>()

  const apply = ({ controller, file, value, optional }: Setting): void => {
    const folder = folderOf(controller)
    if (folder === undefined || known.get(file) === value) return
    try {
      writeControl(join(folder, file), value)
    } catch (error) {
      if (optional !== true || !(error instanceof DayflyError) || errnoOf(error.cause) !== 'ENOENT') throw error
    }
    known.set(file, value)
  }

  /** On v1 the limit with swap may never be below the one without: what comes first depends on whether it rises or falls. */
  const applyAll = (all: readonly Setting[]): void => {
    const isSwap = ({ file }: Setting): boolean => file === 'memory.memsw.limit_in_bytes'
    for (const setting of all) {
      try {
        apply(setting)
      } catch (error) {
        const swap = setting.file === 'memory.limit_in_bytes' ? all.find(isSwap) : undefined
        if (swap === undefined) throw error
        apply(swap)
        apply(setting)
      }
    }
  }

  const frozen = (): boolean => {
    if (mode === 'v2') {
      const events = read('freezer', 'cgroup.events')
      return events === undefined || keyedNumber(events, 'frozen') === 1
    }
    const state = read('freezer', 'freezer.state')
    return state === undefined || state === 'FROZEN'
  }
  const setFrozen = (freeze: boolean): void => {
    const folder = folderOf('freezer')
    if (folder === undefined) throw new DayflyError('host', `cgroup ${path}: this host has no freezer`, { remedy: 'Mount the freezer controller.' })
    if (mode === 'v2') writeControl(join(folder, 'cgroup.freeze'), freeze ? '1' : '0')
    else writeControl(join(folder, 'freezer.state'), freeze ? 'FROZEN' : 'THAWED')
  }
  const exists = (): boolean => unique.some(folder => readControl(join(folder, 'cgroup.procs')) !== undefined)
  const processes = (): number[] => [...new Set(unique.flatMap(processesOf))]

  const freeze = async (): Promise<void> => {
    setFrozen(true)
    if (!(await until(frozen))) throw new DayflyError('host', `cgroup ${path} did not freeze within ${patience / 1000} s`)
  }

  /** While the group stands still no process can leave its pid to another, and none can fork away from the signal. */
  const killFrozen = async (): Promise<void> => {
    const canFreeze = mounts.has('freezer') && read('freezer', mode === 'v2' ? 'cgroup.freeze' : 'freezer.state') !== undefined
    if (canFreeze) await freeze()
    for (const pid of processes()) kill(pid)
    if (canFreeze) setFrozen(false)
  }

  const signalAll = async (): Promise<void> => {
    const [folder] = unique
    if (mode === 'v2' && folder !== undefined && readControl(join(folder, 'cgroup.type')) !== undefined) {
      try {
        writeControl(join(folder, 'cgroup.kill'), '1')
        return
      } catch (error) {
        if (!(error instanceof DayflyError) || errnoOf(error.cause) !== 'ENOENT') throw error // Linux before 5.14
      }
    }
    await killFrozen()
  }

  return {
    name,
    folders: unique,
    setLimits: limits => applyAll(settings(hierarchy, limits, disk)),
    processes,
    oomKills: () => keyedNumber(read('memory', mode === 'v2' ? 'memory.events' : 'memory.oom_control'), 'oom_kill'),
    memoryUsage: () => Number(read('memory', mode === 'v2' ? 'memory.current' : 'memory.usage_in_bytes') ?? 0),
    cpuUsage: () => (mode === 'v2' ? keyedNumber(read('cpuacct', 'cpu.stat'), 'usage_usec') * 1000 : Number(read('cpuacct', 'cpuacct.usage') ?? 0)),
    freeze,
    thaw: () => setFrozen(false),
    async killAll() {
      if (!exists() || processes().length === 0) return
      for (let attempt = 0; attempt < 3; attempt++) {
        await signalAll()
        if (await until(() => processes().length === 0)) return
      }
      throw new DayflyError('host', `processes ${processes().join(', ')} of cgroup ${path} survive SIGKILL`, {
        remedy: 'They wait for a device or a file system that does not answer; see their /proc/PID/stack.',
      })
    },
    async remove() {
      for (const folder of unique) {
        if (await until(() => removed(folder))) continue
        throw new DayflyError('host', `the cgroup ${folder} cannot be removed: in use by ${processesOf(folder).join(', ') || 'the kernel'}`, {
          remedy: 'End what is in it first.',
        })
      }
    },
  }
}
