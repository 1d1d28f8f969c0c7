/** Calls of functions: which overload it is, what is known before it is evaluated, and what is wrong with those that do not fit. */
import type { Overload } from './overloads.ts'
import { blame, fault } from './parts.ts'
import type { Code, Frame } from './scope.ts'
import type { Node } from './syntax.ts'
import type { Type } from './types.ts'
import { formatType } from './types.ts'
import type { Value } from './values.ts'
import { CelError, CostError, Optional, typeName } from './values.ts'

/** `or` and `orValue` evaluate their argument only where it is needed. */
export const orElse = (target: Value, wrapped: boolean, otherwise: () => Value): Value => {
  if (!(target instanceof Optional)) throw new CelError(`an optional is expected, not a ${typeName(target)}`)
  if (target.value !== undefined) return wrapped ? target : target.value
  const value = otherwise()
  if (wrapped && !(value instanceof Optional)) throw new CelError(`an optional is expected, not a ${typeName(value)}`)
  return value
}

const operatorText = (name: string): string => name.replaceAll('_', '').replaceAll('@', '')

export const noOverload = (name: string, method: boolean, types: readonly Type[], overloads: readonly Overload[] | undefined): string => {
  const written = types.map(formatType)
  const shown = /^[-_@!]/.test(name)
    ? `${operatorText(name)} of ${written.join(' and ')}`
    : method
      ? `${written[0]}.${name}(${written.slice(1).join(', ')})`
      : `${name}(${written.join(', ')})`
  if (!overloads) return `there is no ${shown}`
  const known = overloads
    .map(one => one.parameters.map(formatType))
    .map(all => (method ? `${all[0]}.${name}(${all.slice(1).join(', ')})` : `(${all.join(', ')})`))
  return `there is no ${shown}; there is ${known.slice(0, 6).join(', ')}`
}

/** Evaluates the arguments, finds the overload that takes them, and calls it. */
export const call = (node: Extract<Node, { op: 'call' }>, codes: readonly Code[], candidates: readonly Overload[], certain: boolean): Code => {
  const [first, second] = codes
  const only = candidates[0]
  const invokeWith = (frame: Frame, args: Value[]): Value => {
    const found = certain ? only : candidates.find(one => one.accepts.every((accepts, at) => accepts(args[at] ?? null)))
    if (!found) throw new CelError(`${operatorText(node.name)} does not go with ${args.map(typeName).join(' and ')}`)
    frame.spend(1 + (found.cost?.(...args) ?? 0))
    return found.run(...args)
  }
  return frame => {
    try {
      if (codes.length === 1 && first) return invokeWith(frame, [first(frame)])
      if (codes.length === 2 && first && second) return invokeWith(frame, [first(frame), second(frame)])
      return invokeWith(
        frame,
        codes.map(code => code(frame)),
      )
    } catch (error) {
      if (error instanceof CelError || error instanceof CostError) throw blame(error, node)
      throw error
    }
  }
}

/** Literals that a function would not take are found when it is compiled. */
export const checkLiterals = (node: Node, nodes: readonly Node[], candidates: readonly Overload[]): void => {
  const literals = nodes.map(each => (each.op === 'literal' ? each.value : undefined))
  const [only] = candidates
  if (!only || candidates.length !== 1) return
  try {
    only.check?.(...literals)
    if (only.constant && literals.every(each => each !== undefined)) only.run(...literals)
  } catch (error) {
    throw fault(nodes.at(-1) ?? node, error instanceof Error ? error.message : String(error))
  }
}
