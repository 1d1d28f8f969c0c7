/** Binds what sequences and thresholds name, by what binds rules. */
import type { Source } from './condition.ts'
import type { RuleDefinition } from './definitions.ts'
import type { Output } from './output.ts'
import type { LoadedPattern, PatternDefinition, PlacedPiece } from './pattern.ts'
import type { Piece } from './piece.ts'
import type { Rule } from './rule.ts'

/** Each tells what is wrong and answers undefined. */
export interface Binders {
  readonly rule: (definition: RuleDefinition) => Rule | undefined
  readonly output: (definition: RuleDefinition) => Output | undefined
  readonly source: (piece: PlacedPiece, item: string) => Source | undefined
}

const asRule = (pattern: PatternDefinition, name: string, condition: readonly Piece[], output: Piece): RuleDefinition => ({
  ...{ name, place: pattern.place, condition, output: [output], description: pattern.description, priority: pattern.priority, tags: pattern.tags },
  ...{ source: 'syscall', enabled: pattern.enabled, warnEventTypes: true, skipIfUnknown: false, exceptions: [], changes: 0 },
})

const whole = <T>(values: readonly (T | undefined)[]): readonly T[] | undefined => {
  const known = values.filter(value => value !== undefined)
  return known.length === values.length ? known : undefined
}

/** Undefined when something is wrong; that has been told then, all of it. */
export const loadPattern = (definition: PatternDefinition, bind: Binders): LoadedPattern | undefined => {
  const { name, kind, steps, by, distinct, output, tags, ...rest } = definition
  const item = `${kind} "${name}"`
  const boundSteps = whole(
    steps.map(({ as, condition, note, same }) => {
      const rule = bind.rule(asRule(definition, steps.length === 1 ? name : `${name}, ${as}`, [condition], note))
      const bound = whole(
        same.map(([key, field]) => ({ key, source: bind.source(field, item) })).map(({ key, source }) => source && { name: key, source }),
      )
      return rule && bound && { as, rule, same: bound }
    }),
  )
  const told = bind.output(asRule(definition, name, [], output))
  const [boundBy, boundDistinct] = [whole(by.map(piece => bind.source(piece, item))), whole(distinct.map(piece => bind.source(piece, item)))]
  if (!boundSteps || !told || !boundBy || !boundDistinct) return undefined
  return { ...rest, name, kind, tags: [...tags].sort(), steps: boundSteps, by: boundBy, distinct: boundDistinct, output: told }
}
