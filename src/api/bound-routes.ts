/** The routes of each principal: made with the services as it sees them, so that no route can reach beyond. Kept for those who asked last. */
import type { Principal } from '../model/principal.ts'
import type { Route } from './route.ts'
import { routeKey } from './route.ts'
import { apiRoutes } from './routes/all.ts'
import type { Services } from './services.ts'
import { servicesFor } from './visible.ts'

/** Some hundred kilobytes each. */
const most = 64

const keyOf = ({ kind, name, teams }: Principal): string => JSON.stringify([kind, name, teams])

/** The route of that key. All principals have the same ones. */
export const createBoundRoutes = (services: Services): ((principal: Principal, key: string) => Route | undefined) => {
  const kept = new Map<string, ReadonlyMap<string, Route>>()
  return (principal, key) => {
    // Every owner sees the same.
    const view = principal.kind === 'owner' ? 'owner' : keyOf(principal)
    const routes =
      kept.get(view) ?? new Map(apiRoutes(servicesFor(services, principal), services.about.version).map(route => [routeKey(route), route]))
    kept.delete(view)
    kept.set(view, routes)
    if (kept.size > most) for (const oldest of kept.keys().take(kept.size - most)) kept.delete(oldest)
    return routes.get(key)
  }
}
