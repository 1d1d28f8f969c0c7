import { formatDuration } from '../base/durations.ts'
import type { EndCause } from '../model/environment.ts'
import { dayfly } from '../model/event.ts'
import type { Instance } from '../model/instance.ts'
import { isLive } from '../model/instance.ts'
import { endingOf } from './instances.ts'
import type { Lifecycle, Why } from './lifecycle.ts'
import { describeExit } from './outcomes.ts'
import type { Store } from './store.ts'
import { isSupervised } from './supervised.ts'

/** What an environment is there for: when these have ended, so does it. Services alone are there for themselves. */
const leading = new Set(['job', 'sandbox', 'agent'])

const outcomeOf = ({ workload, exit, reason }: Instance): string => `${workload}: ${exit ? describeExit(exit) : reason}`

/**
 * Moves a running environment to `ending` when what it is there for has ended. Called within the transaction that wrote the last end, so that no crash
 * comes between. `wish` says whether somebody asked for its end already, which could not be written then: theirs is the cause.
 */
export const completion =
  (store: Store, lifecycle: Lifecycle, wish: (id: string) => (Why & { readonly cause: EndCause }) | undefined) =>
  (id: string): void => {
    const environment = store.environment(id)
    if (environment?.state !== 'running' || isSupervised(environment.spec)) return
    const all = store.instances(id)
    const leaders = all.filter(instance => leading.has(endingOf(environment, instance).kind))
    const decisive = leaders.length > 0 ? leaders : all
    if (decisive.some(({ state }) => isLive(state))) return
    const outcome = decisive.map(outcomeOf).join(', ')
    const wished = wish(id)
    if (wished) {
      lifecycle.moveEnvironment(id, 'ending', wished, wished.cause)
    } else if (decisive.every(({ state }) => state === 'lost')) {
      lifecycle.moveEnvironment(id, 'ending', { actor: dayfly, reason: outcome }, 'lost')
    } else if (decisive.some(({ exit }) => exit?.cause === 'deadline')) {
      const ttl = formatDuration(environment.ttlDeadline - environment.createdBoot)
      lifecycle.moveEnvironment(id, 'ending', { actor: dayfly, reason: `its ttl is over (${ttl}); ${outcome}` }, 'ttl')
    } else {
      lifecycle.moveEnvironment(id, 'ending', { actor: { kind: 'instance', name: decisive.at(-1)?.id ?? id }, reason: outcome }, 'completed')
    }
  }
