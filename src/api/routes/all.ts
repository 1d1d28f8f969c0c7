import type { Route } from '../route.ts'
import type { Services } from '../services.ts'
import { accessRoutes } from './access.ts'
import { activityRoutes } from './activity.ts'
import { backupRoutes } from './backup.ts'
import { documentRoutes } from './documents.ts'
import { environmentRoutes } from './environments.ts'
import { eventRoutes } from './events.ts'
import { fileRoutes } from './files.ts'
import { findingRoutes } from './findings.ts'
import { hostRoutes } from './host.ts'
import { imageRoutes } from './images.ts'
import { instanceRoutes } from './instances.ts'
import { recordRoutes } from './records.ts'
import { responseRoutes } from './responses.ts'
import { ruleRoutes } from './rules.ts'
import { scanRoutes } from './scans.ts'
import { systemRoutes } from './system.ts'
import { workloadRoutes } from './workloads.ts'

/** Every route of this version. The services are looked at when a route is called, not before. */
export const apiRoutes = (services: Services, version: string): readonly Route[] => {
  const all: readonly Route[] = [
    ...environmentRoutes(services),
    ...workloadRoutes(services),
    ...instanceRoutes(services),
    ...fileRoutes(services),
    ...eventRoutes(services),
    ...activityRoutes(services),
    ...imageRoutes(services),
    ...scanRoutes(services),
    ...recordRoutes(services),
    ...responseRoutes(services),
    ...findingRoutes(services),
    ...ruleRoutes(services),
    ...hostRoutes(services),
    ...accessRoutes(services),
    ...backupRoutes(services),
    ...systemRoutes(services),
    ...documentRoutes(() => all, version),
  ]
  return all
}
