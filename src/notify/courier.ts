/** One target: what is told to it is kept, limited, and sent in order, again and again until it arrives or is too old. Nobody waits for it. */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { DeliveryError } from './delivery.ts'
import type { Delivery, HistoryLimits } from './history.ts'
import { openHistory } from './history.ts'
import type { Notice } from './notice.ts'
import { isUrgentEnough } from './notice.ts'
import type { QueueLimits } from './queue.ts'
import { openQueue } from './queue.ts'
import type { SendContext } from './send.ts'
import { batchOf, send } from './send.ts'
import type { Target } from './targets.ts'

export interface CourierState {
  readonly name: string
  readonly type: Target['type']
  readonly waiting: number
  /** Of the last attempt; undefined when it went well, or none was made. */
  readonly failure: string | undefined
  readonly delivered: number
  /** Not told: too many at once, no room, too old, or refused for what they say. */
  readonly lost: number
}

export interface Courier extends AsyncDisposable {
  tell(notice: Notice): void
  state(): CourierState
  /** What was delivered or given up, the oldest first. */
  deliveries(): Promise<Delivery[]>
  /** Sends them again, after what waits, however many there are at once. Resolves with how many there was room for. */
  replay(deliveries: readonly Delivery[]): Promise<number>
}

export interface CourierOptions {
  readonly folder: string
  readonly target: Target
  readonly context: SendContext
  readonly log: Log
  readonly limits?: QueueLimits
  /** Notices in any `per` ms. What is beyond is counted, and the next one says how many. */
  readonly rate?: { readonly count: number; readonly per: number }
  /** ms before the second attempt; then twice that, up to `longestPause`. */
  readonly pause?: number
  /** What is kept of what was sent. */
  readonly kept?: HistoryLimits
}

const standardKept: HistoryLimits = { deliveries: 1000, bytes: 16 * 1024 * 1024 }

const standardLimits: QueueLimits = { notices: 10_000, bytes: 64 * 1024 * 1024, age: 86_400_000 }
const standardRate = { count: 60, per: 60_000 }
const longestPause = 300_000
/** Those that are being written at once: more would fill the memory while the disk is slow. */
const mostBeingWritten = 1000

