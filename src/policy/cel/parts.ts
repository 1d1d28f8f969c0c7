/** What a part of an expression becomes. */
import type { Code } from './scope.ts'
import type { Node } from './syntax.ts'
import { SyntaxFault } from './tokens.ts'
import type { Type } from './types.ts'
import { CelError } from './values.ts'

export interface Part {
  readonly type: Type
  readonly code: Code
}

export const fault = (node: Node, message: string): SyntaxFault => new SyntaxFault(message, node.start, node.end)

/** The error of a part: the innermost one at fault is the one to show. */
export const blame = (error: unknown, node: Node): unknown => {
  if (error instanceof CelError) error.part ??= node
  return error
}

/** Costs `units`, and says which part was at fault. */
export const guarded =
  (node: Node, units: number, code: Code): Code =>
  frame => {
    frame.spend(units)
    try {
      return code(frame)
    } catch (error) {
      throw blame(error, node)
    }
  }
