/** Processes by pid and start time: a pid alone may by now be somebody else. */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { DayflyError } from '../../base/errors.ts'
import type { ProcessIdentity } from '../../host/native/helper.ts'

/** Field 22 of /proc/PID/stat, or undefined when there is no such process or only its zombie. */
export const startTimeOf = (pid: number): number | undefined => {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return undefined
  }
  // The second field, the name, may contain spaces and parentheses; what follows the last ")" does not.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' ? undefined : Number(fields[19])
}

/** A child of somebody who has not reaped it yet keeps its pid: it cannot be somebody else. */
export const hasEnded = (child: number): boolean => startTimeOf(child) === undefined

export const isAlive = (process: ProcessIdentity): boolean => startTimeOf(process.pid) === process.startTime

/** Resolves when the process has ended; rejects with `timeout` after `patience` ms. */
export const processEnded = async (process: ProcessIdentity, patience = 10_000): Promise<void> => {
  const end = performance.now() + patience
  for (let pause = 0.5; isAlive(process); pause = Math.min(pause * 2, 20)) {
    if (performance.now() > end) throw new DayflyError('timeout', `process ${process.pid} did not end within ${patience} ms`)
    await sleep(pause)
  }
}

/** Reads `monitor.pid`: "PID START-TIME\n". undefined when the file is not there or not yet whole. */
export const readIdentity = (path: string): ProcessIdentity | undefined => {
  let text: string
  try {
    text = readFileSync(path, 'latin1')
  } catch {
    return undefined
  }
  const match = /^(\d+) (\d+)\n$/.exec(text)
  return match === null ? undefined : { pid: Number(match[1]), startTime: Number(match[2]) }
}
