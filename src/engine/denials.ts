/** Attempts of instances to reach what is closed to them: counted by the backend, written into the record as they come. */
import { messageOf } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { dayfly } from '../model/event.ts'
import type { Backend, Denied } from './backend.ts'
import type { Lifecycle } from './lifecycle.ts'

export interface Denials {
  /** Writes what has come since the last look. Never rejects. */
  look(environment: string): Promise<void>
  forget(environment: string): void
}

/** Events of one look, at most: who tries everything is told in one. */
const mostEvents = 20

const keyOf = ({ instance, destination, port, protocol }: Denied): string => `${instance} ${protocol} ${destination} ${port}`

export const createDenials = (backend: Backend, lifecycle: Lifecycle, log: Log): Denials => {
  const told = new Map<string, Map<string, number>>()

  return {
    look: async environment => {
      try {
        const before = told.get(environment) ?? new Map<string, number>()
        const found = await backend.denied(environment)
        const news = found.flatMap(denied => {
          // A daemon counts from where it began; less than before is a new beginning.
          const known = before.get(keyOf(denied)) ?? 0
          const more = denied.count < known ? denied.count : denied.count - known
          return more > 0 ? [{ denied, more }] : []
        })
        told.set(environment, new Map(found.map(denied => [keyOf(denied), denied.count])))
        for (const { denied, more } of news.slice(0, mostEvents)) {
          const { instance, destination, port, protocol } = denied
          const reason = `${destination}${port === undefined ? '' : `:${port}`} is closed to it`
          const data = { destination, protocol, count: more, ...(port === undefined ? {} : { port }) }
          lifecycle.noteEventually({ environment, instance, type: 'egress.denied', actor: dayfly, reason, data })
        }
        const rest = news.slice(mostEvents)
        if (rest.length === 0) return
        const count = rest.reduce((sum, { more }) => sum + more, 0)
        const data = { destinations: rest.length, count }
        lifecycle.noteEventually({
          environment,
          instance: undefined,
          type: 'egress.denied',
          actor: dayfly,
          reason: `${rest.length} more are closed`,
          data,
        })
      } catch (error) {
        log.debug('what was denied could not be read; it is counted on', { environment, error: messageOf(error) })
      }
    },
    forget: environment => void told.delete(environment),
  }
}
