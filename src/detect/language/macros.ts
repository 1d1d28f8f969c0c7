/** Macros, each bound once, however many rules use it. What is wrong with one is told when a rule needs it. */
import type { FieldTable } from '../fields/field.ts'
import { bindExpression } from './bind.ts'
import type { Condition } from './condition.ts'
import type { Definitions, MacroDefinition, RuleDefinition } from './definitions.ts'
import type { ErrorCode, Report, WarningCode } from './diagnostic.ts'
import { tokenAt } from './lexer.ts'
import type { Lists } from './lists.ts'
import { parseExpression } from './parse.ts'
import type { Piece } from './piece.ts'
import { joinPieces } from './piece.ts'
import { SyntaxFault } from './syntax.ts'

/** Steps of recursion from a rule down to a check, through all macros. */
const deepest = 500
const mostOpen = 100

type Fault =
  | { readonly severity: 'error'; readonly kind: 'unknown' | 'wrong'; readonly code: ErrorCode; readonly at: number; readonly message: string }
  | { readonly severity: 'warning'; readonly code: WarningCode; readonly at: number; readonly message: string }

/** A condition put together, with what is wrong with it. */
export interface Bound {
  readonly piece: Piece
  readonly item: string
  readonly condition: Condition
  readonly faults: readonly Fault[]
  /** Macros that it names. */
  readonly uses: readonly Bound[]
  /** Of itself and of all macros below: */
  readonly hasUnknown: boolean
  readonly hasWrong: boolean
  readonly lacking: ReadonlySet<string>
  readonly depth: number
}

export interface Macros {
  /** `pieces` are the condition of a rule. */
  readonly bind: (pieces: readonly Piece[], rule: RuleDefinition) => Bound
  /** Tells what is wrong, each fault once. `isSkipped`: what is not known is a warning. */
  readonly tell: (bound: Bound, isSkipped: boolean) => void
  readonly unused: () => readonly MacroDefinition[]
}

/** Steps from this node to the deepest check. */
const depthOf = (condition: Condition, known: WeakMap<Condition, number>): number => {
  const found = known.get(condition)
  if (found !== undefined) return found
  let depth = 1
  if (condition.kind === 'and' || condition.kind === 'or')
    for (const operand of condition.operands) depth = Math.max(depth, 1 + depthOf(operand, known))
  else if (condition.kind === 'not') depth += depthOf(condition.operand, known)
  else if (condition.kind === 'macro') depth += depthOf(condition.body, known)
  known.set(condition, depth)
  return depth
}

export const createMacros = ({ macros }: Pick<Definitions, 'macros'>, lists: Lists, fields: FieldTable, report: Report): Macros => {
  const bound = new Map<string, Bound>()
  const used = new Set<string>()
  const open: string[] = []
  const depths = new WeakMap<Condition, number>()
  const told = new Set<Bound>()
  const toldSkipped = new Set<Bound>()

  const bindPieces = (pieces: readonly Piece[], item: string, visible: (macro: MacroDefinition) => boolean): Bound => {
    const piece = joinPieces(pieces)
    const faults: Fault[] = []
    const uses: Bound[] = []
    const lacking = new Set<string>()
    const wrong = (at: number, message: string, code: ErrorCode = 'LOAD_ERR_COMPILE_CONDITION'): void =>
      void faults.push({ kind: 'wrong', code, severity: 'error', at, message })

    const useMacro = (name: string, at: number): Condition | undefined => {
      const macro = macros.get(name)
      if (!macro || !visible(macro)) {
        const { line, file } = macro?.place ?? {}
        wrong(at, macro ? `macro ${name} is defined below, in line ${line} of ${file}: move it up` : `there is no macro ${name}`, 'LOAD_ERR_VALIDATE')
        return undefined
      }
      used.add(name)
      const known = bound.get(name)
      if (!known && (open.includes(name) || open.length > mostOpen)) {
        wrong(
          at,
          open.includes(name) ? `macro ${name} uses itself: ${[...open, name].join(' → ')}` : 'macros are nested too deep',
          'LOAD_ERR_VALIDATE',
        )
        return undefined
      }
      const body = known ?? bindMacro(macro)
      uses.push(body)
      for (const what of body.lacking) lacking.add(what)
      return body.condition
    }

    let condition: Condition = { kind: 'constant', value: false }
    try {
      condition = bindExpression(
        {
          fields,
          list: lists.values,
          macro: useMacro,
          fault: (kind, at, message) => void faults.push({ kind, code: 'LOAD_ERR_COMPILE_CONDITION', severity: 'error', at, message }),
          warning: (code, at, message) => void faults.push({ severity: 'warning', code, at, message }),
          lacking: what => void lacking.add(what),
        },
        parseExpression(piece.text),
      )
    } catch (error) {
      if (!(error instanceof SyntaxFault)) throw error
      wrong(error.at, error.message)
    }
    let depth = depthOf(condition, depths)
    if (depth > deepest) {
      wrong(0, 'it is nested too deep with all its macros', 'LOAD_ERR_VALIDATE')
      condition = { kind: 'constant', value: false }
      depth = 1
    }
    return {
      ...{ piece, item, condition, faults, uses, lacking, depth },
      hasUnknown: faults.some(fault => fault.severity === 'error' && fault.kind === 'unknown') || uses.some(use => use.hasUnknown),
      hasWrong: faults.some(fault => fault.severity === 'error' && fault.kind === 'wrong') || uses.some(use => use.hasWrong),
    }
  }

  const bindMacro = (macro: MacroDefinition): Bound => {
    open.push(macro.name)
    const result = bindPieces(macro.condition, `macro "${macro.name}"`, other => other.index < macro.visibility)
    open.pop()
    bound.set(macro.name, result)
    return result
  }

  // In the order of their definition, so that what a macro uses is mostly bound already.
  for (const macro of macros.values()) if (!bound.has(macro.name)) bindMacro(macro)

  const tell = (from: Bound, isSkipped: boolean): void => {
    const waiting = [from]
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      // What is skipped for one rule may be an error for another.
      const seen = isSkipped && next.hasUnknown ? toldSkipped : told
      if (seen.has(next)) continue
      seen.add(next)
      const { piece, item, faults, uses } = next
      waiting.push(...uses)
      for (const fault of faults) {
        const details = { item, token: tokenAt(piece.text, fault.at) }
        const place = piece.placeOf(fault.at)
        if (fault.severity === 'warning') report.warning(fault.code, place, fault.message, details)
        else if (fault.kind === 'unknown' && isSkipped) report.warning('LOAD_UNKNOWN_FILTER', place, fault.message, details)
        else report.error(fault.code, place, fault.message, details)
      }
    }
  }

  return {
    bind: (pieces, rule) => bindPieces(pieces, `rule "${rule.name}"`, () => true),
    tell,
    unused: () => [...macros.values()].filter(({ name }) => !used.has(name)),
  }
}
