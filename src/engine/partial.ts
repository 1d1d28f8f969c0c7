/** A part of an environment brought up: what lives and the part does not name stays as it is. Pure. */
import type { EnvironmentSpec } from '../model/environment.ts'
import type { Secrets } from './engine.ts'

/**
 * The living spec with what the part says. The lease is the part's, for it is of the whole. What its workloads depend on and is neither there nor
 * here is left out: whoever names a part has decided to do without.
 */
export const partialSpec = (living: EnvironmentSpec | undefined, part: EnvironmentSpec): EnvironmentSpec => {
  const all = { ...living?.workloads, ...part.workloads }
  const workloads = Object.entries(part.workloads).map(([name, workload]) => {
    if (!workload.deployment) return [name, workload] as const
    const dependsOn = Object.fromEntries(Object.entries(workload.deployment.dependsOn).filter(([other]) => Object.hasOwn(all, other)))
    return [name, { ...workload, deployment: { ...workload.deployment, dependsOn } }] as const
  })
  return {
    ...part,
    labels: { ...living?.labels, ...part.labels },
    workloads: { ...living?.workloads, ...Object.fromEntries(workloads) },
    networks: { ...living?.networks, ...part.networks },
    volumes: [...new Set([...(living?.volumes ?? []), ...(part.volumes ?? [])])],
    configs: { ...living?.configs, ...part.configs },
  }
}

/** Of the workloads of the whole that are `named`, what is given now; of its others, what was `kept`. */
export const partialSecrets = (whole: EnvironmentSpec, named: ReadonlySet<string>, kept: Secrets, given: Secrets): Secrets =>
  new Map([...[...kept].filter(([workload]) => Object.hasOwn(whole.workloads, workload) && !named.has(workload)), ...given])
