/** What happened, until the next report takes it. */
import type { AccessEntry } from '../model/access.ts'
import type { Report, TargetReport } from './gateway.ts'
import { durationBounds } from './gateway.ts'

/** Of one target. */
export class Counters {
  started = 0
  finished = 0
  /** Requests whose answer has not begun. */
  unanswered = 0
  bytesIn = 0
  bytesOut = 0
  #statuses = new Map<number, number>()
  #durations: number[] = durationBounds.map(() => 0).concat(0)
  #took: number[] = durationBounds.map(() => 0).concat(0)

  /** status 0: it has none. duration in ms. */
  finish(status: number, duration: number): void {
    this.finished++
    if (status !== 0) this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1)
    let bucket = 0
    while (duration > (durationBounds[bucket] ?? Number.POSITIVE_INFINITY)) bucket++
    this.#durations[bucket] = (this.#durations[bucket] ?? 0) + 1
    this.#took[bucket] = (this.#took[bucket] ?? 0) + duration
  }

  /** What was counted, and begins again. */
  take(): Pick<TargetReport, 'started' | 'finished' | 'bytesIn' | 'bytesOut' | 'statuses' | 'durations' | 'took'> {
    const { started, finished, bytesIn, bytesOut } = this
    const counted = { started, finished, bytesIn, bytesOut, statuses: Object.fromEntries(this.#statuses) }
    const taken = { ...counted, durations: this.#durations, took: this.#took }
    this.started = this.finished = this.bytesIn = this.bytesOut = 0
    this.#statuses = new Map()
    this.#durations = durationBounds.map(() => 0).concat(0)
    this.#took = durationBounds.map(() => 0).concat(0)
    return taken
  }
}

/** At most `most` entries until they are taken; what finds no place is counted, for each environment. */
export class AccessLog {
  readonly #most: number
  #entries: AccessEntry[] = []
  #dropped: Record<string, number> = {}

  constructor(most: number) {
    this.#most = most
  }

  /** False when there is no place left: the entry need not even be made. */
  hasRoom(environment: string): boolean {
    if (this.#entries.length < this.#most) return true
    this.#dropped[environment] = (this.#dropped[environment] ?? 0) + 1
    return false
  }

  add(entry: AccessEntry): void {
    this.#entries.push(entry)
  }

  take(): Pick<Report, 'access' | 'accessDropped'> {
    const taken = { access: this.#entries, accessDropped: this.#dropped }
    this.#entries = []
    this.#dropped = {}
    return taken
  }
}
