/**
 * What a reference names: an id, a unique prefix of one, or the name of an environment that has not ended; of an instance also
 * `ENVIRONMENT/WORKLOAD` or `ENVIRONMENT/WORKLOAD/REPLICA`.
 */
import { DayflyError } from '../base/errors.ts'
import type { Environment } from '../model/environment.ts'
import type { Instance } from '../model/instance.ts'
import { isLive } from '../model/instance.ts'
import type { Teams } from '../model/principal.ts'
import { isOf, teamOf } from '../model/principal.ts'
import type { Store } from './store.ts'

const shortestPrefix = 4

export interface Refs {
  environment(ref: string): Environment
  instance(ref: string): Instance
}

type Seen = Pick<Store, 'environment' | 'environmentByName' | 'environmentIds' | 'instance' | 'instances' | 'instanceIds'>

/** The store as somebody of these teams sees it: to them, what is of others does not exist, also where it would make a reference ambiguous. */
export const seenBy = (store: Seen, teams: Teams): Seen => {
  if (teams === 'all') return store
  const visible = (environment: Environment | undefined): environment is Environment =>
    environment !== undefined && isOf(teams, teamOf(environment.spec))
  const has = (id: string): boolean => visible(store.environment(id))
  /** Ids are random: few begin alike, whoever's they are. */
  const everyone = Number.MAX_SAFE_INTEGER
  return {
    environment: id => {
      const found = store.environment(id)
      return visible(found) ? found : undefined
    },
    environmentByName: name => teams.map(team => store.environmentByName(name, team)).find(visible),
    environmentIds: (prefix, limit) => store.environmentIds(prefix, everyone).filter(has).slice(0, limit),
    instance: id => {
      const found = store.instance(id)
      return found && has(found.environment) ? found : undefined
    },
    instances: environment => (has(environment) ? store.instances(environment) : []),
    instanceIds: (prefix, limit) =>
      store
        .instanceIds(prefix, everyone)
        .filter(id => has(store.instance(id)?.environment ?? ''))
        .slice(0, limit),
  }
}

export const createRefs = (store: Seen): Refs => {
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

  /** What lives before what does not, the first place before the others, and of one place the instance that was made last. */
  const preferred = (left: Instance, right: Instance): number =>
    Number(isLive(right.state)) - Number(isLive(left.state)) || left.replica - right.replica || right.createdAt - left.createdAt

  const inWorkload = (ref: string): Instance => {
    const [name = '', workload = '', replica, ...more] = ref.split('/')
    const environment = findEnvironment(name)
    if (!environment) throw unknown('environment', name)
    const remedy = `Write it like ${environment.spec.name}/WORKLOAD or ${environment.spec.name}/WORKLOAD/2; dayfly ps ${environment.spec.name} shows what there is.`
    if (more.length > 0 || (replica !== undefined && !/^[1-9]\d{0,4}$/.test(replica))) {
      throw new DayflyError('not_found', `${JSON.stringify(ref)} names no instance`, { field: 'ref', remedy })
    }
    const all = store.instances(environment.id).filter(instance => instance.workload === workload)
    // Oldest first they come: of two that were made in one millisecond the later is the last.
    const found = all
      .filter(instance => replica === undefined || instance.replica === Number(replica))
      .reverse()
      .sort(preferred)[0]
    if (found) return found
    const known = all.length > 0 || Object.hasOwn(environment.spec.workloads, workload)
    const why = !known
      ? `the environment ${environment.spec.name} has no workload ${JSON.stringify(workload)}`
      : `${environment.spec.name}/${workload} has no instance${replica === undefined || all.length === 0 ? '' : ` ${replica}`}`
    throw new DayflyError('not_found', why, {
      field: 'ref',
      remedy: known ? remedy : `It has ${Object.keys(environment.spec.workloads).join(', ')}.`,
    })
  }

  return {
    environment: ref => {
      const found = findEnvironment(ref)
      if (!found) throw unknown('environment', ref)
      return found
    },
    instance: ref => {
      if (ref.includes('/')) return inWorkload(ref)
      const exact = store.instance(ref)
      if (exact) return exact
      const environment = findEnvironment(ref)
      if (environment) {
        const instances = store.instances(environment.id)
        const [only] = instances
        if (only && instances.length === 1) return only
        const live = instances.filter(({ state }) => isLive(state))
        if (live[0] && live.length === 1 && new Set(instances.map(({ workload }) => workload)).size === 1) return live[0]
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
