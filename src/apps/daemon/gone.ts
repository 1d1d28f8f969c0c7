/** Environments that have ended and were reached through the gateway: their names answer 410 with the end's reason, after a restart of the daemon too. */
import { z } from 'zod'
import type { Log } from '../../base/log.ts'
import type { Store } from '../../engine/store.ts'
import type { Route } from '../../gateway/gateway.ts'
import type { Environment } from '../../model/environment.ts'
import { namedExposures } from './host-names.ts'
import { routeId } from './routing.ts'

const factName = 'gateway.gone'
const Ids = z.array(z.string())

export interface Gone {
  /** It is ending: written before its end is, so that no crash forgets it. Resolves ids that are remembered no more: there are too many. */
  remember(environment: Environment): readonly string[]
  /** Those that have ended and whose record is kept, the oldest end first. */
  recall(): readonly Environment[]
}

/** `most`: how many are remembered. */
export const createGone = (store: Pick<Store, 'fact' | 'setFact' | 'environment'>, log: Log, most: number): Gone => {
  let known: readonly string[] | undefined
  const ids = (): readonly string[] => {
    try {
      known ??= Ids.parse(JSON.parse(store.fact(factName) ?? '[]'))
    } catch (error) {
      log.warn('the names of ended environments are forgotten: what was written of them cannot be read', { error })
    }
    known ??= []
    return known
  }
  const put = (next: readonly string[]): void => {
    known = next
    try {
      store.setFact(factName, JSON.stringify(next))
    } catch (error) {
      log.warn('the names of ended environments could not be written: a restart forgets them', { error })
    }
  }
  return {
    remember: ({ id }) => {
      if (ids().includes(id)) return []
      const all = [...ids(), id]
      put(all.slice(-most))
      return all.slice(0, -most)
    },
    recall: () => {
      const found = ids().flatMap(id => store.environment(id) ?? [])
      if (found.length < ids().length) put(found.map(({ id }) => id))
      return found.filter(({ state }) => state === 'ended').toSorted((left, right) => (left.endedAt ?? 0) - (right.endedAt ?? 0))
    },
  }
}

/** What its names answer from now on. */
export const goneRoutes = (environment: Environment, domains: readonly string[]): Route[] =>
  namedExposures(environment, domains).map(({ workload, exposure, hosts }) => ({
    ...{ id: routeId(environment.id, workload, exposure.port), environment: environment.id, workload, endpoints: [], hosts },
    gone: `The environment ${environment.spec.name} has ended: ${environment.reason}`,
  }))
