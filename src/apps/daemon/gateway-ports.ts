/** The ports of this host that lead into environments: the same after a restart of the daemon, where they are free. */
import { z } from 'zod'
import { DayflyError } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { Store } from '../../engine/store.ts'
import { createGateway } from '../../gateway/create.ts'
import type { Gateway, GatewayOptions } from '../../gateway/gateway.ts'
import type { GatewayPlace } from './options.ts'

const usualPort = 7878
const factName = 'gateway.ports'
const Port = z.int().min(1).max(65_535)
const Remembered = z.object({ http: Port.optional(), forwards: z.record(z.string(), Port) })

export interface GatewayPorts {
  /** Where it listened last, else at the usual port, else at any free one; or where the operator says. */
  open(place: GatewayPlace, hooks: Pick<GatewayOptions, 'onWake' | 'onReport' | 'log'>): Promise<Gateway>
  /** Of a forward whose port nobody has chosen; undefined when it never had one. */
  forward(id: string): number | undefined
  remember(id: string, port: number): void
  /** Forgets the forwards that are not `kept`. */
  forget(kept: (id: string) => boolean): void
}

const isTaken = (error: unknown): boolean => error instanceof DayflyError && error.code === 'conflict'

/** What cannot be written is remembered by this daemon only. */
export const createGatewayPorts = (store: Pick<Store, 'fact' | 'setFact'>, log: Log): GatewayPorts => {
  const read = (): z.infer<typeof Remembered> => {
    try {
      return Remembered.parse(JSON.parse(store.fact(factName) ?? '{"forwards":{}}'))
    } catch (error) {
      log.warn('the ports of the gateway are forgotten: what was written of them cannot be read', { error })
      return { forwards: {} }
    }
  }
  let known: z.infer<typeof Remembered> | undefined
  const now = (): z.infer<typeof Remembered> => {
    known ??= read()
    return known
  }
  const put = (next: z.infer<typeof Remembered>): void => {
    known = next
    try {
      store.setFact(factName, JSON.stringify(next))
    } catch (error) {
      log.warn('the ports of the gateway could not be written: they may be others after a restart', { error })
    }
  }

  return {
    open: async ({ listen, ...place }, hooks) => {
      if (listen) return await createGateway({ ...place, ...hooks, listen })
      const last = now().http
      const at = async (ports: readonly number[]): Promise<Gateway> => {
        const [port = 0, ...others] = ports
        try {
          return await createGateway({ ...place, ...hooks, listen: { host: '127.0.0.1', port } })
        } catch (error) {
          if (port === 0 || !isTaken(error)) throw error
          return await at(others)
        }
      }
      const made = await at([...(last === undefined ? [] : [last]), usualPort])
      if (made.port !== last) put({ ...now(), http: made.port })
      return made
    },
    forward: id => now().forwards[id],
    remember: (id, port) => {
      if (now().forwards[id] !== port) put({ ...now(), forwards: { ...now().forwards, [id]: port } })
    },
    forget: kept => {
      const forwards = Object.fromEntries(Object.entries(now().forwards).filter(([id]) => kept(id)))
      if (Object.keys(forwards).length < Object.keys(now().forwards).length) put({ ...now(), forwards })
    },
  }
}