export const createCourier = ({
  folder,
  target,
  context,
  log,
  limits = standardLimits,
  rate = standardRate,
  pause = 1000,
  kept = standardKept,
}: CourierOptions): Courier => {
  const queue = openQueue(join(folder, target.name), limits)
  const history = openHistory(join(folder, target.name, 'sent'), kept)
  const closer = new AbortController()
  const writing = new Set<Promise<void>>()
  let last: Promise<void> = Promise.resolve()
  let wake = Promise.withResolvers<void>()
  /** What becomes of environments takes no room from detections. */
  const windows = { usual: { begin: Number.NEGATIVE_INFINITY, count: 0 }, lifecycle: { begin: Number.NEGATIVE_INFINITY, count: 0 } }
  let left = 0
  let lost = 0
  let delivered = 0
  let failure: string | undefined
  let summary: NodeJS.Timeout | undefined

  const keep = (notice: Notice): void => {
    // One after another: what came first is sent first.
    const work = last
      .then(() => queue.add(notice))
      .then(added => {
        if (!added) left++
        wake.resolve()
      })
      .catch((error: unknown) => {
        left++
        log.error('a notice could not be kept', { target: target.name, error: messageOf(error) })
      })
      .finally(() => writing.delete(work))
    last = work
    writing.add(work)
  }

  /** The last of a burst is told even when nothing follows it. */
  const summarize = (like: Notice): void => {
    summary ??= setTimeout(() => {
      summary = undefined
      if (left === 0 || closer.signal.aborted) return
      const count = left
      left = 0
      lost += count
      const text = `${count} more notices were left out: there were too many at once`
      const { environment: _e, environmentName: _n, instance: _i, workload: _w, image: _d, imageName: _m, owner: _o, rule: _r, ...rest } = like
      keep({
        ...rest,
        id: `${like.id}/left`,
        kind: 'summary',
        time: context.now(),
        text,
        tags: [],
        fields: {},
        measures: [],
        audit: false,
        left: count,
      })
    }, rate.per)
    summary.unref()
  }

  const tell = (notice: Notice): void => {
    if (closer.signal.aborted || !isUrgentEnough(notice.priority, target.minimumPriority)) return
    const now = context.now()
    const window = notice.kind === 'lifecycle' ? windows.lifecycle : windows.usual
    // A clock that was set back begins a new one, too.
    if (now - window.begin >= rate.per || now < window.begin) Object.assign(window, { begin: now, count: 0 })
    if (window.count >= rate.count || writing.size >= mostBeingWritten) {
      left++
      summarize(notice)
      return
    }
    window.count++
    const before = left
    left = 0
    lost += before
    keep({ ...notice, left: notice.left + before })
  }

  /** That it cannot be kept is no reason to send it twice. */
  const remember = async (notices: readonly Notice[], outcome: Delivery['outcome'], why?: string): Promise<void> => {
    try {
      for (const notice of notices) await history.add({ at: context.now(), outcome, notice, ...(why === undefined ? {} : { failure: why }) })
    } catch (error) {
      log.warn('it could not be kept what was sent', { target: target.name, error: messageOf(error) })
    }
  }

  const deliver = async (): Promise<void> => {
    const signal = closer.signal
    for (let failures = 0; !signal.aborted; ) {
      const batch = await queue.take(batchOf(target), context.now())
      lost += queue.lost()
      if (batch.length === 0) {
        const { promise } = wake
        const nap = new AbortController()
        // What is too old goes even when nothing comes.
        await Promise.race([promise, sleep(3_600_000, undefined, { ref: false, signal: nap.signal }).catch(() => {})])
        nap.abort()
        wake = Promise.withResolvers<void>()
        if (queue.length > 0) wake.resolve()
        continue
      }
      const keys = batch.map(({ key }) => key)
      const notices = batch.map(({ notice }) => notice)
      try {
        await send(target, notices, context, signal)
        await remember(notices, 'delivered')
        await queue.done(keys)
        delivered += batch.length
        if (failure !== undefined) log.info('notices arrive again', { target: target.name })
        failure = undefined
        failures = 0
      } catch (error) {
        if (signal.aborted) return
        const why = messageOf(error)
        if (failure === undefined) log.warn('a notice could not be delivered; it is tried again', { target: target.name, error: why })
        failure = why
        if (error instanceof DeliveryError && error.hopeless) {
          log.error('notices are refused for what they say: they are given up', { target: target.name, error: why, count: batch.length })
          await remember(notices, 'refused', why)
          await queue.done(keys)
          lost += batch.length
          continue
        }
        // With jitter: not all daemons of a fleet are to come back at the same moment.
        const grown = Math.min(pause * 2 ** failures, longestPause)
        const asked = error instanceof DeliveryError ? error.after : undefined
        failures = Math.min(failures + 1, 30)
        await sleep(asked ?? grown * (0.5 + Math.random() / 2), undefined, { ref: false, signal }).catch(() => {})
      }
    }
  }
  const delivering = (async (): Promise<void> => {
    while (!closer.signal.aborted) {
      try {
        await deliver()
      } catch (error) {
        failure = messageOf(error)
        log.error('the queue of notices cannot be read; it is tried again', { target: target.name, error: failure })
        await sleep(Math.max(pause, 1000), undefined, { ref: false, signal: closer.signal }).catch(() => {})
      }
    }
  })()

  return {
    tell,
    deliveries: history.list,
    replay: async deliveries => {
      let count = 0
      // As of now: else it would be too old to be sent.
      for (const { notice } of deliveries) if (await queue.add(notice, true)) count++
      wake.resolve()
      return count
    },
    state: () => ({ name: target.name, type: target.type, waiting: queue.length + writing.size, failure, delivered, lost: lost + left }),
    [Symbol.asyncDispose]: async () => {
      closer.abort()
      clearTimeout(summary)
      wake.resolve()
      await Promise.allSettled([...writing])
      await delivering
    },
  }
}
