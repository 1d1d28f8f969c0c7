/** What the host has, and what Dayfly has promised of it. */
import { readFileSync, statfsSync, statSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import type { CapacityView } from '../../../api/schemas/host.ts'
import type { Store } from '../../../engine/store.ts'

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** Bytes of a line of /proc/meminfo; 0 where there is none. */
const meminfo = (text: string, name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? 0) * 1024

/** Folders that share a file system are told as one. */
const disksOf = (folders: readonly (readonly [of: string, path: string])[]): CapacityView['disks'] => {
  const byDevice = Map.groupBy(folders, ([, path]) => statSync(path).dev)
  return [...byDevice.values()].flatMap(places => {
    const [first] = places
    if (first === undefined) return []
    const { bavail, blocks, bsize } = statfsSync(first[1])
    return [{ path: first[1], of: places.map(([of]) => of).join(', '), size: blocks * bsize, free: bavail * bsize }]
  })
}

export const capacityOf = (
  store: Pick<Store, 'environments' | 'liveInstances'>,
  { stateDir, runDir }: { stateDir: string; runDir: string },
): CapacityView => {
  const memory = read('/proc/meminfo')
  const cores = cpus()
  const live = store.liveInstances()
  const sum = (of: (one: (typeof live)[number]) => number): number => live.reduce((total, one) => total + of(one), 0)
  return {
    cpus: { count: cores.length, model: cores[0]?.model ?? '', load: loadavg() },
    memory: {
      ...{ total: meminfo(memory, 'MemTotal'), available: meminfo(memory, 'MemAvailable') },
      ...{ swap: meminfo(memory, 'SwapTotal'), swapFree: meminfo(memory, 'SwapFree') },
    },
    disks: disksOf([
      ['state, images and records', stateDir],
      ['running instances', runDir],
    ]),
    // The fourth member of loadavg: runnable and all threads.
    pids: { now: Number(/\/(\d+) /.exec(read('/proc/loadavg'))?.[1] ?? 0), most: Number(read('/proc/sys/kernel/pid_max').trim() || 0) },
    promised: {
      ...{ cpus: sum(({ origin }) => origin?.cpus ?? 0), memory: sum(({ origin }) => origin?.memory ?? 0) },
      ...{ instances: live.length, environments: store.environments({ ended: false }).length },
    },
  }
}
