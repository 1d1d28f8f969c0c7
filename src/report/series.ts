/** Samples of an instance as a few points. */
import type { Sample } from '../model/activity.ts'

type Point = [time: number, cores: number, memory: number]

/** At most `most` points: of each of as many equal spans the cores that were used, and the most memory that was held. */
export const seriesOf = (samples: readonly Sample[], most: number): Point[] => {
  const [first] = samples
  const last = samples.at(-1)
  if (first === undefined || last === undefined) return []
  const span = Math.max(1, (last.time - first.time) / most)
  const points: Point[] = []
  let at = 0
  let from = first
  let memory = 0
  for (const [index, sample] of samples.entries()) {
    memory = Math.max(memory, sample.memory)
    const end = first.time + span * (at + 1)
    const next = samples[index + 1]
    if (next !== undefined && next.time <= end) continue
    const seconds = (sample.time - from.time) / 1000
    const cores = seconds > 0 ? Math.max(0, (sample.cpu - from.cpu) / 1e6 / seconds) : 0
    points.push([sample.time, cores, memory])
    from = sample
    memory = 0
    if (next !== undefined) at = Math.max(at + 1, Math.floor((next.time - first.time) / span))
  }
  return points.slice(-most - 1)
}
