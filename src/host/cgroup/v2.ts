/**
 * cgroup v2: one hierarchy, one folder a group. Source: the kernel's Documentation/admin-guide/cgroup-v2.rst. There are no device rules here:
 * they would take a BPF program, and a container in a user namespace on `nodev` mounts cannot make a device node that works.
 */
import type { Cgroup, CgroupLimits, Cgroups } from './cgroups.ts'
import type { BlockDevice } from './device.ts'
import { childrenOf, count, killUntilEmpty, makeFolder, pidsIn, read, removeTree, write } from './files.ts'

const period = 100_000
const controllers = { cpu: 'cpus', memory: 'memory', pids: 'pids', io: 'io' } as const
type Controller = keyof typeof controllers

const words = (text: string | undefined): string[] => (text ?? '').trim().split(/\s+/)

/** A controller is there for a group when every folder above hands it down. Returns those that could not be had. */
const enable = (folders: readonly string[]): Controller[] => {
  const wanted: Controller[] = ['cpu', 'memory', 'pids', 'io']
  return wanted.filter(controller => {
    for (const folder of folders) {
      if (!words(read(`${folder}/cgroup.controllers`)).includes(controller)) return true
      if (!words(read(`${folder}/cgroup.subtree_control`)).includes(controller)) write(`${folder}/cgroup.subtree_control`, `+${controller}`)
    }
    return false
  })
}

export const openV2 = (mount: string, parent: string, device: BlockDevice | string): Cgroups => {
  const top = `${mount}/${parent}`
  makeFolder(top)
  const absent = new Set(enable([mount, top]))
  const missing: { limit: keyof CgroupLimits; reason: string }[] = [...absent].map(controller => ({
    limit: controllers[controller],
    reason: `the ${controller} controller is not available in ${mount}`,
  }))
  if (typeof device === 'string') missing.push({ limit: 'io', reason: device })

  const open = (name: string): Cgroup => {
    const folder = `${top}/${name}`
    const processes = (): number[] => pidsIn(folder)
    const freeze = (value: '0' | '1'): void => {
      if (read(`${folder}/cgroup.freeze`) !== undefined) write(`${folder}/cgroup.freeze`, value)
    }
    return {
      folders: [folder],
      processes,
      setLimits: limits => {
        if (!absent.has('cpu')) write(`${folder}/cpu.max`, `${Math.max(1000, Math.round(limits.cpus * period))} ${period}`)
        if (!absent.has('memory')) {
          write(`${folder}/memory.max`, String(limits.memory))
          // Memory and swap are limited together: what is in memory.max is all there is.
          if (read(`${folder}/memory.swap.max`) !== undefined) write(`${folder}/memory.swap.max`, '0')
        }
        if (!absent.has('pids')) write(`${folder}/pids.max`, String(limits.pids))
        if (!absent.has('io') && typeof device !== 'string') write(`${folder}/io.max`, `${device.major}:${device.minor} rbps=${limits.io} wbps=${limits.io}`)
      },
      oomKills: () => count(`${folder}/memory.events`, 'oom_kill'),
      memoryUsage: () => Number(read(`${folder}/memory.current`) ?? 0),
      freeze: () => freeze('1'),
      thaw: () => freeze('0'),
      killAll: async () => {
        freeze('0')
        // In use since Linux 5.14; idmapped layers need a later one anyway.
        await killUntilEmpty(processes, () => write(`${folder}/cgroup.kill`, '1'))
      },
      remove: () => removeTree(folder),
    }
  }

  return {
    mode: 'v2',
    missing,
    open,
    create: (name, limits) => {
      const group = open(name)
      makeFolder(`${top}/${name}`)
      group.setLimits(limits)
      return group
    },
    plain: name => {
      makeFolder(`${top}/${name}`)
      return [`${top}/${name}`]
    },
    list: () => childrenOf(top),
    close: () => removeTree(top),
  }
}
