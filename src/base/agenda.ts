/**
 * Work to be done at times of the boot clock: a binary heap and one timer, however many entries. The timer only wakes it up; whether an
 * entry is due is decided by the clock, so a suspended machine or a stepped wall clock makes nothing early.
 */
import type { Clock } from './clock.ts'
import { disposable } from './dispose.ts'

export interface Agenda extends Disposable {
  /** Calls `work` soon after the boot clock has reached `boot` (ms), never before and never within this call. Disposing cancels it. Of a disposed agenda nothing comes. */
  at(boot: number, work: () => void): Disposable
  /** Does what is due now and says how many that were. The timer calls it; so do tests that move the clock by hand. */
  run(): number
  /** Boot time (ms) of the first entry; it may be one that was cancelled. */
  readonly next: number | undefined
}

interface Entry {
  readonly boot: number
  readonly work: () => void
  /** `queued`: in the heap. `cancelled`: in the heap still, but nothing is to be done. */
  state: 'queued' | 'cancelled' | 'due' | 'over'
}

/** A timer counts no suspended time, the boot clock does: look again at least this often (ms). */
const longestNap = 5_000

export const createAgenda = (clock: Clock): Agenda => {
  const heap: Entry[] = []
  let cancelled = 0
  let timer: NodeJS.Timeout | undefined
  let armedFor = Number.POSITIVE_INFINITY
  let closed = false

  const before = (left: number, right: number): boolean =>
    (heap[left]?.boot ?? Number.POSITIVE_INFINITY) < (heap[right]?.boot ?? Number.POSITIVE_INFINITY)
  const swap = (left: number, right: number): void => {
    const [a, b] = [heap[left], heap[right]]
    if (a && b) [heap[left], heap[right]] = [b, a]
  }
  const up = (start: number): void => {
    for (let at = start; at > 0; ) {
      const parent = (at - 1) >> 1
      if (!before(at, parent)) return
      swap(at, parent)
      at = parent
    }
  }
  const down = (start: number): void => {
    for (let at = start; ; ) {
      const left = 2 * at + 1
      const smallest = before(left + 1, left) ? left + 1 : left
      if (!before(smallest, at)) return
      swap(at, smallest)
      at = smallest
    }
  }
  const pop = (): Entry | undefined => {
    const first = heap[0]
    const last = heap.pop()
    if (last && heap.length > 0) {
      heap[0] = last
      down(0)
    }
    return first
  }

  const arm = (): void => {
    const next = heap[0]
    if (closed || !next) return
    if (timer && armedFor <= next.boot) return
    clearTimeout(timer)
    armedFor = next.boot
    timer = setTimeout(run, Math.min(Math.max(next.boot - clock.boot(), 1), longestNap))
    timer.unref()
  }

  /** Cancelled entries stay in the heap until their time; when they are the greater part of it, they are thrown out together. */
  const compact = (): void => {
    if (cancelled < 64 || cancelled * 2 < heap.length) return
    const kept = heap.filter(entry => entry.state === 'queued')
    heap.length = 0
    for (const entry of kept) up(heap.push(entry) - 1)
    cancelled = 0
  }

  const run = (): number => {
    clearTimeout(timer)
    timer = undefined
    armedFor = Number.POSITIVE_INFINITY
    const now = clock.boot()
    const due: Entry[] = []
    for (let next = heap[0]; next && (next.state === 'cancelled' || next.boot <= now); next = heap[0]) {
      pop()
      if (next.state === 'cancelled') cancelled--
      else due.push(next)
    }
    for (const entry of due) entry.state = 'due'
    let count = 0
    const errors: unknown[] = []
    for (const entry of due) {
      if (closed || entry.state !== 'due') continue
      entry.state = 'over'
      count++
      try {
        entry.work()
      } catch (error) {
        errors.push(error)
      }
    }
    arm()
    if (errors.length > 0) throw errors[0]
    return count
  }

  return {
    at: (boot, work) => {
      const entry: Entry = { boot, work, state: 'queued' }
      if (closed) return disposable(() => {})
      up(heap.push(entry) - 1)
      arm()
      return disposable(() => {
        if (entry.state === 'queued') {
          entry.state = 'cancelled'
          cancelled++
          compact()
        } else if (entry.state === 'due') entry.state = 'over'
      })
    },
    run,
    get next() {
      return heap[0]?.boot
    },
    [Symbol.dispose]: () => {
      closed = true
      clearTimeout(timer)
      heap.length = 0
    },
  }
}
