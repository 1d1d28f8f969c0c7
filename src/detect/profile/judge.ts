/** Says what an instance does that its profile does not have, each once. */
import type { KernelEvent } from '../../model/kernel-event.ts'
import type { Detection } from '../detector.ts'
import type { Process } from '../process.ts'
import type { BehaviourKind } from './behaviour.ts'
import { behaviourKinds, behavioursOf } from './behaviour.ts'
import { createNames } from './names.ts'
import type { Profile } from './profile.ts'

/** News that is told of one instance and kind; that there is more, once. */
const mostNews = 100

const words: Readonly<Record<BehaviourKind, string>> = {
  programs: 'runs',
  listens: 'listens on',
  connects: 'connects to',
  writes: 'writes to',
  capabilities: 'has the capability',
}

/** The rule's name in a detection. */
export const profileRule = (profile: Profile): string => `Outside of profile ${profile.metadata.name}`

/** Of one instance. A profile of too few runs says nothing. */
export const createProfileJudge = (profile: Profile): ((event: KernelEvent, process: Process) => readonly Detection[]) => {
  const { spec } = profile
  if (spec.runs < spec.minimumRuns) return () => []
  const names = createNames()
  const known = new Map(behaviourKinds.map(kind => [kind, new Set(spec[kind])]))
  const news = new Map(behaviourKinds.map(kind => [kind, 0]))
  const open = new Set(spec.open)
  return (event, process) => {
    names.see(event)
    return behavioursOf(event, process, names).flatMap(({ kind, value }) => {
      const values = known.get(kind)
      const told = news.get(kind) ?? 0
      if (values === undefined || open.has(kind) || values.has(value) || told > mostNews) return []
      values.add(value)
      news.set(kind, told + 1)
      const name = profile.metadata.name
      const isLast = told === mostNews
      const command = [process.exe ?? process.name, ...process.args].join(' ')
      return {
        rule: profileRule(profile),
        priority: spec.priority,
        key: isLast ? `${kind} more` : `${kind} ${value}`,
        output: isLast
          ? `${name} ${words[kind]} more than ${mostNews} things that it has not in ${spec.runs} runs: this is the last one that is told (${value})`
          : `${name} ${words[kind]} ${value}, which it has not in ${spec.runs} runs (command=${command} pid=${event.pid})`,
        fields: { profile: name, kind, value, 'proc.cmdline': command, 'proc.pid': event.pid },
        tags: ['profile'],
        source: 'profile',
        event,
      }
    })
  }
}
