/** Memory of the processes that stand beside instances: shims and monitors. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const attempt = <T>(read: () => T): T | undefined => {
  try {
    return read()
  } catch {
    return undefined // It ended meanwhile.
  }
}

/** Pids that are in our own pid namespace: helpers, not the instances themselves. */
const hostProcesses = (): Set<number> => {
  const own = readlinkSync('/proc/self/ns/pid')
  return new Set(
    readdirSync('/proc')
      .filter(name => /^\d+$/.test(name))
      .filter(pid => attempt(() => readlinkSync(`/proc/${pid}/ns/pid`)) === own)
      .map(Number),
  )
}

/** Bytes, shared pages counted in proportion. 0 when the process has ended. */
export const proportionalSize = (pid: number): number => {
  const rollup = attempt(() => readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? ''
  return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0) * 1024
}

/** Bytes of what `start` has brought into being in our pid namespace, once it is quiet. */
export const helperMemory = async (start: () => Promise<void>): Promise<number> => {
  const before = hostProcesses()
  await start()
  await sleep(1500)
  return [...hostProcesses()].filter(pid => !before.has(pid)).reduce((sum, pid) => sum + proportionalSize(pid), 0)
}
