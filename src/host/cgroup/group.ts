/** One group: a folder in each hierarchy, all of the same path. */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DayflyError, errnoOf } from '../../base/errors.ts'
import { keyedNumber, processesIn, readControl, removeTree, writeControl } from './files.ts'
import type { Controller, Hierarchy } from './hierarchy.ts'
import type { CgroupLimits, Setting } from './limits.ts'
import { settings } from './limits.ts'
import type { UsageFiles } from './usage.ts'
import { usageFiles } from './usage.ts'

export interface Cgroup {
  /** Every folder whose cgroup.procs a process has to join to be in the group: one on v2, one for each hierarchy on v1. */
  readonly folders: readonly string[]
  /** Takes effect at once. Throws `host` naming file, value and remedy. */
  setLimits(limits: CgroupLimits): void
  /** Pids in it and in groups below it, as this process's pid namespace numbers them. Empty when it is gone, as the counts below are 0. */
  processes(): number[]
  /** How many processes of it the kernel killed for want of memory. */
  oomKills(): number
  /** Bytes, page cache included. */
  memoryUsage(): number
  /** Nanoseconds. */
  cpuUsage(): number
  /** What `readUsage` reads. */
  readonly usageFiles: UsageFiles
  /** Resolves when every process of it stands still. Does nothing when it is gone. */
  freeze(): Promise<void>
  thaw(): void
  /** It was asked to stand still, by whomever. */
  frozen(): boolean
  /** SIGKILL to everything in it, also to what is being forked meanwhile. Resolves when nothing is left. */
  killAll(): Promise<void>
  /** Also of groups that were made below it. Waits for processes on their way out. Does nothing when it is gone. */
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

const causeIs = (error: unknown, ...errnos: readonly string[]): boolean => error instanceof DayflyError && errnos.includes(errnoOf(error.cause) ?? '')

const kill = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if (errnoOf(error) !== 'ESRCH') throw error
  }
}

/** `path` is below each hierarchy's mount point. Nothing is read or written yet. `disk`: `major:minor`, for the limit on io. */
export const createGroup = (hierarchy: Hierarchy, path: string, disk: string | undefined): Cgroup => {
  const { mode, mounts } = hierarchy
  const folders = [...new Set(mounts.values())].map(mount => join(mount, path))
  const fileOf = (controller: Controller, file: string): string | undefined => {
    const mount = mounts.get(controller)
    return mount === undefined ? undefined : join(mount, path, file)
  }
  const read = (controller: Controller, file: string): string | undefined => {
    const full = fileOf(controller, file)
    return full === undefined ? undefined : readControl(full)
  }
  const processes = (): number[] => [...new Set(folders.flatMap(processesIn))]

  /** What was written, so that limits which stay the same cost nothing. */
  const written = new Map<string, string>()
  const apply = ({ controller, file, value, optional }: Setting): void => {
    const full = fileOf(controller, file)
    if (full === undefined || written.get(file) === value) return
    try {
      writeControl(full, value)
    } catch (error) {
      if (optional !== true || !causeIs(error, 'ENOENT')) throw error
    }
    written.set(file, value)
  }
  /** On v1 the limit with swap may never be below the one without, so which comes first depends on whether they rise or fall. */
  const applyAll = (all: readonly Setting[]): void => {
    for (const setting of all) {
      try {
        apply(setting)
      } catch (error) {
        const withSwap = all.find(({ file }) => file === 'memory.memsw.limit_in_bytes')
        if (setting.file !== 'memory.limit_in_bytes' || withSwap === undefined || !causeIs(error, 'EINVAL')) throw error
        apply(withSwap)
        apply(setting)
      }
    }
  }

  const freezer = mode === 'v2' ? { file: 'cgroup.freeze', freeze: '1', thaw: '0' } : { file: 'freezer.state', freeze: 'FROZEN', thaw: 'THAWED' }
  const canFreeze = (): boolean => read('freezer', freezer.file) !== undefined
  const setFreezer = (value: string): void => {
    const full = fileOf('freezer', freezer.file)
    if (full === undefined) throw new DayflyError('host', `the cgroup ${path} cannot freeze`, { remedy: 'Mount the freezer controller.' })
    if (canFreeze()) writeControl(full, value)
  }
  const isFrozen = (): boolean => {
    const state = mode === 'v2' ? read('freezer', 'cgroup.events') : read('freezer', freezer.file)
    return state === undefined || state === 'FROZEN' || keyedNumber(state, 'frozen') === 1
  }
  const freeze = async (): Promise<void> => {
    setFreezer(freezer.freeze)
    if (!(await until(isFrozen))) throw new DayflyError('host', `the cgroup ${path} did not freeze within ${patience / 1000} s`)
  }

  const killByKernel = (): boolean => {
    const [folder] = folders
    if (mode !== 'v2' || folder === undefined) return false
    try {
      writeControl(join(folder, 'cgroup.kill'), '1')
      return true
    } catch (error) {
      if (causeIs(error, 'ENOENT', 'ENODEV')) return false // Linux before 5.14, or the group is gone
      throw error
    }
  }
  /** While the group stands still no process can leave its pid to another, and none can fork away from the signal. */
  const killFrozen = async (): Promise<void> => {
    const frozen = canFreeze()
    if (frozen) await freeze()
    for (const pid of processes()) kill(pid)
    if (frozen) setFreezer(freezer.thaw)
  }

  return {
    folders,
    usageFiles: usageFiles(hierarchy, path),
    processes,
    setLimits: limits => applyAll(settings(hierarchy, limits, disk)),
    oomKills: () => keyedNumber(read('memory', mode === 'v2' ? 'memory.events' : 'memory.oom_control'), 'oom_kill'),
    memoryUsage: () => Number(read('memory', mode === 'v2' ? 'memory.current' : 'memory.usage_in_bytes') ?? 0),
    cpuUsage: () => (mode === 'v2' ? keyedNumber(read('cpuacct', 'cpu.stat'), 'usage_usec') * 1000 : Number(read('cpuacct', 'cpuacct.usage') ?? 0)),
    freeze,
    thaw: () => setFreezer(freezer.thaw),
    frozen: () => {
      const state = read('freezer', freezer.file)
      return state !== undefined && state !== freezer.thaw
    },
    killAll: async () => {
      for (let attempt = 0; attempt < 3 && processes().length > 0; attempt++) {
        if (killByKernel())
          setFreezer(freezer.thaw) // a frozen group dies too, but only a thawed one is left without a trace
        else await killFrozen()
        await until(() => processes().length === 0)
      }
      if (processes().length === 0) return
      throw new DayflyError('host', `processes ${processes().join(', ')} of the cgroup ${path} survive SIGKILL`, {
        remedy: 'They wait for a device or a file system that does not answer: see /proc/PID/stack.',
      })
    },
    remove: async () => {
      for (const folder of folders) {
        if (await until(() => removeTree(folder))) continue
        throw new DayflyError('host', `the cgroup ${folder} cannot be removed: ${processesIn(folder).join(', ') || 'the kernel'} is in it`, {
          remedy: 'End what is in it first.',
        })
      }
    },
  }
}
