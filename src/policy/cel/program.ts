/** An expression, compiled: what policies are made of. */
import { DayflyError } from '../../base/errors.ts'
import type { Trace } from './compile.ts'
import { compileNode } from './compile.ts'
import { expandMacro } from './macros.ts'
import type { Activation, Library, Scope } from './scope.ts'
import { Frame } from './scope.ts'
import type { Node } from './syntax.ts'
import { parseExpression } from './syntax.ts'
import { SyntaxFault } from './tokens.ts'
import type { Type } from './types.ts'
import type { Value } from './values.ts'
import { CelError, CostError } from './values.ts'

/** The API server's limit for one expression; about a tenth of a second there. */
export const expressionLimit = 1_000_000

export interface Program {
  readonly source: string
  readonly node: Node
  readonly type: Type
  /** Slots of the variables that it speaks of. */
  readonly slots: ReadonlySet<number>
  /** Throws CelError or CostError, nothing else. Takes what it costs from the activation's budget. */
  run(activation: Activation): Value
}

/** What a fault looks like to whoever wrote the expression: its line, with a caret below. */
export const caret = (source: string, start: number, end: number): string => {
  const from = source.lastIndexOf('\n', start - 1) + 1
  const to = source.indexOf('\n', start)
  const line = source.slice(from, to < 0 ? source.length : to)
  const left = Math.max(0, start - from - 60)
  const shown = line.slice(left, left + 120)
  const at = start - from - left
  const marks = Math.max(1, Math.min(end - start, shown.length - at))
  return `${shown.replaceAll('\t', ' ')}\n${' '.repeat(at)}${'^'.repeat(marks)}`
}

export class CompileError extends DayflyError {
  /** Offset of the fault in the expression. */
  readonly start: number
  readonly token: string
  readonly reason: string
  constructor(source: string, fault: SyntaxFault) {
    const token = source.slice(fault.start, Math.min(fault.end, fault.start + 60))
    super('invalid', `${fault.message}\n${caret(source, fault.start, fault.end)}`, { remedy: 'Correct the expression where the caret stands.' })
    this.start = fault.start
    this.token = token
    this.reason = fault.message
  }
}

/** Compiles an expression; throws CompileError. With `trace`, each part says what it was when it is evaluated. */
export const compile = (source: string, library: Library, scope: Scope, trace?: Trace): Program => {
  try {
    const node = parseExpression(source, expandMacro)
    const { type, code, slots } = compileNode(node, library, scope, trace)
    const run = (activation: Activation): Value => {
      const limit = Math.min(activation.limit, activation.budget)
      const frame = new Frame(activation, limit)
      try {
        return code(frame)
      } catch (error) {
        if (error instanceof CelError || error instanceof CostError) throw error
        // What is left is the stack's end or a defect of a library; neither may pass for an answer.
        throw new CelError(`it could not be evaluated: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
      } finally {
        activation.budget -= limit - Math.max(0, frame.left)
      }
    }
    return { source, node, type, slots, run }
  } catch (error) {
    if (error instanceof SyntaxFault) throw new CompileError(source, error)
    if (error instanceof RangeError) throw new CompileError(source, new SyntaxFault('the expression is nested too deeply', 0, source.length))
    throw error
  }
}
