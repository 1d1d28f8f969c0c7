import { openapiDocument } from '../openapi.ts'
import type { Route } from '../route.ts'
import type { Services } from '../services.ts'
import { activityRoutes } from './activity.ts'
import { environmentRoutes } from './environments.ts'
import { eventRoutes } from './events.ts'
import { imageRoutes } from './images.ts'
import { instanceRoutes } from './instances.ts'
import { recordRoutes } from './records.ts'
import { responseRoutes } from './responses.ts'
import { scanRoutes } from './scans.ts'
import { systemRoutes } from './system.ts'
import { workloadRoutes } from './workloads.ts'

/** Every route of this version. The services are looked at when a route is called, not before. */
export const apiRoutes = (services: Services, version: string): readonly Route[] => {
  const all: readonly Route[] = [
    ...environmentRoutes(services),
    ...workloadRoutes(services),
    ...instanceRoutes(services),
    ...eventRoutes(services),
    ...activityRoutes(services),
    ...imageRoutes(services),
    ...scanRoutes(services),
    ...recordRoutes(services),
    ...responseRoutes(services),
    ...systemRoutes(services, () => openapiDocument(all, version)),
  ]
  return all
}
