/** What is counted of what records say. The store is watched, not asked: an entry that was undone with its transaction is not counted. */
import type { Store } from '../../../engine/store.ts'
import type { Event } from '../../../model/event.ts'
import { mostRules } from '../../../telemetry/catalog.ts'
import type { Metrics } from '../../../telemetry/metrics.ts'

/** Calls `onEvent` for each entry once it is written for good. */
export const watchedStore = (store: Store, onEvent: (event: Event) => void): Store => {
  let depth = 0
  let written: Event[] = []
  const tell = (): void => {
    const events = written
    written = []
    for (const event of events) onEvent(event)
  }
  const append = (write: () => Event): Event => {
    const event = write()
    written.push(event)
    if (depth === 0) tell()
    return event
  }
  return {
    ...store,
    transaction: work => {
      const before = written.length
      depth++
      try {
        return store.transaction(work)
      } catch (error) {
        written.length = before
        throw error
      } finally {
        depth--
        if (depth === 0) tell()
      }
    },
    append: event => append(() => store.append(event)),
    seal: (environment, actor) => append(() => store.seal(environment, actor)),
  }
}

const text = (data: Event['data'], name: string): string => {
  const value = data[name]
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : 'unknown'
}
const number = (data: Event['data'], name: string): number => {
  const value = data[name]
  return typeof value === 'number' ? value : 0
}

export interface RecordCounts {
  /** What is there when the daemon begins. */
  begin(store: Pick<Store, 'environments' | 'liveInstances'>): void
  onEvent(event: Event): void
  /** Sets the gauges of what is there. */
  collect(metrics: Metrics): void
}

export const countRecords = (metrics: Metrics): RecordCounts => {
  const environments = new Map<string, string>()
  const instances = new Map<string, string>()
  /** Entries of activity that are counted already. */
  const kept = new Map<string, number>()
  const rules = new Set<string>()

  const ruleLabel = (rule: string): string => {
    if (rules.size < mostRules) rules.add(rule)
    return rules.has(rule) ? rule : 'other'
  }

  const states: Readonly<Record<string, string>> = { creating: 'creating', running: 'running', ending: 'ending' }
  const onEnvironment = (id: string, what: string, data: Event['data']): void => {
    const state = states[what]
    if (state !== undefined) environments.set(id, state)
    if (what === 'creating') metrics.count('dayfly_environments_created_total')
    else if (what === 'extended') metrics.count('dayfly_lease_extensions_total')
    else if (what === 'expiring') metrics.count('dayfly_lease_warnings_total', { by: text(data, 'by') })
    else if (what === 'ended') {
      environments.delete(id)
      kept.delete(id)
      metrics.count('dayfly_environments_ended_total', { cause: text(data, 'cause') })
    }
  }
  const onInstance = (id: string, what: string): void => {
    if (what === 'pending' || what === 'created' || what === 'running') instances.set(id, what)
    if (what === 'exited' || what === 'failed' || what === 'lost') {
      instances.set(id, what)
      metrics.count('dayfly_instances_ended_total', { outcome: what })
    }
    if (what === 'removed') instances.delete(id)
  }

  return {
    begin: store => {
      for (const { id, state } of store.environments({ ended: false })) environments.set(id, state)
      for (const { id, state } of store.liveInstances()) instances.set(id, state)
    },
    onEvent: ({ environment, instance, type, data }) => {
      const [subject = '', what = ''] = type.split('.')
      switch (subject) {
        case 'environment':
          return onEnvironment(environment, what, data)
        case 'instance':
          return instance === undefined ? undefined : onInstance(instance, what)
        case 'admission':
          return metrics.count('dayfly_admissions_total', { verdict: what, cached: text(data, 'cached') })
        case 'detection': {
          const count = what === 'repeated' ? number(data, 'count') : 1
          return metrics.count('dayfly_detections_total', { rule: ruleLabel(text(data, 'rule')), priority: text(data, 'priority') }, count)
        }
        case 'response':
          if (what === 'decided') return
          return metrics.count('dayfly_responses_total', { action: what === 'withheld' ? 'none' : text(data, 'action'), outcome: what })
        case 'finding':
          return what === 'raised' ? metrics.count('dayfly_findings_total', { severity: text(data, 'severity') }) : undefined
        case 'egress':
          return metrics.count('dayfly_egress_denied_total', { protocol: text(data, 'protocol') }, number(data, 'count'))
        case 'activity': {
          const entries = number(data, 'entries')
          if (what === 'lost') return metrics.count('dayfly_activity_entries_total', { outcome: 'lost' }, entries)
          metrics.count('dayfly_activity_entries_total', { outcome: 'kept' }, Math.max(0, entries - (kept.get(environment) ?? 0)))
          kept.set(environment, entries)
        }
      }
    },
    collect: into => {
      for (const [name, all] of [
        ['dayfly_environments', environments],
        ['dayfly_instances', instances],
      ] as const) {
        into.clear(name)
        for (const [state, those] of Map.groupBy(all.values(), state => state)) into.set(name, { state }, those.length)
      }
    },
  }
}
