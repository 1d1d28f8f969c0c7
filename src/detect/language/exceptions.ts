/** Exceptions of rules: read, checked, and written out as the conditions that they stand for. */
import type { FieldTable } from '../fields/field.ts'
import { findField } from '../fields/find.ts'
import type { Entry, ExceptionDefinition } from './definitions.ts'
import type { Place } from './diagnostic.ts'
import type { Keys } from './keys.ts'
import { parseOperandAt } from './parse.ts'
import type { Piece } from './piece.ts'
import { generated } from './piece.ts'
import { quote } from './quoting.ts'
import { listOperators, modifiers, numberOperators, textOperators } from './syntax.ts'
import type { YamlNode } from './yaml.ts'

const readEntry = (node: YamlNode, keys: Keys): Entry | undefined => {
  if (node.kind === 'scalar') {
    if (node.text === '' || node.isNull) keys.fail('a value is empty: write something', node.place)
    return { kind: 'one', text: node.text, place: node.place }
  }
  if (node.kind === 'sequence') return { kind: 'several', items: node.items.flatMap(item => readEntry(item, keys) ?? []), place: node.place }
  keys.fail('there is a mapping where a value or a list of values belongs', node.place)
  return undefined
}

/** `isAppend`: fields need not be said again. */
const readException = (node: YamlNode, rule: Keys, isAppend: boolean): ExceptionDefinition | undefined => {
  if (node.kind !== 'mapping') {
    rule.fail('an exception is written with name, fields, comps and values', node.place)
    return undefined
  }
  const keys = rule.within(node)
  const name = keys.required('name')
  const entryOf = (key: string): Entry | undefined => {
    const value = keys.node(key)
    return value && readEntry(value, keys)
  }
  const [fields, comparisons, values] = [entryOf('fields'), entryOf('comps'), keys.node('values')]
  if (!fields && !isAppend) keys.fail('fields is missing: it names what the values are compared with', node.place)
  if (values && values.kind !== 'sequence') keys.fail('values is a list', values.place)
  if (!values && isAppend) keys.warn('LOAD_APPEND_NO_VALUES', `exception "${name?.text ?? ''}" is appended to without values`)
  keys.warnUnknown(['name', 'fields', 'comps', 'values'])
  const entries = values?.kind === 'sequence' ? values.items.flatMap(value => readEntry(value, keys) ?? []) : []
  if (!name || keys.hasFailed()) return undefined
  return { name: name.text, place: node.place, fields, comparisons, values: entries }
}

/** None and nothing are allowed. */
export const readExceptions = (keys: Keys, isAppend: boolean): readonly ExceptionDefinition[] => {
  const node = keys.node('exceptions')
  if (!node || (node.kind === 'scalar' && node.isNull)) return []
  if (node.kind !== 'sequence') {
    keys.fail('exceptions are a list', node.place)
    return []
  }
  const found: ExceptionDefinition[] = []
  for (const item of node.items) {
    const exception = readException(item, keys, isAppend)
    if (!exception) continue
    if (found.some(({ name }) => name === exception.name))
      keys.warn('LOAD_EXCEPTION_NAME_NOT_UNIQUE', `exception "${exception.name}" stands there more than once`, exception.place)
    found.push(exception)
  }
  return found
}

const operators: readonly string[] = ['exists', ...numberOperators, ...textOperators, ...listOperators]
const isModified = (operator: string): boolean => {
  const [base = '', modifier = '', ...rest] = operator.split(/ +/)
  return rest.length === 0 && textOperators.some(name => name === base) && modifiers.some(name => name === modifier)
}
const takesList = (operator: string): boolean => listOperators.some(name => name === operator) || isModified(operator)

const one = (entry: Entry): string => (entry.kind === 'one' ? entry.text.trim() : '')

/** What is wrong with a value, and where that is. */
export class ValueFault extends RangeError {
  readonly place: Place
  constructor(message: string, place: Place) {
    super(message)
    this.place = place
  }
}

