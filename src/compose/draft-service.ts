/** One service as a workload. */

import type { z } from 'zod'
import { given } from '../base/given.ts'
import { signalNames } from '../base/signals.ts'
import type { HealthCheck, RestartPolicy, Scale } from '../model/deployment.ts'
import { noRestart } from '../model/deployment.ts'
import type { WorkloadDraft } from '../model/draft.ts'
import type { DraftMounts } from './draft-mounts.ts'
import { mountsOf } from './draft-mounts.ts'
import { exposuresOf } from './exposure.ts'
import type { ServiceExtension } from './extension.ts'
import type { Project, Service, ServiceHealthcheck } from './project.ts'
import type { Sink } from './sink.ts'
import type { Path } from './tree.ts'

export interface ServiceContext {
  readonly project: Project
  /** Its `x-dayfly`, with the project's. */
  readonly extension: ServiceExtension
  readonly sink: Sink
  /** The image's name where the service is built. */
  readonly builtImage: string | undefined
  /** Its networks with its names there. */
  readonly networks: Readonly<Record<string, { aliases: string[] }>>
  /** How many instances the caller wants, whatever the file says. */
  readonly scale: number | undefined
}

export interface ServiceDraft {
  readonly workload: Partial<z.input<typeof WorkloadDraft>>
  readonly mounts: DraftMounts
}

/** -1 and 0 are compose's words for no limit of its own: Dayfly's default holds then. */
const positive = (value: number | undefined): number | undefined => (value === undefined || value <= 0 ? undefined : value)

const limitsOf = (service: Service) => {
  const deployed = service.deploy?.resources?.limits
  return given({
    cpus: positive(deployed?.cpus) ?? positive(service.cpus),
    memory: positive(deployed?.memory) ?? positive(service.mem_limit),
    pids: positive(deployed?.pids) ?? positive(service.pids_limit),
  })
}

/** The checks' times as docker has them. */
const healthOf = (check: ServiceHealthcheck | undefined, path: Path, sink: Sink): HealthCheck | null | undefined => {
  if (check === undefined) return undefined
  const [kind, ...words] = check.test ?? []
  if (check.disable === true || kind === 'NONE') return null
  if (kind === undefined) {
    sink.warn('ignored', path, 'without test it has no effect: the health check of an image is run as the image says')
    return undefined
  }
  const whole = (value: number | undefined, otherwise: number, least: number): number => Math.max(least, Math.round(positive(value) ?? otherwise))
  return {
    command: kind === 'CMD-SHELL' ? ['/bin/sh', '-c', words.join(' ')] : words,
    interval: whole(check.interval, 30_000, 10),
    timeout: whole(check.timeout, 30_000, 1),
    retries: whole(check.retries, 3, 1),
    startPeriod: whole(check.start_period, 0, 0),
    startInterval: whole(check.start_interval, 5_000, 10),
  }
}

const shortRestart = (text: string, path: Path, sink: Sink): RestartPolicy | undefined => {
  const [, condition, attempts] = /^(no|always|unless-stopped|on-failure)(?::(\d{1,6}))?$/.exec(text) ?? []
  if (condition === 'no' || condition === 'always' || condition === 'unless-stopped' || condition === 'on-failure') {
    return { ...noRestart, condition, attempts: Number(attempts ?? 0) }
  }
  sink.error(path, `${JSON.stringify(text)} is no restart policy`, { remedy: 'Write no, always, unless-stopped, on-failure or on-failure:3.' })
  return undefined
}

const conditions: Readonly<Record<string, RestartPolicy['condition']>> = {
  none: 'no',
  'on-failure': 'on-failure',
  any: 'always',
  'unless-stopped': 'unless-stopped',
}

/** `deploy.restart_policy` says more than `restart`, and is taken where both are there, as docker compose does. */
const restartOf = (service: Service, path: Path, sink: Sink): RestartPolicy | undefined => {
  const policy = service.deploy?.restart_policy
  if (policy === undefined) return service.restart === undefined ? undefined : shortRestart(service.restart, [...path, 'restart'], sink)
  const condition = conditions[policy.condition ?? 'any']
  if (condition === undefined) {
    sink.error([...path, 'deploy', 'restart_policy', 'condition'], `${JSON.stringify(policy.condition)} is none of none, on-failure and any`)
    return undefined
  }
  return {
    condition,
    attempts: policy.max_attempts ?? 0,
    delay: Math.round(policy.delay ?? noRestart.delay),
    window: Math.round(policy.window ?? noRestart.window),
  }
}

const standardWindow = 30_000

const scaleOf = (service: Service, extension: ServiceExtension, wanted: number | undefined, isExposed: boolean, path: Path, sink: Sink): Scale => {
  const fixed = (count: number): Scale => ({ min: count, max: count, window: standardWindow })
  const { scale, idle } = extension
  const count = service.deploy?.mode === 'global' ? 1 : (service.deploy?.replicas ?? service.scale ?? 1)
  if (idle !== undefined && (scale !== undefined || count > 1)) {
    sink.error([...path, 'x-dayfly', 'idle'], 'it is for a service of one instance that does not scale', {
      remedy: 'Write x-dayfly.scale with min: 0, and how long it waits as its window.',
    })
  }
  if (wanted !== undefined) return fixed(wanted)
  if (idle === undefined || scale !== undefined) return scale ?? fixed(count)
  if (isExposed) return { min: 0, max: 1, target: { concurrency: 1 }, window: idle }
  sink.warn('ignored', [...path, 'x-dayfly', 'idle'], 'it has no effect: only a request through the gateway could wake it, and it exposes nothing')
  return fixed(count)
}

