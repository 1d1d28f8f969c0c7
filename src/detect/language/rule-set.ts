/** Rules as they are asked: an event costs only the rules that are for its type. */
import { eventName } from '../fields/event-names.ts'
import { formatOutput } from './output.ts'
import type { Predicate } from './predicate.ts'
import { compileCondition, createWorkshop } from './predicate.ts'
import type { Match, Rule, RuleSet } from './rule.ts'

interface Compiled {
  readonly rule: Rule
  readonly holds: Predicate
}

/** Rules that are not enabled, or are inert, are left out. */
export const compileRules = (rules: readonly Rule[]): RuleSet => {
  const workshop = createWorkshop()
  const asked = rules.filter(({ enabled, isInert }) => enabled && !isInert)
  const byName = new Map<string, Compiled[]>()
  for (const rule of asked) {
    const compiled = { rule, holds: compileCondition(workshop, rule.condition) }
    for (const name of rule.eventTypes) {
      const found = byName.get(name)
      if (found) found.push(compiled)
      else byName.set(name, [compiled])
    }
  }
  const nothing: readonly Match[] = []
  return {
    rules: asked,
    match: context => {
      const candidates = byName.get(eventName(context.event))
      if (!candidates) return nothing
      workshop.turn++
      let matches: Match[] | undefined
      for (const { rule, holds } of candidates) {
        if (!holds(context)) continue
        matches ??= []
        matches.push({ rule, ...formatOutput(rule.output, context) })
      }
      return matches ?? nothing
    },
  }
}
