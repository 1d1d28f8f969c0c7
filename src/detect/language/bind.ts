/** Puts fields, values, lists and macros into an expression. What is wrong is noted, all of it, and stands as `false` then. */
import { eventNames, isEventName, otherNames } from '../fields/event-names.ts'
import type { FieldTable, Reader } from '../fields/field.ts'
import { bindField, findField } from '../fields/find.ts'
import { adviceOn } from './advice.ts'
import { literalTest, sourceTest } from './comparisons.ts'
import type { Check, Condition, Source } from './condition.ts'
import type { WarningCode } from './diagnostic.ts'
import { foldEventNumber } from './event-number.ts'
import { printOperand } from './print.ts'
import type { BinaryOperator, Comparison, Expression, FieldUse, Literal, Operand, Transformed } from './syntax.ts'
import type { Given } from './transformers.ts'
import { transform } from './transformers.ts'

/** What the parts of one condition are looked up in, and where what is found goes. `at` is the offset in the condition. */
export interface Scope {
  readonly fields: FieldTable
  /** Values of a list; undefined when there is none of that name. */
  readonly list: (name: string) => readonly string[] | undefined
  /** Undefined when it cannot be used; that has been noted then. */
  readonly macro: (name: string, at: number) => Condition | undefined
  /** `unknown`: there is no such field or event; a rule may say that it is to be skipped then. */
  readonly fault: (kind: 'unknown' | 'wrong', at: number, message: string) => void
  readonly warning: (code: WarningCode, at: number, message: string) => void
  readonly lacking: (what: string) => void
}

const never: Condition = { kind: 'constant', value: false }

/** An error that has been noted. */
export class Noted extends Error {}

const guarded = <T>(scope: Scope, at: number, work: () => T): T => {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    scope.fault('wrong', at, error.message)
    throw new Noted(error.message)
  }
}

type Usable = Source & Pick<Given, 'asList' | 'constant'> & { readonly isPlain: boolean; readonly isLacking: boolean }

const bindUse = (scope: Scope, { name, argument, at }: FieldUse): Usable => {
  const found = findField(scope.fields, name, argument)
  if (!found) {
    scope.fault('unknown', at, `there is no field ${name}`)
    throw new Noted(name)
  }
  const { field } = found
  const bound = guarded(scope, at, () => bindField(field, found.argument))
  if (field.deprecated !== undefined) scope.warning('LOAD_DEPRECATED_ITEM', at, `${name} is deprecated: ${field.deprecated}`)
  if (field.lacking !== undefined) scope.lacking(name)
  return {
    ...bound,
    key: printOperand({ kind: 'field', name, argument, at }),
    isCostly: field.costly === true,
    isPlain: field.plain === true,
    isLacking: field.lacking !== undefined,
    asList: argument === undefined ? field.asList : undefined,
  }
}

const literalGiven = (text: string): Given => ({ type: 'string', holds: 'one', read: () => text, constant: text })

const bindGiven = (scope: Scope, given: Transformed['arguments'][number]): Given => {
  if (given.kind === 'literal') return literalGiven(given.text)
  if (given.kind === 'sequence') {
    const readers = given.items.map(item => bindGiven(scope, item).read)
    const read: Reader = context => {
      const values: (string | number | boolean | Uint8Array)[] = []
      for (const reader of readers) {
        const value = reader(context)
        if (value === undefined) return undefined
        if (typeof value === 'object' && !(value instanceof Uint8Array)) values.push(...value)
        else values.push(value)
      }
      return values
    }
    return { type: 'string', holds: 'list', read }
  }
  if (given.kind === 'transformed') return bindOperand(scope, given)
  const source = bindUse(scope, given)
  if (source.isPlain) guarded(scope, given.at, () => refusePlain(given.name))
  if (given.name === 'evt.type' || given.name === 'syscall.type') guarded(scope, given.at, () => refuseEventType(given.name))
  return source
}

const refusePlain = (name: string): never => {
  throw new RangeError(`${name} takes no transformer and stands on no right-hand side: it may be several values at once`)
}
const refuseEventType = (name: string): never => {
  throw new RangeError(`${name} is compared with names only, so that it is known beforehand which events a rule is for`)
}

export const bindOperand = (scope: Scope, operand: Operand): Usable => {
  if (operand.kind === 'field') return bindUse(scope, operand)
  const given = operand.arguments.map(argument => bindGiven(scope, argument))
  const bound = guarded(scope, operand.at, () => transform(operand.transformer, given, operand.argument))
  return { ...bound, key: printOperand(operand), isCostly: true, isPlain: false, isLacking: false }
}

