/** What the store says against what the backend sees: the truth is with the backend, the history with the store. */
import type { Clock } from '../base/clock.ts'
import { dayfly } from '../model/event.ts'
import type { Instance, InstanceState } from '../model/instance.ts'
import { isLive } from '../model/instance.ts'
import type { Observed } from './backend.ts'
import type { Lifecycle } from './lifecycle.ts'
import { describeExit } from './outcomes.ts'

export type Verdict = 'running' | 'exited' | 'failed' | 'lost'

/**
 * What became of an instance that was live when it was last written. `created` is written before the start is asked for: an instance written as `pending`
 * was certainly not started; one written as `created` may have been, when its monitor is gone or the host was restarted since.
 */
export const verdictOf = (written: InstanceState, seen: Observed | undefined, rebooted: boolean): Verdict => {
  if (seen?.state === 'running') return 'running'
  if (seen?.state === 'exited' && seen.exit) return 'exited'
  if (written === 'running') return 'lost'
  return written === 'created' && (seen?.state === 'gone' || rebooted) ? 'lost' : 'failed'
}

const reasons: Readonly<Record<Verdict, string>> = {
  running: 'found running',
  exited: 'found exited',
  failed: 'it was never started',
  lost: 'its exit status cannot be known: nothing of it was found',
}

/**
 * Writes the verdict about a live instance, by the way the diagram allows. Within a transaction of the caller. `excused`: that it never ran is not its own fault
 * and says nothing about its place.
 */
export const settle = (
  lifecycle: Lifecycle,
  clock: Clock,
  instance: Instance,
  seen: Observed | undefined,
  because: string,
  rebooted = false,
  excused = false,
): Verdict => {
  const verdict = verdictOf(instance.state, seen, rebooted)
  if (!isLive(instance.state)) return verdict
  const why = { actor: dayfly, reason: `${reasons[verdict]}; ${because}` }
  const move = (to: InstanceState, change: Parameters<Lifecycle['moveInstance']>[3] = {}): void => {
    lifecycle.moveInstance(instance.id, to, why, change)
  }
  if (verdict === 'failed') {
    move('failed', excused ? { wish: 'retired' } : {})
    return verdict
  }
  if (instance.state === 'pending') move('created', { pid: seen?.pid })
  if (instance.state !== 'running') move('running', { pid: seen?.pid, startedAt: clock.wall() })
  if (verdict === 'lost') move('lost')
  if (verdict === 'exited' && seen?.exit) {
    lifecycle.moveInstance(instance.id, 'exited', { ...why, reason: `${describeExit(seen.exit)}; ${why.reason}` }, { exit: seen.exit })
  }
  return verdict
}
