/**
 * Who may call what. A route that is not in this matrix cannot be served: `createApi` refuses to start, and the tests fail.
 *
 * There is one role. `owner`: whoever can open the daemon's socket, which its file mode decides. It may do everything that Dayfly can, and so
 * as much as root of this host. A listener with tokens is to add narrower ones, and has to be entered here route by route.
 */
export type Role = 'owner'

export const authorization: Readonly<Record<string, readonly Role[]>> = {
  'POST /v1/environments': ['owner'],
  'GET /v1/environments': ['owner'],
  'GET /v1/environments/:ref': ['owner'],
  'DELETE /v1/environments/:ref': ['owner'],
  'POST /v1/environments/:ref/extend': ['owner'],
  'POST /v1/environments/up': ['owner'],
  'POST /v1/environments/diff': ['owner'],
  'GET /v1/environments/:ref/access': ['owner'],
  'GET /v1/environments/:ref/workloads': ['owner'],
  'GET /v1/environments/:ref/workloads/:workload/exit': ['owner'],
  'POST /v1/environments/:ref/pause': ['owner'],
  'POST /v1/environments/:ref/resume': ['owner'],
  'GET /v1/instances': ['owner'],
  'GET /v1/instances/:ref': ['owner'],
  'GET /v1/instances/:ref/logs': ['owner'],
  'GET /v1/instances/:ref/wait': ['owner'],
  'POST /v1/instances/:ref/stop': ['owner'],
  'POST /v1/instances/:ref/kill': ['owner'],
  'POST /v1/instances/:ref/exec': ['owner'],
  'POST /v1/instances/:ref/attach': ['owner'],
  'GET /v1/events': ['owner'],
  'GET /v1/images': ['owner'],
  'GET /v1/images/:name': ['owner'],
  'DELETE /v1/images/:name': ['owner'],
  'POST /v1/images/pull': ['owner'],
  'POST /v1/images/import': ['owner'],
  'POST /v1/images/build': ['owner'],
  'POST /v1/images/gc': ['owner'],
  'POST /v1/images/scan': ['owner'],
  'GET /v1/vulnerabilities': ['owner'],
  'POST /v1/vulnerabilities/update': ['owner'],
  'GET /v1/who': ['owner'],
  'GET /v1/environments/:ref/verify': ['owner'],
  'GET /v1/environments/:ref/export': ['owner'],
  'GET /v1/environments/:ref/report': ['owner'],
  'GET /v1/record/keys': ['owner'],
  'GET /v1/cost': ['owner'],
  'GET /v1/doctor': ['owner'],
  'GET /v1/doctor/leaks': ['owner'],
  'GET /v1/version': ['owner'],
  'GET /v1/openapi.json': ['owner'],
}
