/** How many instances demand asks for: up at once, down when it has been low for a whole window. Pure but for what it remembers. */
import type { Scale } from '../model/deployment.ts'

export interface Load {
  /** Requests in flight and waiting, of the whole workload. */
  readonly requests: number
  /** Share of the CPU limit of one instance that all of them use, in per cent: 250 is two and a half instances at work. */
  readonly cpu: number
}

export interface Scaling {
  /** `now`: boot clock, ms. Tells what was seen, and hears how many instances there should be. */
  observe(load: Load, now: number): number
}

export const createScaling = (scale: Scale): Scaling => {
  /** What was wanted when, within the window; of equal or lower ones before a higher one nothing has to be known. */
  let peaks: { readonly at: number; readonly wanted: number }[] = []

  const wantedFor = ({ requests, cpu }: Load): number => {
    const { target } = scale
    if (!target) return scale.min
    return 'concurrency' in target ? Math.ceil(requests / target.concurrency) : Math.ceil(cpu / target.cpu)
  }

  return {
    observe: (load, now) => {
      const wanted = Math.min(scale.max, Math.max(scale.min, wantedFor(load)))
      peaks = peaks.filter(peak => peak.at > now - scale.window && peak.wanted > wanted)
      peaks.push({ at: now, wanted })
      return peaks[0]?.wanted ?? wanted
    },
  }
}
