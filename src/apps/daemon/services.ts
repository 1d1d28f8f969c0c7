/** The daemon's parts in the words of the API. */
import { statSync } from 'node:fs'
import { userInfo } from 'node:os'
import type { Requester, Services } from '../../api/services.ts'
import type { Clock } from '../../base/clock.ts'
import { readVersion } from '../../base/version.ts'
import type { Engine } from '../../engine/engine.ts'
import { machinePlatform } from '../../host/image/manifest.ts'
import { grantableCapabilities } from '../../host/oci/capabilities.ts'
import type { Environment } from '../../model/environment.ts'
import { isLive } from '../../model/instance.ts'
import type { LogRecord } from '../../model/log.ts'
import { defaultTeam } from '../../model/principal.ts'
import { defaultPrices } from '../../model/usage.ts'
import { readAccessLog } from '../../store/access-lines.ts'
import { readLog } from '../../store/logs.ts'
import { matchingLines } from '../../store/matching-lines.ts'
import { takeBackup } from './backup/take.ts'
import { checkHost, checkSensor } from './check.ts'
import { exposedOf } from './exposed.ts'
import { createHostLook } from './host/create.ts'
import { vulnerabilitiesIn } from './judging.ts'
import { linePattern } from './log-pattern.ts'
import type { DaemonOptions } from './options.ts'
import type { Parts } from './parts.ts'
import { plan } from './plan.ts'
import { planUp } from './plan-up.ts'
import { createRecords } from './records.ts'
import { responseServices } from './responses.ts'
import { createScans, whoBy } from './scans.ts'
import { createSecurity } from './security/create.ts'
import { openSeeds } from './seeds.ts'
import { createVulnerabilityData } from './vulnerability-data.ts'

/** What the lease comes to if nothing happens. While a job runs, idleness does not end it. */
const expiry =
  (engine: Engine, clock: Clock): Services['expiry'] =>
  (environment: Environment) => {
    if (environment.state !== 'creating' && environment.state !== 'running') return undefined
    const busy = engine.instances(environment.id).some(({ state, workload }) => isLive(state) && environment.spec.workloads[workload]?.kind === 'job')
    const idleEnd = busy ? Number.POSITIVE_INFINITY : environment.lastActivity + environment.spec.lease.idle
    const end = Math.min(environment.ttlDeadline, idleEnd)
    return { at: clock.wall() + end - clock.boot(), by: end === environment.ttlDeadline ? 'ttl' : 'idle' }
  }

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0

const logs =
  (engine: Engine): Services['logs'] =>
  (instance, { follow, since, until, tail, grep, streams }, signal) => {
    const path = engine.logPath(instance)
    const fits = grep === undefined ? undefined : linePattern(grep)
    const from = tail === 0 ? sizeOf(path) : undefined
    const read = async function* (): AsyncGenerator<LogRecord> {
      const over = follow ? engine.wait(instance.id, signal) : undefined
      over?.catch(() => {}) // Its end is the reader's end, however it came.
      const options = {
        signal,
        ...(since === undefined ? {} : { since }),
        ...(until === undefined ? {} : { notAfter: until }),
        ...(tail === undefined ? {} : { tail }),
        ...(from === undefined ? {} : { from }),
        ...(over === undefined ? {} : { until: over }),
      }
      for await (const record of readLog(path, options)) if (streams.includes(record.stream)) yield record
    }
    return fits === undefined ? read() : matchingLines(read(), fits)
  }

const access =
  (engine: Engine): Services['access'] =>
  ({ id }, { follow, since, tail }, signal) => {
    const until = follow ? engine.ended(id, signal) : undefined
    until?.catch(() => {}) // Its end is the reader's end, however it came.
    return readAccessLog(engine.accessLogPath(id), { since, tail, signal, until })
  }

/** Machines of this host's kind; a variant is the image's own affair. */
const runs = (platform: string): boolean => {
  const [os = '', architecture = ''] = platform.split('/')
  const machine = machinePlatform()
  return os === machine.os && architecture === machine.architecture
}

export const createServices = (options: DaemonOptions, parts: Parts, clock: Clock): Services => {
  const { engine, images, backend, store, doors, judging, keeping, sensing, notifying, activitySearch, sources, sealing, telemetry, copyStore } =
    parts
  const owner = userInfo().username
  const planning = (by: Requester) => ({
    owner: by.owner,
    ...(by.team === defaultTeam ? {} : { team: by.team }),
    resolveImage: (...asked: Parameters<typeof images.resolve>) => telemetry.starts.image(() => images.resolve(...asked)),
    uidOf: images.uidOf,
    isTaken: (name: string) => store.environmentByName(name, by.team) !== undefined,
    capabilities: grantableCapabilities,
  })
  const local = (team: string | undefined): Requester => ({ owner, team: team ?? defaultTeam })
  return {
    about: {
      version: readVersion(),
      api: 'v1',
      backend: backend.name,
      node: process.version,
      pid: process.pid,
      startedAt: clock.wall(),
      stateDir: options.stateDir,
      runDir: options.runDir,
    },
    clock,
    owner,
    lifecycle: { ...engine, ...telemetry.starts.lifecycle(engine) },
    metrics: telemetry.metrics,
    backup: (evidence, signal) => takeBackup({ stateDir: options.stateDir, copyStore, now: clock.wall }, evidence, signal),
    images,
    scans: createScans({ images, match: judging.match, clock }),
    vulnerabilityData: createVulnerabilityData(vulnerabilitiesIn(options.stateDir), judging.vulnerabilities, clock, keeping.hurry),
    activity: activitySearch,
    records: createRecords({ ...sources, sealing, prices: options.prices ?? defaultPrices, flush: keeping.flush }),
    callers: parts.access.callers,
    responses: responseServices({ engine, images, notifying }),
    security: createSecurity(options, parts, clock),
    host: createHostLook({
      ...{ store, clock, stateDir: options.stateDir, runDir: options.runDir },
      match: (packages, distribution, signal) => judging.match({ packages, distribution, digest: '' }, [], signal),
    }),
    who: whoBy(store.inventory, keeping.flush),
    plan: (request, onProgress, signal, by = local(request.team)) => plan(planning(by), request, onProgress, signal),
    planUp: (request, onProgress, signal, by = local(request.team)) =>
      planUp({ ...planning(by), runs, domains: options.gateway.domains }, request, onProgress, signal),
    openSeeds,
    exposed: (environment, workload) => exposedOf(doors, environment, workload),
    expiry: expiry(engine, clock),
    logs: logs(engine),
    access: access(engine),
    doctor: async signal => [...(await checkHost(options.stateDir, signal)), ...(sensing?.checks() ?? [checkSensor()]), ...parts.access.checks()],
  }
}
