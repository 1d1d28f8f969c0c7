/** From the text of rule files to rules that can be compiled. */

import type { FieldTable } from '../fields/field.ts'
import { fieldTable } from '../fields/table.ts'
import type { Scope } from './bind.ts'
import { bindOperand, Noted } from './bind.ts'
import type { Source } from './condition.ts'
import type { Definitions, RuleDefinition } from './definitions.ts'
import { createDefinitions } from './definitions.ts'
import type { Place, Report } from './diagnostic.ts'
import { createReport } from './diagnostic.ts'
import { eventTypesOf } from './event-types.ts'
import { ValueFault, writeException } from './exceptions.ts'
import { tokenAt } from './lexer.ts'
import { createLists } from './lists.ts'
import { loadPattern } from './load-pattern.ts'
import type { LoadedRules } from './loaded.ts'
import type { Bound, Macros } from './macros.ts'
import { createMacros } from './macros.ts'
import type { Output } from './output.ts'
import { parseOutput } from './output.ts'
import { parseOperandAt } from './parse.ts'
import type { PlacedPiece } from './pattern.ts'
import type { Piece } from './piece.ts'
import { generated, joinPieces } from './piece.ts'
import { readSource } from './read.ts'
import type { Rule, RuleSource } from './rule.ts'
import { simplify } from './simplify.ts'
import { SyntaxFault } from './syntax.ts'

export interface LoadOptions {
  /** All fields that there are; Dayfly's when it is absent. */
  readonly fieldsKnown?: FieldTable
}

/** The condition with its exceptions. Throws ValueFault. */
const piecesOf = ({ condition, exceptions, place }: RuleDefinition): readonly Piece[] => {
  const written = exceptions.flatMap(writeException)
  return written.length === 0 ? condition : [generated('(', place), ...condition, generated(')', place), ...written]
}

interface BoundOutput {
  readonly output: Output
  readonly isWrong: boolean
  readonly isSkipped: boolean
}

const bindOutput = (definition: RuleDefinition, fields: FieldTable, report: Report): BoundOutput => {
  const piece = joinPieces(definition.output)
  const item = `rule "${definition.name}"`
  let [isWrong, isSkipped] = [false, false]
  const scope: Scope = {
    fields,
    list: () => undefined,
    macro: () => undefined,
    fault: (kind, at, message) => {
      const details = { item, token: tokenAt(piece.text, at) }
      if (kind === 'unknown' && definition.skipIfUnknown) {
        isSkipped = true
        report.warning('LOAD_UNKNOWN_FILTER', piece.placeOf(at), `${message} (in the output)`, details)
      } else {
        isWrong = true
        report.error('LOAD_ERR_COMPILE_OUTPUT', piece.placeOf(at), `${message} (in the output)`, details)
      }
    },
    warning: (code, at, message) => report.warning(code, piece.placeOf(at), `${message} (in the output)`, { item, token: tokenAt(piece.text, at) }),
    // What is not known is <NA> in an output, which is no fault.
    lacking: () => {},
  }
  return { output: parseOutput(piece.text.trim(), scope), isWrong, isSkipped }
}

/** A field that stands alone, with transformers perhaps. */
const bindSource = (piece: PlacedPiece, item: string, fields: FieldTable, report: Report): Source | undefined => {
  const fault = (at: number, message: string): void =>
    report.error('LOAD_ERR_COMPILE_CONDITION', piece.placeOf(at), message, { item, token: tokenAt(piece.text, at) })
  const scope: Scope = {
    ...{ fields, list: () => undefined, macro: () => undefined },
    fault: (_kind, at, message) => fault(at, message),
    warning: (code, at, message) => report.warning(code, piece.placeOf(at), message, { item, token: tokenAt(piece.text, at) }),
    lacking: what => fault(0, `Dayfly has no ${what}: it never has a value`),
  }
  try {
    const found = parseOperandAt(piece.text, 0)
    if (found !== undefined && found.end === piece.text.length) return bindOperand(scope, found.operand)
    fault(found?.end ?? 0, 'there must be a field, and nothing after it')
  } catch (error) {
    if (error instanceof SyntaxFault) fault(error.at, error.message)
    else if (!(error instanceof Noted)) throw error
  }
  return undefined
}

/** More than this and a rule is asked for nearly everything. */
const manyEventTypes = 40

type Known = Parameters<typeof eventTypesOf>[1]
interface Loading {
  readonly fields: FieldTable
  readonly macros: Macros
  readonly report: Report
  readonly simplified: Parameters<typeof simplify>[1]
  readonly types: Known
}

/** A rule of a source that is not there: its fields are not known, so only its form is. */
const foreignRule = (definition: RuleDefinition): Rule => {
  const { name, description, priority, tags, source, enabled, place } = definition
  return {
    ...{ name, description, priority, source, enabled, place, tags: [...tags].sort(), text: joinPieces(definition.condition).text },
    condition: { kind: 'constant', value: false },
    output: { text: joinPieces(definition.output).text, parts: [] },
    eventTypes: new Set(),
    lacking: [`source: ${source}`],
    isInert: true,
  }
}

