/** All targets of the settings in force. */
import { readdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { DayflyError, errnoOf, messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Courier, CourierState } from './courier.ts'
import { createCourier } from './courier.ts'
import type { Delivery } from './history.ts'
import type { Notice } from './notice.ts'
import type { SendContext } from './send.ts'
import { send } from './send.ts'
import type { Target } from './targets.ts'

export interface TestResult {
  readonly name: string
  readonly type: Target['type']
  /** Why it did not arrive. */
  readonly failure: string | undefined
}

export interface Notifier extends AsyncDisposable {
  /** To the targets of these names, or to all. Never throws, never waits. */
  tell(notice: Notice, names: 'all' | readonly string[]): void
  /** Sends it now, past all queues, and says how that came out. Throws `not_found` for a name that is not there. */
  test(notice: Notice, names: readonly string[], signal: AbortSignal): Promise<TestResult[]>
  state(): CourierState[]
  /** What was delivered or given up, of one target or of all, the oldest of each first. Throws `not_found` for a name that is not there. */
  deliveries(target: string | undefined): Promise<(Delivery & { readonly target: string })[]>
  /** Sends again what has this id, or was sent at or after `since`. How many. Throws `not_found` where there is none of that id. */
  replay(wanted: Wanted): Promise<number>
}

export interface Wanted {
  readonly target?: string | undefined
  readonly id?: string | undefined
  /** Wall ms. */
  readonly since?: number | undefined
}

export interface NotifierOptions {
  /** Holds a folder for each target; made when it is missing. */
  readonly folder: string
  /** In force now: another list when they have changed. */
  readonly targets: () => readonly Target[]
  readonly context: SendContext
  readonly log: Log
}

/** ms between two looks at whether the targets have changed, beside those that each notice takes. */
const interval = 5000

const namesIn = (folder: string): string[] => {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
}

export const createNotifier = ({ folder, targets, context, log }: NotifierOptions): Notifier => {
  const couriers = new Map<string, { readonly target: Target; readonly courier: Courier }>()
  const closing = new Set<Promise<void>>()
  let seen: readonly Target[] | undefined
  let closed = false

  const end = (name: string, after: () => Promise<void>): void => {
    const gone = couriers.get(name)?.courier
    couriers.delete(name)
    const work = (async (): Promise<void> => {
      await gone?.[Symbol.asyncDispose]()
      await after()
    })()
      .catch((error: unknown) => log.error('what waited for a target could not be removed', { target: name, error: messageOf(error) }))
      .finally(() => closing.delete(work))
    closing.add(work)
  }

  const look = (): void => {
    const now = targets()
    if (now === seen || closed || closing.size > 0) return
    for (const [name, { target }] of couriers) {
      const next = now.find(other => other.name === name)
      if (next === undefined || !isDeepStrictEqual(next, target)) end(name, async () => {})
    }
    // One that is changed goes on with what waits, as soon as its predecessor has let go of that.
    if (closing.size > 0) return void Promise.allSettled([...closing]).then(look)
    seen = now
    for (const name of namesIn(folder)) {
      // What waits for somebody who is to be told nothing more is nobody's.
      if (!now.some(target => target.name === name)) end(name, () => rm(join(folder, name), { recursive: true, force: true }))
    }
    for (const target of now) {
      if (couriers.has(target.name)) continue
      try {
        couriers.set(target.name, { target, courier: createCourier({ folder, target, context, log }) })
      } catch (error) {
        seen = undefined
        log.error('nothing can be kept for a target; it is tried again', { target: target.name, error: messageOf(error) })
      }
    }
  }
  const among = (target: string | undefined): [string, Courier][] => {
    const found = [...couriers].filter(([name]) => target === undefined || name === target)
    if (target === undefined || found.length > 0) return found.map(([name, { courier }]) => [name, courier])
    throw new DayflyError('not_found', `there is no target ${target}`, { field: 'target', remedy: 'dayfly notify status lists them.' })
  }

  look()
  const timer = setInterval(look, interval)
  timer.unref()

  return {
    tell: (notice, names) => {
      const give = (): void => {
        look()
        for (const [name, { courier }] of couriers) if (names === 'all' || names.includes(name)) courier.tell(notice)
      }
      look()
      // One that is changed just now is told when it is there again.
      if (closing.size > 0) void Promise.allSettled([...closing]).then(give)
      else give()
    },
    test: async (notice, names, signal) => {
      const all = targets()
      const stranger = names.find(name => !all.some(target => target.name === name))
      if (stranger !== undefined || all.length === 0) {
        throw new DayflyError('not_found', stranger === undefined ? 'there is no target' : `there is no target ${stranger}`, {
          field: 'target',
          remedy:
            all.length === 0
              ? 'Describe one in spec.notify of the DetectionSettings: docs/responses.md.'
              : `There are: ${all.map(({ name }) => name).join(', ')}.`,
        })
      }
      return await Promise.all(
        all
          .filter(({ name }) => names.length === 0 || names.includes(name))
          .map(async (target): Promise<TestResult> => {
            const { name, type } = target
            try {
              await send(target, [notice], context, signal)
              return { name, type, failure: undefined }
            } catch (error) {
              return { name, type, failure: messageOf(error) }
            }
          }),
      )
    },
    state: () => [...couriers.values()].map(({ courier }) => courier.state()),
    deliveries: async target =>
      (
        await Promise.all(among(target).map(async ([name, courier]) => (await courier.deliveries()).map(delivery => ({ ...delivery, target: name }))))
      ).flat(),
    replay: async ({ target, id, since = 0 }) => {
      let count = 0
      for (const [, courier] of among(target)) {
        const found = (await courier.deliveries()).filter(({ at, notice }) => at >= since && (id === undefined || notice.id === id))
        // What was sent more than once is sent once.
        count += await courier.replay([...new Map(found.map(delivery => [delivery.notice.id, delivery])).values()])
      }
      if (count > 0 || id === undefined) return count
      throw new DayflyError('not_found', `there is no delivery ${id}`, { field: 'id', remedy: 'dayfly notify deliveries lists what is kept.' })
    },
    [Symbol.asyncDispose]: async () => {
      closed = true
      clearInterval(timer)
      for (const name of [...couriers.keys()]) end(name, async () => {})
      await Promise.allSettled([...closing])
    },
  }
}
