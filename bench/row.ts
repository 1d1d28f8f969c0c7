/** All that is measured of one subject. */
import { z } from 'zod'
import { atOnce, inARow } from './measure.ts'
import type { Absent, Subject } from './subject.ts'
import { isAbsent } from './subject.ts'

const Spread = z.object({ median: z.number(), p90: z.number() })

/** Times in ms, rates in starts per second, memory in bytes. */
export const Row = z.object({
  name: z.string(),
  note: z.string(),
  /** Why there are no numbers. */
  absent: z.string().optional(),
  inARow: z.object({ runs: z.int(), firstOutput: Spread, exit: Spread, prepared: z.int() }).optional(),
  atOnce: z.array(z.object({ count: z.int(), rate: z.number(), failures: z.int(), prepared: z.int(), reason: z.string().optional() })),
  idle: z.object({ count: z.int(), helpersEach: z.number() }).optional(),
})
export type Row = z.infer<typeof Row>

export interface Effort {
  readonly runs: number
  readonly counts: readonly number[]
  readonly idle: number
}

/** Measures it and disposes of it. A subject that fails becomes a row that says why. */
export const measureRow = async (made: Subject | Absent, effort: Effort): Promise<Row> => {
  if (isAbsent(made)) return { name: made.name, note: '', absent: made.absent, atOnce: [] }
  await using subject = made
  const { name, note } = subject
  console.error(`bench: ${name}`)
  const bursts: Row['atOnce'] = []
  try {
    const row = await inARow(subject, effort.runs)
    for (const count of effort.counts) {
      const { reason, ...burst } = await atOnce(subject, count)
      bursts.push(reason === undefined ? burst : { ...burst, reason })
    }
    const idle = subject.idle === undefined ? {} : { idle: await measureIdle(subject.idle, effort.idle) }
    return { name, note, inARow: row, atOnce: bursts, ...idle }
  } catch (error) {
    return { name, note, absent: `failed: ${error instanceof Error ? error.message : String(error)}`, atOnce: bursts }
  }
}

const measureIdle = async (start: NonNullable<Subject['idle']>, count: number): Promise<{ count: number; helpersEach: number }> => {
  await using idle = await start(count)
  return { count, helpersEach: idle.helpers / count }
}
