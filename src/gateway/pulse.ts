/** The clock of the data plane. It beats every 100 ms while anything goes on, and rests otherwise. */
import type { Report, TargetReport } from './gateway.ts'
import type { AccessLog } from './tally.ts'
import type { Target } from './target.ts'

const interval = 100
/** Beats between two looks at the clocks of what is in flight. */
const check = 10

export class Pulse implements Disposable {
  /** performance.now() of the last beat. */
  now = performance.now()
  readonly #access: AccessLog
  readonly #onReport: (report: Report) => void
  readonly #targets = new Set<Target>()
  /** What was told last of who is there: nothing is told twice. */
  readonly #told = new WeakMap<Target, string>()
  #timer: NodeJS.Timeout | undefined
  #beats = 0

  constructor(access: AccessLog, onReport: (report: Report) => void) {
    this.#access = access
    this.#onReport = onReport
  }

  /** Something goes on at this target: it is looked after until nothing does. */
  touch(target: Target): void {
    if (!target.touched) {
      target.touched = true
      this.#targets.add(target)
    }
    if (this.#timer !== undefined) return
    this.now = performance.now()
    this.#timer = setInterval(() => this.beat(), interval)
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** Reports what there is to tell. */
  beat(): void {
    this.now = performance.now()
    const checks = ++this.#beats % check === 0
    const reports: TargetReport[] = []
    for (const target of this.#targets) {
      if (target.waiting > 0) target.sweep(this.now)
      if (checks) target.check(this.now)
      const report = target.report()
      const { inFlight, waiting } = report
      const there = `${inFlight} ${waiting} ${JSON.stringify(report.instances)}`
      if (report.active || report.finished > 0 || there !== this.#told.get(target)) reports.push(report)
      this.#told.set(target, there)
      if (inFlight > 0 || waiting > 0) continue
      this.#targets.delete(target)
      target.touched = false
    }
    const taken = this.#access.take()
    if (reports.length > 0 || taken.access.length > 0 || Object.keys(taken.accessDropped).length > 0)
      this.#onReport({ time: Date.now(), targets: reports, ...taken })
    if (this.#targets.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