/** Throws RangeError when it is no field. */
const checkField = (text: string, fields: FieldTable | undefined): void => {
  let operand: ReturnType<typeof parseOperandAt>
  try {
    operand = parseOperandAt(text, 0)
  } catch {}
  if (!operand || operand.end !== text.length) throw new RangeError(`"${text}" is no field`)
  if (fields && operand.operand.kind === 'field' && !findField(fields, operand.operand.name, operand.operand.argument))
    throw new RangeError(`there is no field ${operand.operand.name}`)
}

/**
 * With comparisons filled in: `=` for each of several fields, `in` for one. Throws RangeError when fields and comparisons do not go together. `fields` is absent
 * where the rule's source is not known.
 */
export const completeException = (exception: ExceptionDefinition, fields: FieldTable | undefined): ExceptionDefinition => {
  const { fields: of, place } = exception
  if (!of) throw new RangeError(`exception "${exception.name}" needs fields`)
  if (of.kind === 'several') {
    const comparisons = exception.comparisons ?? { kind: 'several', place, items: of.items.map(() => ({ kind: 'one', text: '=', place })) }
    if (comparisons.kind !== 'several' || comparisons.items.length !== of.items.length)
      throw new RangeError(`exception "${exception.name}": fields and comps must be lists of the same length`)
    for (const operator of comparisons.items.map(one))
      if (!operators.includes(operator) && !isModified(operator)) throw new RangeError(`"${operator}" is no operator`)
    for (const field of of.items) checkField(one(field), fields)
    return { ...exception, comparisons }
  }
  const comparisons: Entry = exception.comparisons ?? { kind: 'one', text: 'in', place }
  if (comparisons.kind !== 'one') throw new RangeError(`exception "${exception.name}": fields is one name, so comps must be one operator`)
  if (!takesList(one(comparisons)))
    throw new RangeError(
      `exception "${exception.name}": one field is compared with a list: comps must be in, pmatch, intersects, or one like "startswith anyof"`,
    )
  checkField(one(of), fields)
  return { ...exception, comparisons }
}

const value = (text: string): string => (/\s/.test(text) && !/^["']/.test(text) ? quote(text, true) : text)
const bracketed = (text: string): string => (text.startsWith('(') ? text : `(${value(text)})`)

const writeValue = (entry: Entry, operator: string): string => {
  if (entry.kind === 'several') return `(${entry.items.map(item => value(one(item))).join(', ')})`
  return takesList(operator) ? bracketed(entry.text) : value(entry.text)
}

const writeTuple = (fields: readonly Entry[], comparisons: readonly Entry[], values: Entry): Piece => {
  if (values.kind !== 'several' || values.items.length !== fields.length)
    throw new ValueFault(`there must be ${fields.length} values here, one for each of ${fields.map(one).join(', ')}`, values.place)
  const parts = values.items.map((entry, index) => {
    const [field, comparison] = [fields[index], comparisons[index]]
    const operator = comparison ? one(comparison) : '='
    return `${field ? one(field) : ''} ${operator} ${writeValue(entry, operator)}`
  })
  return generated(`(${parts.join(' and ')})`, values.place)
}

/** `and not (…)`, or nothing where there are no values. Throws ValueFault. */
export const writeException = (exception: ExceptionDefinition): readonly Piece[] => {
  const { fields, comparisons, values, place } = exception
  if (!fields || !comparisons || values.length === 0) return []
  if (fields.kind === 'one') {
    const texts = values.map(entry => {
      if (entry.kind === 'several')
        throw new ValueFault(`exception "${exception.name}": values of one field are a list of single values`, entry.place)
      return value(entry.text)
    })
    return [generated(`and not (${one(fields)} ${one(comparisons)} (${texts.join(', ')}))`, values[0]?.place ?? place)]
  }
  const operatorsOf = comparisons.kind === 'several' ? comparisons.items : []
  const pieces: Piece[] = [generated('and not (', place)]
  for (const [index, entry] of values.entries()) {
    if (index > 0) pieces.push(generated('or', entry.place))
    pieces.push(writeTuple(fields.items, operatorsOf, entry))
  }
  pieces.push(generated(')', place))
  return pieces
}