const warnOfRule = (definition: RuleDefinition, rule: Rule, report: Report): void => {
  const { name, place } = definition
  const item = `rule "${name}"`
  if (rule.lacking.length > 0) {
    const what = rule.lacking.join(', ')
    report.warning(
      'LOAD_LACKING',
      place,
      rule.isInert ? `it never matches: Dayfly has no ${what}` : `Dayfly has no ${what}: parts of it that ask for that are never true`,
      { item },
    )
  }
  if (rule.eventTypes.size > manyEventTypes && definition.warnEventTypes)
    report.warning(
      'LOAD_NO_EVTTYPE',
      place,
      'it is asked for nearly every event, which is slow: say for which ones it is, like evt.type in (execve, execveat)',
      { item },
    )
}

const loadRule = (definition: RuleDefinition, { fields, macros, report, simplified, types }: Loading): Rule | undefined => {
  const { name, description, priority, tags, source, enabled, place, skipIfUnknown } = definition
  if (source !== 'syscall') return foreignRule(definition)
  let bound: Bound
  try {
    bound = macros.bind(piecesOf(definition), definition)
  } catch (error) {
    if (!(error instanceof ValueFault)) throw error
    report.error('LOAD_ERR_VALIDATE', error.place, error.message, { item: `rule "${name}"` })
    return undefined
  }
  macros.tell(bound, skipIfUnknown)
  const { output, isWrong, isSkipped } = bindOutput(definition, fields, report)
  if (bound.hasWrong || isWrong || bound.hasUnknown || isSkipped) {
    if (!bound.hasWrong && !isWrong && skipIfUnknown)
      report.warning('LOAD_UNKNOWN_FILTER', place, 'it is skipped, as it says itself: it asks for something that is not known', {
        item: `rule "${name}"`,
      })
    return undefined
  }
  const condition = simplify(bound.condition, simplified)
  const eventTypes = eventTypesOf(condition, types)
  const lacking = [...bound.lacking].sort()
  const rule: Rule = {
    ...{
      name,
      description,
      priority,
      source,
      enabled,
      place,
      tags: [...tags].sort(),
      text: bound.piece.text,
      condition,
      output,
      eventTypes,
      lacking,
    },
    isInert: lacking.length > 0 && eventTypes.size === 0,
  }
  warnOfRule(definition, rule, report)
  return rule
}

const warnOfUnused = (
  definitions: { readonly unused: () => readonly { readonly name: string; readonly place: Place }[] },
  kind: 'macro' | 'list',
  report: Report,
): void => {
  for (const { name, place } of definitions.unused())
    report.warning(kind === 'macro' ? 'LOAD_UNUSED_MACRO' : 'LOAD_UNUSED_LIST', place, 'nothing uses it', { item: `${kind} "${name}"` })
}

/** As somebody reads the files: what was found first may stand last. */
const byPlace =
  (order: ReadonlyMap<string, number>) =>
  ({ place: left }: { readonly place: Place }, { place: right }: { readonly place: Place }): number =>
    (order.get(left.file) ?? 0) - (order.get(right.file) ?? 0) || left.line - right.line || left.column - right.column

/**
 * Reads the files in their order: later ones may append to what earlier ones define, or replace it. Never throws for what is in them: all that is wrong is in
 * `errors`, each with file, line and column, and the rules that it is about are left out.
 */
export const loadRules = (sources: readonly RuleSource[], { fieldsKnown = fieldTable }: LoadOptions = {}): LoadedRules => {
  const { report, findings } = createReport()
  const definitions: Definitions = createDefinitions()
  for (const source of sources) readSource(source, definitions, fieldsKnown, report)
  const lists = createLists(definitions, report)
  const macros = createMacros(definitions, lists, fieldsKnown, report)
  const loading: Loading = {
    ...{ fields: fieldsKnown, macros, report, simplified: new WeakMap() },
    types: { plain: new WeakMap(), negated: new WeakMap() },
  }
  const rules = [...definitions.rules.values()].flatMap(definition => loadRule(definition, loading) ?? [])
  const patterns = [...definitions.patterns.values()].flatMap(
    definition =>
      loadPattern(definition, {
        rule: step => loadRule(step, loading),
        output: told => {
          const { output, isWrong } = bindOutput(told, fieldsKnown, report)
          return isWrong ? undefined : output
        },
        source: (piece, item) => bindSource(piece, item, fieldsKnown, report),
      }) ?? [],
  )
  warnOfUnused(macros, 'macro', report)
  warnOfUnused(lists, 'list', report)
  const { errors, warnings } = findings()
  const order = new Map(sources.map(({ name }, index) => [name, index]))
  return { rules, patterns, errors: errors.toSorted(byPlace(order)), warnings: warnings.toSorted(byPlace(order)) }
}
