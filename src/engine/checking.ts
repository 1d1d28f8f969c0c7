/**
 * By which health check each instance is asked. A check that is changed needs no new instance, but nor must all be doubted at once, or what serves would be
 * taken from its users: those that are well change over one after another, each keeping its verdict until the new check has its own, and no further one before
 * that is good. A check that is wrong takes one of them, not all.
 */
import { isDeepStrictEqual } from 'node:util'
import type { EnvironmentSpec } from '../model/environment.ts'
import type { Instance } from '../model/instance.ts'
import type { Health } from './engine.ts'
import type { HealthChecks } from './health.ts'
import { revisionOf } from './revision.ts'

/** `unchecked`: instances that ran while their workload had no check; nobody doubts them before they are asked. */
export const healthOf = (checks: HealthChecks, unchecked: ReadonlySet<string>, id: string): Health => {
  const known = checks.health(id)
  return known === 'none' && !unchecked.has(id) ? 'starting' : known
}

/** `running`: of the environment, those that are not to end. */
export const applyChecks = (checks: HealthChecks, spec: EnvironmentSpec, running: readonly Instance[], unchecked: Set<string>): void => {
  for (const id of unchecked) if (!running.some(instance => instance.id === id)) unchecked.delete(id)
  for (const [name, { deployment }] of Object.entries(spec.workloads)) {
    const own = running.filter(({ workload }) => workload === name)
    const check = deployment?.health
    if (!check) {
      for (const { id } of own) {
        checks.end(id)
        unchecked.add(id)
      }
      continue
    }
    const isWell = ({ id }: Instance): boolean => ['none', 'healthy'].includes(healthOf(checks, unchecked, id))
    const asked = own.filter(({ id }) => isDeepStrictEqual(checks.asked(id), check))
    let unproven = asked.filter(({ id }) => !checks.proven(id)).length
    const others = own.filter(one => !asked.includes(one))
    const revision = others.length === 0 ? '' : revisionOf(spec, name)
    for (const instance of others) {
      const isAsked = checks.asked(instance.id) !== undefined || unchecked.has(instance.id)
      // What has a successor goes as it came: the new check may be about what only that can answer.
      if (isAsked && instance.revision !== revision) continue
      const well = isAsked && isWell(instance)
      if (well && unproven >= deployment.update.parallelism) continue
      // One that is new, or not well, has nothing to lose.
      if (well) unproven++
      checks.begin(instance.id, check, unchecked.delete(instance.id) ? 'healthy' : 'starting')
    }
  }
}
