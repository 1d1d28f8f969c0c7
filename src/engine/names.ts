/** The names by which workloads find each other. */
import type { EnvironmentSpec } from '../model/environment.ts'
import type { NetworkName } from './backend.ts'
import type { WorkloadStatus } from './engine.ts'

/**
 * A workload's name, its host name and its aliases stand for its instances that are well; while none is, for those that run, so that instances of one
 * workload find each other before they are well. `web-2` stands for one of them. `leaving`: ids of
 * instances that are about to be stopped.
 */
export const namesOf = (spec: EnvironmentSpec, statuses: readonly WorkloadStatus[], leaving: ReadonlySet<string>): NetworkName[] =>
  statuses.flatMap(({ name, instances }) => {
    const workload = spec.workloads[name]
    const running = instances.filter(({ instance }) => instance.state === 'running' && instance.wish === undefined && !leaving.has(instance.id))
    if (!workload || running.length === 0) return []
    const well = running.filter(({ health }) => health === 'none' || health === 'healthy')
    const ids = (well.length > 0 ? well : running).map(({ instance }) => instance.id)
    const networks = Object.entries(workload.deployment?.networks ?? {})
    const names = [...new Set([name, ...(workload.hostname === undefined ? [] : [workload.hostname])])]
    return [
      ...names.map((known): NetworkName => ({ name: known, network: undefined, instances: ids })),
      ...networks.flatMap(([network, { aliases }]) => aliases.map((alias): NetworkName => ({ name: alias, network, instances: ids }))),
      ...running.map(({ instance }): NetworkName => ({ name: `${name}-${instance.replica}`, network: undefined, instances: [instance.id] })),
    ]
  })
