/** cgroup v1: one hierarchy for each controller, so a group is as many folders. Source: the kernel's Documentation/admin-guide/cgroup-v1. */
import type { Cgroup, CgroupLimits, CgroupMode, Cgroups, V1Controller } from './cgroups.ts'
import type { BlockDevice } from './device.ts'
import { childrenOf, count, killEach, killUntilEmpty, makeFolder, pidsIn, read, removeTree, write } from './files.ts'

const period = 100_000
/** null zero full random urandom tty ptmx, and pseudo-terminals. */
const devices = ['c 1:3 rwm', 'c 1:5 rwm', 'c 1:7 rwm', 'c 1:8 rwm', 'c 1:9 rwm', 'c 5:0 rwm', 'c 5:2 rwm', 'c 136:* rwm']

/** memory.memsw may never be below memory.limit, not even between the two writes. */
const setMemory = (folder: string, bytes: number): void => {
  const both = `${folder}/memory.memsw.limit_in_bytes`
  const files = [`${folder}/memory.limit_in_bytes`, ...(read(both) === undefined ? [] : [both])]
  const rises = Number(read(`${folder}/memory.limit_in_bytes`)) < bytes
  for (const file of rises ? files.reverse() : files) write(file, String(bytes))
}

export const openV1 = (mode: CgroupMode, mounts: ReadonlyMap<V1Controller, string>, parent: string, device: BlockDevice | string): Cgroups => {
  const tops = [...mounts.values()].map(mount => `${mount}/${parent}`)
  for (const top of tops) makeFolder(top)
  const missing: { limit: keyof CgroupLimits; reason: string }[] = []
  const limitOf = { cpu: 'cpus', memory: 'memory', pids: 'pids', blkio: 'io' } as const
  for (const controller of ['cpu', 'memory', 'pids', 'blkio'] as const) {
    if (!mounts.has(controller)) missing.push({ limit: limitOf[controller], reason: `the ${controller} controller is not mounted` })
  }
  if (typeof device === 'string') missing.push({ limit: 'io', reason: device })

  const open = (name: string): Cgroup => {
    const folderOf = (controller: V1Controller): string | undefined => {
      const mount = mounts.get(controller)
      return mount === undefined ? undefined : `${mount}/${parent}/${name}`
    }
    const folders = tops.map(top => `${top}/${name}`)
    const processes = (): number[] => [...new Set(folders.flatMap(pidsIn))]
    const setState = (state: 'FROZEN' | 'THAWED'): void => {
      const folder = folderOf('freezer')
      if (folder !== undefined && read(`${folder}/freezer.state`) !== undefined) write(`${folder}/freezer.state`, state)
    }
    return {
      folders,
      processes,
      setLimits: limits => {
        const [cpu, memory, pids, blkio] = [folderOf('cpu'), folderOf('memory'), folderOf('pids'), folderOf('blkio')]
        if (cpu !== undefined) {
          write(`${cpu}/cpu.cfs_period_us`, String(period))
          write(`${cpu}/cpu.cfs_quota_us`, String(Math.max(1000, Math.round(limits.cpus * period))))
        }
        if (memory !== undefined) setMemory(memory, limits.memory)
        if (pids !== undefined) write(`${pids}/pids.max`, String(limits.pids))
        if (blkio !== undefined && typeof device !== 'string') {
          for (const direction of ['read', 'write']) write(`${blkio}/blkio.throttle.${direction}_bps_device`, `${device.major}:${device.minor} ${limits.io}`)
        }
      },
      oomKills: () => count(`${folderOf('memory')}/memory.oom_control`, 'oom_kill'),
      memoryUsage: () => Number(read(`${folderOf('memory')}/memory.usage_in_bytes`) ?? 0),
      freeze: () => setState('FROZEN'),
      thaw: () => setState('THAWED'),
      killAll: async () => {
        setState('THAWED')
        await killUntilEmpty(processes, () => killEach(processes()))
      },
      remove: async () => {
        for (const folder of folders) await removeTree(folder)
      },
    }
  }

  return {
    mode,
    missing,
    open,
    create: (name, limits) => {
      const group = open(name)
      for (const folder of group.folders) makeFolder(folder)
      group.setLimits(limits)
      const folder = mounts.get('devices')
      if (folder !== undefined) {
        write(`${folder}/${parent}/${name}/devices.deny`, 'a')
        for (const rule of devices) write(`${folder}/${parent}/${name}/devices.allow`, rule)
      }
      return group
    },
    plain: name => {
      const folders = tops.map(top => `${top}/${name}`)
      for (const folder of folders) makeFolder(folder)
      return folders
    },
    list: () => [...new Set(tops.flatMap(childrenOf))],
    close: async () => {
      for (const top of tops) await removeTree(top)
    },
  }
}