/** Bare words that are names of lists stand for their values. */
const expand = (scope: Scope, literals: readonly Literal[]): readonly string[] =>
  literals.flatMap(({ text, bare }) => (bare ? (scope.list(text) ?? [text]) : [text]))

const literalsOf = (scope: Scope, { operator, modifier, right }: Comparison): readonly string[] => {
  if (right.kind === 'literals') return expand(scope, right.items)
  if (right.kind !== 'literal') return []
  const values = expand(scope, [right])
  if (values.length !== 1 && modifier === undefined)
    guarded(scope, right.at, () => {
      throw new RangeError(`${right.text} is a list of ${values.length} values, and ${operator} compares with one: write in (${right.text})`)
    })
  return values
}

/** Names that the field can be: the type of a system call is not there for what is none. */
const namesOf = (left: Operand): ReadonlySet<string> =>
  left.kind === 'field' && left.name === 'syscall.type' ? eventNames.difference(otherNames) : eventNames

const isEventType = (left: Operand): boolean =>
  left.kind === 'field' && left.argument === undefined && ['evt.type', 'syscall.type'].includes(left.name)

/** Names that there are nowhere are a slip; those that Dayfly has not are lacking. */
const checkEventNames = (scope: Scope, at: number, operator: BinaryOperator, names: readonly string[]): void => {
  if (!['=', '==', '!=', 'in'].includes(operator)) return
  for (const name of names) {
    if (!isEventName(name)) scope.fault('unknown', at, `there is no event type ${name}`)
    else if (!eventNames.has(name)) scope.lacking(`evt.type=${name}`)
  }
}

const bindComparison = (scope: Scope, expression: Comparison): Condition => {
  const { left, operator, modifier, right } = expression
  const source = bindOperand(scope, left)
  if (right.kind === 'field' || right.kind === 'transformed') {
    if (left.kind === 'field' && isEventType(left)) guarded(scope, left.at, () => refuseEventType(left.name))
    const other = bindOperand(scope, right)
    return guarded(scope, right.at, (): Condition => {
      if (source.isPlain) refusePlain(source.key)
      if (other.isPlain) refusePlain(other.key)
      if (source.type !== other.type || source.holds !== other.holds) {
        const [one, another] = [source, other].map(({ key, type, holds }) => `${key} is ${holds === 'list' ? 'a list' : 'one value'} of type ${type}`)
        throw new RangeError(`${one}, but ${another}: they cannot be compared`)
      }
      const check: Check = {
        kind: 'check',
        source,
        test: { kind: 'source', right: other, passes: sourceTest(source, operator) },
        eventTypes: undefined,
      }
      return source.isLacking || other.isLacking ? never : check
    })
  }
  const literals = literalsOf(scope, expression)
  for (const advice of adviceOn(scope.fields, source.key, operator, literals)) scope.warning(advice.code, expression.at, advice.message)
  const passes = guarded(scope, right.at, () => literalTest(source, operator, modifier, literals))
  if (source.isLacking) return never
  const folded = left.kind === 'field' && left.name === 'evt.num' ? foldEventNumber(operator, literals) : undefined
  if (folded !== undefined) return { kind: 'constant', value: folded }
  if (left.kind === 'field' && left.name === 'evt.dir') return { kind: 'constant', value: passes('<') }
  if (isEventType(left)) checkEventNames(scope, right.at, operator, literals)
  const eventTypes = isEventType(left) ? new Set([...namesOf(left)].filter(name => passes(name))) : undefined
  return { kind: 'check', source, test: { kind: 'value', passes }, eventTypes }
}

const bindLeaf = (scope: Scope, expression: Exclude<Expression, { kind: 'and' | 'or' | 'not' }>): Condition => {
  if (expression.kind === 'macro') {
    const body = scope.macro(expression.name, expression.at)
    return body ? { kind: 'macro', name: expression.name, body } : never
  }
  if (expression.kind === 'comparison') return bindComparison(scope, expression)
  const source = bindOperand(scope, expression.left)
  return source.isLacking
    ? never
    : { kind: 'check', source, test: { kind: 'exists' }, eventTypes: isEventType(expression.left) ? namesOf(expression.left) : undefined }
}

export const bindExpression = (scope: Scope, expression: Expression): Condition => {
  if (expression.kind === 'and' || expression.kind === 'or')
    return { kind: expression.kind, operands: expression.operands.map(operand => bindExpression(scope, operand)) }
  if (expression.kind === 'not') return { kind: 'not', operand: bindExpression(scope, expression.operand) }
  try {
    return bindLeaf(scope, expression)
  } catch (error) {
    if (error instanceof Noted) return never
    throw error
  }
}
