/**
 * Who may call what. A route that is not in this matrix cannot be served: `createApi` refuses to start, and the tests fail. The owner, who has opened the
 * daemon's own socket, may call everything.
 *
 * `reach`: `team`: the route sees what is of the caller's teams only; what is of others is to it what does not exist (visible.ts sees to that, not the
 * route). `host`: about the machine, or what all teams share. `self`: about the caller. `open`: without any credentials; it gives them.
 */
import type { Principal, Role } from '../model/principal.ts'
import { Role as Roles } from '../model/principal.ts'

export type Reach = 'team' | 'host' | 'self' | 'open'

export interface Access {
  readonly roles: readonly Role[]
  readonly reach: Reach
}

const everybody = Roles.options
const reads: Access = { roles: everybody, reach: 'team' }
const changes: Access = { roles: ['developer', 'operator', 'admin'], reach: 'team' }
const investigates: Access = { roles: ['security', 'admin'], reach: 'team' }
const known: Access = { roles: everybody, reach: 'host' }
const machine: Access = { roles: ['operator', 'security', 'admin'], reach: 'host' }
const operates: Access = { roles: ['operator', 'admin'], reach: 'host' }
const administers: Access = { roles: ['admin'], reach: 'host' }
const secures: Access = { roles: ['security', 'admin'], reach: 'host' }
/** What would make somebody root of this host, or let them sign as it: not over the network. */
const ownerOnly: Access = { roles: [], reach: 'host' }
/** What a start would do anyway: whoever may start may do it. */
const prepares: Access = { roles: ['developer', 'operator', 'admin'], reach: 'host' }
/** What everybody but a viewer has a reason to ask of an image by name. */
const examines: Access = { roles: ['developer', 'operator', 'security', 'admin'], reach: 'host' }

export const authorization: Readonly<Record<string, Access>> = {
  'POST /v1/environments': changes,
  'GET /v1/environments': reads,
  'GET /v1/environments/:ref': reads,
  'DELETE /v1/environments/:ref': changes,
  'POST /v1/environments/:ref/extend': changes,
  'POST /v1/environments/up': changes,
  'POST /v1/environments/diff': changes,
  'GET /v1/environments/:ref/access': reads,
  'GET /v1/environments/:ref/workloads': reads,
  'GET /v1/environments/:ref/workloads/:workload/exit': reads,
  'POST /v1/environments/:ref/pause': changes,
  'POST /v1/environments/:ref/resume': changes,
  'GET /v1/instances': reads,
  'GET /v1/instances/:ref': reads,
  'GET /v1/instances/:ref/logs': reads,
  'GET /v1/instances/:ref/wait': reads,
  'POST /v1/instances/:ref/stop': changes,
  'POST /v1/instances/:ref/kill': changes,
  'POST /v1/instances/:ref/exec': changes,
  'POST /v1/instances/:ref/attach': changes,
  'GET /v1/instances/:ref/terminal': changes,
  'GET /v1/instances/:ref/files': changes,
  'POST /v1/instances/:ref/files': changes,
  'DELETE /v1/instances/:ref/files': changes,
  'GET /v1/instances/:ref/files/stat': changes,
  'GET /v1/instances/:ref/files/list': changes,
  'POST /v1/instances/:ref/files/folder': changes,
  'POST /v1/instances/:ref/files/rename': changes,
  'GET /v1/instances/:ref/files/watch': changes,
  'GET /v1/events': reads,
  'GET /v1/activity': reads,
  'GET /v1/images': machine,
  'GET /v1/images/:name': machine,
  'DELETE /v1/images/:name': operates,
  'POST /v1/images/pull': prepares,
  'POST /v1/images/import': operates,
  'POST /v1/images/build': operates,
  'POST /v1/images/gc': operates,
  'POST /v1/images/scan': examines,
  'GET /v1/vulnerabilities': machine,
  'POST /v1/vulnerabilities/update': { roles: ['operator', 'security', 'admin'], reach: 'host' },
  'GET /v1/who': { roles: ['developer', 'operator', 'security', 'admin'], reach: 'team' },
  'GET /v1/environments/:ref/verify': investigates,
  'GET /v1/environments/:ref/export': investigates,
  'GET /v1/environments/:ref/report': reads,
  'GET /v1/environments/:ref/report/page': reads,
  'GET /v1/record/keys': known,
  'GET /v1/cost': reads,
  'GET /v1/findings': reads,
  'GET /v1/detections': reads,
  'GET /v1/detections/:id': reads,
  'GET /v1/inventory': reads,
  'GET /v1/inventory/:digest': reads,
  'GET /v1/policies': machine,
  'GET /v1/rules': machine,
  'GET /v1/exemptions': machine,
  'POST /v1/playground/policy': examines,
  'POST /v1/playground/rule': { roles: ['developer', 'operator', 'security', 'admin'], reach: 'team' },
  'GET /v1/host': machine,
  'GET /v1/blocked-images': machine,
  'POST /v1/blocked-images': secures,
  'DELETE /v1/blocked-images/:digest': secures,
  'GET /v1/environments/:ref/evidence': investigates,
  'GET /v1/environments/:ref/evidence/:take/:file': investigates,
  'GET /v1/notify': machine,
  'POST /v1/notify/test': secures,
  'GET /v1/notify/deliveries': machine,
  'POST /v1/notify/replay': secures,
  'GET /metrics': machine,
  'POST /v1/backup': ownerOnly,
  'GET /v1/doctor': machine,
  'GET /v1/doctor/leaks': machine,
  'GET /v1/whoami': { roles: everybody, reach: 'self' },
  'GET /v1/tokens': administers,
  'POST /v1/tokens': administers,
  'DELETE /v1/tokens/:id': administers,
  'POST /v1/tokens/:id/rotate': administers,
  'POST /v1/session/code': { roles: everybody, reach: 'self' },
  'POST /v1/session': { roles: everybody, reach: 'open' },
  'DELETE /v1/session': { roles: everybody, reach: 'self' },
  'GET /v1/audit': secures,
  'GET /v1/version': known,
  'GET /v1/openapi.json': known,
  'GET /v1/docs': known,
}

export const mayCall = ({ role }: Pick<Principal, 'role'>, { roles, reach }: Access): boolean =>
  role === 'owner' || reach === 'open' || roles.includes(role)
