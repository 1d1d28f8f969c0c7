/** Outputs of rules: `%proc.name`, `%proc.aname[2]`, `%toupper(proc.name)`, `%10proc.name`, within text. */
import type { EventContext } from '../fields/context.ts'
import type { FieldTable, FieldType, Scalar, Value } from '../fields/field.ts'
import { findField } from '../fields/find.ts'
import type { Scope } from './bind.ts'
import { bindOperand, Noted } from './bind.ts'
import type { Source } from './condition.ts'
import { parseOperandAt } from './parse.ts'
import type { Operand } from './syntax.ts'
import { SyntaxFault } from './syntax.ts'
import { textOf } from './transformers.ts'

export interface Output {
  /** As it is written. */
  readonly text: string
  readonly parts: readonly (string | OutputField)[]
}

export interface OutputField {
  /** As it is written, without the %. */
  readonly name: string
  readonly source: Source
  /** Cut off or filled up with blanks to so many characters. */
  readonly width: number | undefined
}

/** A field's name may run into text (`%proc.nameand`): the longest one that there is. */
const longestField = (text: string, at: number, fields: FieldTable): { readonly operand: Operand; readonly end: number } | undefined => {
  const found = parseOperandAt(text, at)
  if (found?.operand.kind !== 'field' || findField(fields, found.operand.name, found.operand.argument)) return found
  const { name } = found.operand
  for (let length = name.length - 1; length > 0; length--)
    if (findField(fields, name.slice(0, length), undefined)) {
      const end = at + length
      // What follows may still be its argument.
      const again = text[end] === '[' ? parseOperandAt(`${name.slice(0, length)}${text.slice(end)}`, 0) : undefined
      if (again) return { operand: { ...again.operand, at }, end: at + again.end }
      return { operand: { kind: 'field', name: name.slice(0, length), argument: undefined, at }, end }
    }
  return found
}

const bindPart = (text: string, percent: number, scope: Scope): { readonly field: OutputField | undefined; readonly end: number } => {
  const [digits = ''] = /^\d*/.exec(text.slice(percent + 1, percent + 6)) ?? []
  const start = percent + 1 + digits.length
  const nothing = { field: undefined, end: start }
  try {
    const found = longestField(text, start, scope.fields)
    if (!found) {
      scope.fault('wrong', percent, 'a field or a transformer must follow %')
      return nothing
    }
    const { operand, end } = found
    if (operand.kind === 'field' && findField(scope.fields, operand.name, operand.argument)?.field.conditionOnly) {
      scope.fault('wrong', start, `${operand.name} is for conditions only: it cannot be written`)
      return { field: undefined, end }
    }
    const source = bindOperand(scope, operand)
    return { field: { name: text.slice(start, end), source, width: digits === '' ? undefined : Number(digits) }, end }
  } catch (error) {
    if (error instanceof SyntaxFault) scope.fault('wrong', error.at, error.message)
    else if (!(error instanceof Noted)) throw error
    return nothing
  }
}

/** What is wrong goes to the scope, all of it. A `*` at the beginning, which sysdig has, is dropped. */
export const parseOutput = (text: string, scope: Scope): Output => {
  const parts: (string | OutputField)[] = []
  let at = text.startsWith('*') ? 1 : 0
  for (let percent = text.indexOf('%', at); percent >= 0; percent = text.indexOf('%', at)) {
    if (percent > at) parts.push(text.slice(at, percent))
    // An old way to ask for the container's fields. It stands for nothing now.
    if (text.startsWith('%container.info', percent)) {
      scope.warning('LOAD_DEPRECATED_ITEM', percent, '%container.info stands for nothing any more: name the fields')
      at = percent + '%container.info'.length
      continue
    }
    const { field, end } = bindPart(text, percent, scope)
    if (field) parts.push(field)
    at = Math.max(end, percent + 1)
  }
  if (at < text.length) parts.push(text.slice(at))
  return { text, parts }
}

/** Nanoseconds are kept as doubles, which are exact to the microsecond: the digits below would be noise. */
const formatScalar = (value: Scalar, type: FieldType): string => {
  if (typeof value === 'number' && (type === 'time' || type === 'duration') && Math.abs(value) > 2 ** 53) return `${Math.round(value / 1000)}000`
  return textOf(value)
}

export const formatValue = (value: Value, { type, holds }: Pick<Source, 'type' | 'holds'>): string => {
  if (typeof value !== 'object' || value instanceof Uint8Array) return formatScalar(value, type)
  const texts = value.map(scalar => formatScalar(scalar, type))
  return holds === 'list' ? `(${texts.join(',')})` : texts.join(' ')
}

const plainOf = (value: Value, source: Source): string | number | boolean => {
  if (typeof value === 'boolean' || typeof value === 'string') return value
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : formatValue(value, source)
}

export const formatOutput = (
  { parts }: Output,
  context: EventContext,
): { readonly output: string; readonly fields: Readonly<Record<string, string | number | boolean | null>> } => {
  const fields: Record<string, string | number | boolean | null> = {}
  let output = ''
  for (const part of parts) {
    if (typeof part === 'string') {
      output += part
      continue
    }
    const value = part.source.read(context)
    const text = value === undefined ? '<NA>' : formatValue(value, part.source)
    fields[part.name] = value === undefined ? null : plainOf(value, part.source)
    output += part.width === undefined ? text : text.slice(0, part.width).padEnd(part.width)
  }
  return { output, fields }
}
