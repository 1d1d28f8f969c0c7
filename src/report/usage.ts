/** What an instance used, from its samples. */
import type { Sample } from '../model/activity.ts'
import type { InstanceUsage } from '../model/usage.ts'

const GiB = 1024 ** 3
/** Between two samples: less than this part of a core, and fewer bytes a second that came in, is nothing. */
export const idleCore = 0.01
export const idleBytes = 1024

/** What has been seen of one instance. Its size does not grow with the samples. */
export interface UsageMeter {
  /** In the order of their times; one that is not later than the last counts only for what it says of sums. */
  see(sample: Sample): void
  /** undefined before the first sample. */
  total(): InstanceUsage | undefined
  readonly last: Sample | undefined
}

export const createUsageMeter = (): UsageMeter => {
  let first: Sample | undefined
  let last: Sample | undefined
  let samples = 0
  let cpu = 0
  let sent = 0
  let received = 0
  let peak = 0
  let integral = 0
  let idle = 0
  let idleIntegral = 0

  return {
    see: sample => {
      samples++
      if (last !== undefined && sample.time > last.time) {
        const seconds = (sample.time - last.time) / 1000
        const held = ((last.memory + sample.memory) / 2 / GiB) * seconds
        integral += held
        const cores = (sample.cpu - last.cpu) / 1e6 / seconds
        const came = ((sample.received ?? received) - received) / seconds
        if (cores < idleCore && came < idleBytes) {
          idle += sample.time - last.time
          idleIntegral += held
        }
      }
      // Counters of the host only grow; one that cannot be read at the end says 0.
      cpu = Math.max(cpu, sample.cpu)
      sent = Math.max(sent, sample.sent ?? 0)
      received = Math.max(received, sample.received ?? 0)
      peak = Math.max(peak, sample.memory, sample.memoryPeak ?? 0)
      first ??= sample
      if (last === undefined || sample.time >= last.time) last = sample
    },
    total: () =>
      first === undefined || last === undefined
        ? undefined
        : {
            cpuSeconds: cpu / 1e6,
            memoryGiBSeconds: integral,
            ...{ peak, sent, received, samples, idle },
            lifetime: Math.max(0, last.time - first.time),
            idleGiBSeconds: idleIntegral,
          },
    get last() {
      return last
    },
  }
}