/** Also on services that are not brought up now: they may live already. What is disabled is no dependency any more. */
const dependsOn = (service: Service) =>
  Object.fromEntries(
    Object.entries(service.depends_on ?? {}).map(([name, dependency]) => {
      const condition = ({ service_started: 'started', service_healthy: 'healthy', service_completed_successfully: 'completed' } as const)[
        dependency.condition
      ]
      return [name, { condition, required: dependency.required, restart: dependency.restart === true }]
    }),
  )

/** `TERM`, `SIGTERM` and `15` are the same. */
const signalOf = (text: string | undefined): string | undefined => {
  if (text === undefined) return undefined
  return signalNames[Number(text)] ?? `SIG${text.toUpperCase().replace(/^SIG/, '')}`
}

const environmentOf = (service: Service, path: Path, sink: Sink): Record<string, string> =>
  Object.fromEntries(
    Object.entries(service.environment ?? {}).flatMap(([name, value]) => {
      if (value !== null) return [[name, value]]
      sink.warn('unset', [...path, 'environment', name], `the variable ${name} is not set here; the service does not get it`)
      return []
    }),
  )

const hostsOf = (service: Service, path: Path, sink: Sink): Record<string, string> | undefined => {
  if (service.extra_hosts === undefined) return undefined
  return Object.fromEntries(
    Object.entries(service.extra_hosts).flatMap(([name, [address = '', ...more]]) => {
      const here = [...path, 'extra_hosts', name]
      if (address === 'host-gateway') {
        sink.error(here, 'there is no way from an environment to its host', {
          policy: 'No route to the host',
          remedy: 'Run what it needs as a service of the environment.',
        })
        return []
      }
      if (more.length > 0) sink.warn('notice', here, `of several addresses the first one is taken: ${address}`)
      return [[name, address]]
    }),
  )
}

const pullOf = (service: Service, built: boolean, path: Path, sink: Sink): 'missing' | 'always' | 'never' => {
  const policy = service.pull_policy
  if (built || policy === 'never') return 'never'
  if (policy === 'always') return 'always'
  if (policy !== undefined && policy !== 'missing' && policy !== 'build')
    sink.warn('notice', [...path, 'pull_policy'], `${policy} is taken as missing; \`dayfly up --pull\` fetches anew`)
  return 'missing'
}

const capability = (name: string): string => name.toUpperCase().replace(/^CAP_/, '')

const runtimeOf = (service: Service, extension: ServiceExtension, path: Path, sink: Sink): 'crun' | 'runsc' | undefined => {
  if (extension.runtime !== undefined) return extension.runtime
  const { runtime } = service
  if (runtime === undefined || runtime === '' || runtime === 'crun' || runtime === 'runsc') return runtime === '' ? undefined : runtime
  sink.warn('notice', [...path, 'runtime'], `${runtime} is not one of Dayfly's, crun and runsc; crun is taken`)
  return undefined
}

const destinationsOf = (egress: ServiceExtension['egress']) => {
  const rules = egress.flatMap(entry => ('cidr' in entry ? [entry] : []))
  const domains = egress.flatMap(entry =>
    'domain' in entry ? [{ domain: `${entry.wildcard ? '*.' : ''}${entry.domain}`, ...given({ port: entry.port }) }] : [],
  )
  return { egress: rules, egressDomains: domains.length === 0 ? undefined : domains }
}

const updateOf = (service: Service) => {
  const { order: text, parallelism } = service.deploy?.update_config ?? {}
  const order: 'start-first' | 'stop-first' | undefined = text === 'start-first' || text === 'stop-first' ? text : undefined
  return given({ order, parallelism: positive(parallelism) })
}

export const serviceDraft = (name: string, service: Service, context: ServiceContext): ServiceDraft => {
  const { project, extension, sink } = context
  const path: Path = ['services', name]
  const limits = limitsOf(service)
  const expose = exposuresOf(service, extension, path, sink)
  const scale = scaleOf(service, extension, context.scale, expose.length > 0, path, sink)
  const mounts = mountsOf(service, { project, service: name, path, sink, memory: limits.memory, several: scale.max > 1 })
  const { egress, egressDomains } = destinationsOf(extension.egress)
  const isJob = extension.kind === 'service' && service.deploy?.mode?.endsWith('-job') === true
  return {
    mounts,
    workload: {
      kind: isJob ? 'job' : extension.kind,
      image: context.builtImage ?? service.image ?? '',
      pull: pullOf(service, context.builtImage !== undefined, path, sink),
      env: environmentOf(service, path, sink),
      readOnly: service.read_only === true,
      capabilities: [...new Set((service.cap_add ?? []).map(capability))],
      limits,
      egress,
      tty: service.tty === true,
      stdin: service.stdin_open === true,
      secrets: mounts.secrets.map(({ file }) => file),
      ...given({
        platform: service.platform,
        command: service.command,
        entrypoint: service.entrypoint,
        user: service.user,
        workdir: service.working_dir,
        egressDomains,
        runtime: runtimeOf(service, extension, path, sink),
        hostname: service.hostname,
        stopSignal: signalOf(service.stop_signal),
        grace: service.stop_grace_period === undefined ? undefined : Math.round(service.stop_grace_period),
        mounts: mounts.mounts.length === 0 ? undefined : [...mounts.mounts],
        sysctls: service.sysctls,
        ulimits: service.ulimits,
        shmSize: positive(service.shm_size),
        init: service.init,
        groups: service.group_add,
        hosts: hostsOf(service, path, sink),
        labels: service.labels,
      }),
      deployment: {
        scale,
        dependsOn: dependsOn(service),
        networks: context.networks,
        expose,
        update: updateOf(service),
        ...given({ restart: restartOf(service, path, sink), health: healthOf(service.healthcheck, [...path, 'healthcheck'], sink) }),
      },
    },
  }
}
