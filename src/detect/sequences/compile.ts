/** From what was loaded to what is followed. */
import type { EventContext } from '../fields/context.ts'
import { formatOutput } from '../language/output.ts'
import type { LoadedPattern } from '../language/pattern.ts'
import { compileCondition, createWorkshop } from '../language/predicate.ts'
import type { Pattern, Sequence, Step, Threshold } from './pattern.ts'

/** Those that are not enabled are left out, and those that can never be complete because Dayfly lacks what they ask for. */
export const compilePatterns = (
  patterns: readonly LoadedPattern[],
): { readonly sequences: readonly Sequence[]; readonly thresholds: readonly Threshold[] } => {
  const workshop = createWorkshop()
  /** What is shared is computed once an event: a turn of the workshop. */
  let current: EventContext | undefined
  const turn = (context: EventContext): void => {
    if (current === context) return
    current = context
    workshop.turn++
  }
  const stepOf = ({ as, rule, same }: LoadedPattern['steps'][number]): Step => {
    const holds = compileCondition(workshop, rule.condition)
    return {
      as,
      eventTypes: rule.eventTypes,
      matches: context => {
        turn(context)
        return holds(context)
      },
      same: same.map(({ name, source }) => ({ name, read: source.read })),
      note: context => formatOutput(rule.output, context),
    }
  }
  const compiled = patterns
    .filter(({ enabled, steps }) => enabled && steps.every(({ rule }) => !rule.isInert))
    .flatMap((pattern): Pattern[] => {
      const { kind, name, description, priority, tags, enabled, place, within, moreThan } = pattern
      const common = {
        name,
        description,
        priority,
        tags,
        enabled,
        place,
        within,
        output: (context: EventContext) => formatOutput(pattern.output, context),
      }
      const steps = pattern.steps.map(stepOf)
      const [trigger] = steps
      if (kind === 'sequence') return [{ ...common, kind, steps }]
      const readers = { by: pattern.by.map(({ read }) => read), distinct: pattern.distinct.map(({ read }) => read) }
      return trigger === undefined ? [] : [{ ...common, kind, trigger, moreThan, ...readers }]
    })
  return { sequences: compiled.filter(each => each.kind === 'sequence'), thresholds: compiled.filter(each => each.kind === 'threshold') }
}
