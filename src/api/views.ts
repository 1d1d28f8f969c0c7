/** The model as clients see it: every field always there, null for what is not known, times of the wall clock only. */
import type { Environment } from '../model/environment.ts'
import type { Instance } from '../model/instance.ts'
import type { LogRecord } from '../model/log.ts'
import type { Principal } from '../model/principal.ts'
import { teamOf } from '../model/principal.ts'
import type { WhoamiView } from './schemas/access.ts'
import type { EnvironmentView, InstanceView, LogEntry, StartedView, WarningView } from './schemas/environments.ts'
import type { WorkloadView } from './schemas/workloads.ts'
import type { Services, Started, Warning, WorkloadStatus } from './services.ts'

export const whoamiView = ({ kind, name, role, teams }: Principal): WhoamiView => ({ kind, name, role, teams: teams === 'all' ? teams : [...teams] })

export const instanceView = (instance: Instance): InstanceView => ({
  id: instance.id,
  environment: instance.environment,
  workload: instance.workload,
  state: instance.state,
  reason: instance.reason,
  createdAt: instance.createdAt,
  startedAt: instance.startedAt ?? null,
  pid: instance.pid ?? null,
  start: instance.start ?? null,
  exit: instance.exit === undefined ? null : { ...instance.exit, signal: instance.exit.signal ?? null },
  replica: instance.replica,
  address: instance.address ?? null,
})

export const environmentView = (services: Pick<Services, 'lifecycle' | 'expiry'>, environment: Environment): EnvironmentView => {
  const expiry = services.expiry(environment)
  return {
    id: environment.id,
    name: environment.spec.name,
    owner: environment.spec.owner,
    team: teamOf(environment.spec),
    state: environment.state,
    reason: environment.reason,
    cause: environment.cause ?? null,
    labels: environment.spec.labels,
    lease: environment.spec.lease,
    createdAt: environment.createdAt,
    endedAt: environment.endedAt ?? null,
    expiresAt: expiry?.at ?? null,
    expiresBy: expiry?.by ?? null,
    workloads: environment.spec.workloads,
    instances: services.lifecycle.instances(environment.id).map(instanceView),
  }
}

export const warningView = ({ workload, objection }: Warning): WarningView => ({
  workload,
  policy: objection.policy,
  rule: objection.rule,
  message: objection.message,
  remedy: objection.remedy ?? null,
  field: objection.field ?? null,
})

export const startedView = (services: Pick<Services, 'lifecycle' | 'expiry'>, { environment, warnings }: Started): StartedView => ({
  ...environmentView(services, environment),
  warnings: warnings.map(warningView),
})

/** Only what is exposed by the specification as it is now. */
export const workloadView = (services: Pick<Services, 'exposed'>, environment: Environment, status: WorkloadStatus): WorkloadView => ({
  name: status.name,
  state: status.state,
  reason: status.reason,
  wanted: status.wanted,
  ready: status.ready,
  restarts: status.restarts,
  exposed: services.exposed(environment, status.name).map(({ port, protocol, url }) => ({ port, protocol, url: url ?? null })),
  instances: status.instances.map(({ instance, health, outdated, paused }) => ({ ...instanceView(instance), health, outdated, paused })),
})

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export const logEntry = (record: LogRecord): LogEntry => {
  try {
    return { time: record.time, stream: record.stream, data: utf8.decode(record.data), encoding: 'utf-8' }
  } catch {
    return { time: record.time, stream: record.stream, data: Buffer.from(record.data).toString('base64'), encoding: 'base64' }
  }
}
