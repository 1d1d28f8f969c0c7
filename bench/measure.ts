/** One run, many in a row, many at once. */
import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Subject, Timing } from './subject.ts'
import { greeting } from './subject.ts'

/** Runs `argv`, which must print the greeting and exit with 0. Rejects with what it printed on stderr. */
export const timeProcess = (argv: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Timing> =>
  new Promise((resolve, reject) => {
    const [program = '', ...args] = argv
    const begin = performance.now()
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env })
    let firstOutput = 0
    let output = ''
    let errors = ''
    child.stdout.on('data', (chunk: Buffer) => {
      if (firstOutput === 0) firstOutput = performance.now() - begin
      output += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      errors += chunk.toString()
    })
    child.on('error', reject)
    child.on('close', code => {
      const exit = performance.now() - begin
      if (code === 0 && output.includes(greeting)) resolve({ firstOutput, exit })
      else reject(new Error(`${argv.join(' ')} exited with ${code}: ${errors.trim().slice(-500) || output.trim().slice(-500)}`))
    })
  })

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** The value below which `share` (0–1) of them lie. */
export const quantile = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN

export interface Spread {
  readonly median: number
  readonly p90: number
}

export interface InARow {
  readonly runs: number
  readonly firstOutput: Spread
  readonly exit: Spread
  /** How many of them were started from a pool. */
  readonly prepared: number
}

const spread = (values: readonly number[]): Spread => ({ median: median(values), p90: quantile(values, 0.9) })

/**
 * ms between runs. It lets the kernel's deferred work end, without which a fast subject hides what it costs, and lets a pool fill up again, which
 * would otherwise be measured as part of the next run.
 */
export const pause = 250

/** `runs` runs, one after another. */
export const inARow = async (subject: Subject, runs: number): Promise<InARow> => {
  const timings: Timing[] = []
  for (let run = -3; run < runs; run++) {
    const timing = await subject.once()
    if (run >= 0) timings.push(timing) // The first three warm the page cache.
    await sleep(pause)
  }
  return {
    runs,
    firstOutput: spread(timings.map(timing => timing.firstOutput)),
    exit: spread(timings.map(timing => timing.exit)),
    prepared: timings.filter(timing => timing.start === 'prepared').length,
  }
}

export interface AtOnce {
  readonly count: number
  /** Starts per second: those that succeeded, by the time until the last of them had printed. */
  readonly rate: number
  readonly failures: number
  readonly prepared: number
  /** Of the first failure. */
  readonly reason: string | undefined
}

export const atOnce = async (subject: Subject, count: number): Promise<AtOnce> => {
  await subject.warm?.(count)
  const begin = performance.now()
  let last = begin
  let prepared = 0
  const results = await Promise.allSettled(
    Array.from({ length: count }, async () => {
      const asked = performance.now()
      const { firstOutput, start } = await subject.once()
      if (start === 'prepared') prepared += 1
      last = Math.max(last, asked + firstOutput)
    }),
  )
  const failed = results.filter(result => result.status === 'rejected')
  const reason = failed[0] === undefined ? undefined : String(failed[0].reason)
  return { count, rate: ((count - failed.length) * 1000) / (last - begin), failures: failed.length, prepared, reason }
}
