/** What a reference names: an id, a unique prefix of one, or the name of an environment that has not ended. */
import { DayflyError } from '../base/errors.ts'
import type { Environment } from '../model/environment.ts'
import type { Instance } from '../model/instance.ts'
import type { Store } from './store.ts'

const shortestPrefix = 4

export interface Refs {
  environment(ref: string): Environment
  instance(ref: string): Instance
}

export const createRefs = (store: Store): Refs => {
  const unknown = (kind: string, ref: string): DayflyError =>
    new DayflyError('not_found', `there is no ${kind} ${JSON.stringify(ref)}`, { field: 'ref', remedy: 'See what there is: dayfly ps --all' })

  /** The one id that starts with it; undefined when none does. */
  const completed = (kind: string, ref: string, ids: (prefix: string, limit: number) => string[]): string | undefined => {
    if (ref.length < shortestPrefix) return undefined
    const found = ids(ref, 2)
    if (found.length < 2) return found[0]
    throw new DayflyError('not_found', `${JSON.stringify(ref)} is the beginning of more than one ${kind}'s id`, {
      field: 'ref',
      remedy: 'Write more of the id.',
    })
  }

  const findEnvironment = (ref: string): Environment | undefined => {
    const exact = store.environment(ref) ?? store.environmentByName(ref)
    if (exact) return exact
    const id = completed('environment', ref, store.environmentIds)
    return id === undefined ? undefined : store.environment(id)
  }

  return {
    environment: ref => {
      const found = findEnvironment(ref)
      if (!found) throw unknown('environment', ref)
      return found
    },
    instance: ref => {
      const exact = store.instance(ref)
      if (exact) return exact
      const environment = findEnvironment(ref)
      if (environment) {
        const instances = store.instances(environment.id)
        const [only] = instances
        if (only && instances.length === 1) return only
        throw new DayflyError('not_found', `the environment ${environment.spec.name} has ${instances.length} instances`, {
          field: 'ref',
          remedy: `Name one of them: ${instances.map(instance => `${instance.id} (${instance.workload})`).join(', ')}`,
        })
      }
      const id = completed('instance', ref, store.instanceIds)
      const found = id === undefined ? undefined : store.instance(id)
      if (!found) throw unknown('environment or instance', ref)
      return found
    },
  }
}
