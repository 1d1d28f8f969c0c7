/** Operators that take values of any type: equality, order, `in`, and indexing. */
import { elementOf, optionalElementOf } from './access.ts'
import type { Part } from './parts.ts'
import { fault, guarded } from './parts.ts'
import type { Code, Frame } from './scope.ts'
import type { Node } from './syntax.ts'
import type { SyntaxFault } from './tokens.ts'
import { bool, dyn, formatType, int, join, optionalOf } from './types.ts'
import type { Value } from './values.ts'
import { CelError, compare, equals, isList, isMap, keyOf, typeName } from './values.ts'

const numeric = new Set(['int', 'uint', 'double'])
const ordered = new Set(['int', 'uint', 'double', 'string', 'bool', 'bytes', 'timestamp', 'duration', 'dyn'])
const orders: Readonly<Record<string, (order: number) => boolean>> = {
  '_<_': order => order < 0,
  '_<=_': order => order <= 0,
  '_>_': order => order > 0,
  '_>=_': order => order >= 0,
}

const equalTo = (frame: Frame, left: Value, right: Value): boolean => {
  if (typeof left === 'object' && left !== null) frame.spend(isList(left) ? left.length : isMap(left) ? left.size : 0)
  return equals(left, right)
}

const isIn = (frame: Frame, value: Value, range: Value): boolean => {
  if (isMap(range)) {
    const key = keyOf(value)
    return key !== undefined && range.has(key)
  }
  if (!isList(range)) throw new CelError(`in looks into lists and maps, not into a ${typeName(range)}`)
  frame.spend(range.length)
  return range.some(each => equals(each, value))
}

/** The operator, or undefined where the call is to a function. */
export const builtIn = (node: Extract<Node, { op: 'call' }>, parts: readonly Part[]): Part | undefined => {
  const [left, right] = parts
  if (node.receiver || !left || !right || parts.length !== 2) return undefined
  const mismatch = (): SyntaxFault =>
    fault(node, `${node.name.replaceAll(/[_@]/g, '')} does not go with ${formatType(left.type)} and ${formatType(right.type)}`)
  const pair = (units: number, decide: (a: Value, b: Value) => Value): Code =>
    guarded(node, units, frame => decide(left.code(frame), right.code(frame)))
  const order = orders[node.name]
  if (order) {
    const kinds = [left.type.kind, right.type.kind]
    const comparable =
      kinds.every(kind => ordered.has(kind)) && (kinds[0] === kinds[1] || kinds.includes('dyn') || kinds.every(kind => numeric.has(kind)))
    if (!comparable) throw mismatch()
    return {
      type: bool,
      code: pair(1, (a, b) => {
        const compared = compare(a, b)
        if (compared === undefined) throw new CelError(`there is no order between ${typeName(a)} and ${typeName(b)}`)
        if (Number.isNaN(compared)) throw new CelError('NaN values cannot be ordered')
        return order(compared)
      }),
    }
  }
  switch (node.name) {
    case '_==_':
    case '_!=_': {
      if (!join(left.type, right.type)) throw mismatch()
      const wanted = node.name === '_==_'
      return { type: bool, code: guarded(node, 1, frame => equalTo(frame, left.code(frame), right.code(frame)) === wanted) }
    }
    case '@in': {
      const of =
        right.type.kind === 'dyn' || right.type.kind === 'object'
          ? dyn
          : right.type.kind === 'list' || right.type.kind === 'map'
            ? right.type.of[0]
            : undefined
      if (!of || !join(of, left.type)) throw mismatch()
      return { type: bool, code: guarded(node, 1, frame => isIn(frame, left.code(frame), right.code(frame))) }
    }
    case '_[_]':
    case '_[?_]': {
      const optional = node.name === '_[?_]'
      const target = left.type.kind === 'optional' ? (left.type.of[0] ?? dyn) : left.type
      const [of, key] = target.kind === 'list' ? [target.of[0], int] : target.kind === 'map' ? [target.of[1], target.of[0]] : [dyn, dyn]
      if (!['list', 'map', 'dyn', 'object'].includes(target.kind) || !join(key ?? dyn, right.type)) throw mismatch()
      const viral = optional || left.type.kind === 'optional'
      return { type: viral ? optionalOf(of ?? dyn) : (of ?? dyn), code: pair(1, optional ? optionalElementOf : elementOf) }
    }
    default:
      return undefined
  }
}
