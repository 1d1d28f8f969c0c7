/** What a group has used, from its files: one read of each, in any thread. */
import { join } from 'node:path'
import { keyedNumber, readControl } from './files.ts'
import type { Hierarchy } from './hierarchy.ts'

/** Where it is written; undefined: this host does not say. Plain data, so that it can be told to another thread. */
export interface UsageFiles {
  readonly mode: Hierarchy['mode']
  readonly cpu: string | undefined
  readonly memory: string | undefined
  readonly memoryPeak: string | undefined
  readonly processes: string | undefined
  readonly io: string | undefined
}

export interface GroupUsage {
  /** µs of processor time since it was made. */
  readonly cpu: number
  /** Bytes, page cache included: now, and the most there ever were. */
  readonly memory: number
  readonly memoryPeak: number | undefined
  /** Processes and threads. */
  readonly processes: number | undefined
  /** Bytes read from and written to block devices since it was made. */
  readonly read: number | undefined
  readonly written: number | undefined
}

export const usageFiles = ({ mode, mounts }: Hierarchy, path: string): UsageFiles => {
  const fileOf = (controller: 'cpuacct' | 'memory' | 'pids' | 'blkio', file: string): string | undefined => {
    const mount = mounts.get(controller)
    return mount === undefined ? undefined : join(mount, path, file)
  }
  const v2 = mode === 'v2'
  return {
    mode,
    cpu: fileOf('cpuacct', v2 ? 'cpu.stat' : 'cpuacct.usage'),
    memory: fileOf('memory', v2 ? 'memory.current' : 'memory.usage_in_bytes'),
    memoryPeak: fileOf('memory', v2 ? 'memory.peak' : 'memory.max_usage_in_bytes'),
    processes: fileOf('pids', 'pids.current'),
    io: fileOf('blkio', v2 ? 'io.stat' : 'blkio.throttle.io_service_bytes'),
  }
}

/** v1: lines `8:0 Read 4096`; v2: `8:0 rbytes=4096 wbytes=0 …`. Sums over all devices. Pure. */
export const parseIo = (text: string): { read: number; written: number } => {
  const sum = (pattern: RegExp): number => [...text.matchAll(pattern)].reduce((total, [, bytes]) => total + Number(bytes), 0)
  return {
    read: sum(/(?:^\d+:\d+ Read |\brbytes=)(\d+)/gm),
    written: sum(/(?:^\d+:\d+ Write |\bwbytes=)(\d+)/gm),
  }
}

/** undefined when the group is gone. */
export const readUsage = (files: UsageFiles): GroupUsage | undefined => {
  const read = (file: string | undefined): string | undefined => (file === undefined ? undefined : readControl(file))
  const number = (file: string | undefined): number | undefined => {
    const text = read(file)
    return text === undefined || text === '' ? undefined : Number(text)
  }
  const cpuText = read(files.cpu)
  const memory = number(files.memory)
  if (cpuText === undefined || memory === undefined) return undefined
  const ioText = read(files.io)
  const io = ioText === undefined ? undefined : parseIo(ioText)
  return {
    cpu: files.mode === 'v2' ? keyedNumber(cpuText, 'usage_usec') : Math.round(Number(cpuText) / 1000),
    memory,
    memoryPeak: number(files.memoryPeak),
    processes: number(files.processes),
    read: io?.read,
    written: io?.written,
  }
}
