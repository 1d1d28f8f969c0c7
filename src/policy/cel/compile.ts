/** From a tree to closures, checking types on the way. What is dyn is checked when it is evaluated. */
import { has, select, selectOptional } from './access.ts'
import { call, checkLiterals, noOverload, orElse } from './calls.ts'
import { evaluateFold, foldScope, mapFrom, resultType, variableTypes } from './folds.ts'
import { builtIn } from './operators.ts'
import type { Part } from './parts.ts'
import { blame, fault, guarded } from './parts.ts'
import type { Code, Library, Scope, Variable } from './scope.ts'
import { inner, resolve } from './scope.ts'
import type { Node } from './syntax.ts'
import type { Type } from './types.ts'
import { bool, bytes, double, dyn, formatType, int, join, listOf, mapOf, nullType, optionalOf, string, typeType, uint } from './types.ts'
import type { Value } from './values.ts'
import { CelError, none, Optional, TypeValue, typeName, Uint } from './values.ts'

/** Sees each part of an expression as it is evaluated. */
export type Trace = (node: Node, value: Value | CelError) => void

/** Names that stand for types: `type(x) == int`. */
const typeNames = new Map(
  [
    'bool',
    'int',
    'uint',
    'double',
    'string',
    'bytes',
    'list',
    'map',
    'null_type',
    'type',
    'optional_type',
    'google.protobuf.Timestamp',
    'google.protobuf.Duration',
    'kubernetes.URL',
    'kubernetes.Quantity',
    'kubernetes.Semver',
    'kubernetes.NamedFormat',
    'net.IP',
    'net.CIDR',
  ].map(name => [name, new TypeValue(name)]),
)

const literalType = (value: Value): Type => {
  if (value === null) return nullType
  if (value instanceof Uint) return uint
  if (value instanceof Uint8Array) return bytes
  return { string, bigint: int, number: double, boolean: bool }[String(typeof value)] ?? dyn
}

/** The name that a chain of selections spells: `google.protobuf.Timestamp`. */
const qualifiedName = (node: Node): string | undefined => {
  if (node.op === 'name') return node.name
  if (node.op !== 'select' || node.optional) return undefined
  const target = qualifiedName(node.target)
  return target === undefined ? undefined : `${target}.${node.field}`
}

const rootName = (node: Node): string | undefined => (node.op === 'name' ? node.name : node.op === 'select' ? rootName(node.target) : undefined)

/** Compiles the tree; throws SyntaxFault with the part that is wrong. */
export const compileNode = (root: Node, library: Library, globals: Scope, trace?: Trace): Part & { readonly slots: ReadonlySet<number> } => {
  const slots = new Set<number>()
  /** Lists and maps whose elements may differ: what `format` writes. */
  const mixed = new WeakSet<Node>()
  const mix = (node: Node): void => {
    if (node.op === 'call' && node.name === 'dyn') for (const each of node.args) mix(each)
    if (node.op !== 'list' && node.op !== 'map') return
    mixed.add(node)
    const inside = node.op === 'list' ? node.items.map(item => item.value) : node.entries.map(entry => entry.value)
    for (const each of inside) mix(each)
  }

  const part = (node: Node, scope: Scope): Part => {
    const made = emit(node, scope)
    if (!trace || node.op === 'literal') return made
    const { code } = made
    return {
      type: made.type,
      code: frame => {
        try {
          const value = code(frame)
          trace(node, value)
          return value
        } catch (error) {
          if (error instanceof CelError) trace(node, error)
          throw error
        }
      },
    }
  }

  const condition = (node: Node, scope: Scope): Code => {
    const { type, code } = part(node, scope)
    if (type.kind !== 'bool' && type.kind !== 'dyn') throw fault(node, `a condition is a bool, not a ${formatType(type)}`)
    return code
  }

  const emit = (node: Node, scope: Scope): Part => {
    switch (node.op) {
      case 'literal': {
        const { value } = node
        return { type: literalType(value), code: () => value }
      }
      case 'name':
        return nameOf(node, node.name, scope)
      case 'select':
        return selection(node, scope)
      case 'has': {
        const { code, type } = part(node.target, scope)
        const { field } = node
        checkField(node, type, field)
        return { type: bool, code: guarded(node, 1, frame => has(code(frame), field)) }
      }
      case 'and':
      case 'or':
        return {
          type: bool,
          code: logic(
            node,
            node.parts.map(each => condition(each, scope)),
            node.op === 'or',
          ),
        }
      case 'if':
        return ternary(node, scope)
      case 'list':
        return listLiteral(node, scope)
      case 'map':
        return mapLiteral(node, scope)
      case 'fold':
        return fold(node, scope)
      case 'bind': {
        const value = part(node.value, scope)
        const body = part(node.body, inner(scope, [node.variable], [value.type]))
        const slot = scope.depth
        return {
          type: body.type,
          code: frame => {
            frame.locals[slot] = value.code(frame)
            return body.code(frame)
          },
        }
      }
      case 'optMap':
        return optMap(node, scope)
      case 'call':
        return invoke(node, scope)
    }
  }

  const nameOf = (node: Node, name: string, scope: Scope): Part => {
    const variable = scope.variables.get(name)
    if (variable?.members) throw fault(node, `${name} is no value: name one of them, as in ${name}.${[...variable.members.keys()][0] ?? 'x'}`)
    if (variable) return variableOf(variable)
    const value = typeNames.get(name)
    if (value) return { type: typeType, code: () => value }
    throw fault(
      node,
      name === 'authorizer' ? 'there is no authorizer here: who may do what is not asked at the admission' : `there is no ${name} here`,
    )
  }

  const variableOf = ({ slot, type, local }: Variable): Part => {
    if (!local) slots.add(slot)
    return local
      ? { type, code: frame => frame.locals[slot] ?? null }
      : {
          type,
          code: frame => {
            frame.spend(1)
            return frame.activation.load(slot)
          },
        }
  }

  const checkField = (node: Node, type: Type, field: string): Type => {
    const target = type.kind === 'optional' ? (type.of[0] ?? dyn) : type
    if (target.kind === 'dyn') return dyn
    if (target.kind === 'map') return target.of[1] ?? dyn
    if (target.kind !== 'object') throw fault(node, `a ${formatType(target)} has no fields`)
    const known = target.fields?.get(field)
    if (known) return known
    const names = [...(target.fields?.keys() ?? [])]
    throw fault(
      node,
      names.length === 0 ? `${target.name} has no field ${field}` : `${target.name} has no field ${field}: it has ${names.join(', ')}`,
    )
  }

  const selection = (node: Extract<Node, { op: 'select' }>, scope: Scope): Part => {
    const root = rootName(node)
    if (root !== undefined && !scope.variables.has(root)) {
      const type = typeNames.get(qualifiedName(node) ?? '')
      if (type) return { type: typeType, code: () => type }
    }
    const { field, optional } = node
    const members = node.target.op === 'name' ? scope.variables.get(node.target.name)?.members : undefined
    if (members) {
      const member = members.get(field)
      if (!member)
        throw fault(
          node,
          members.size === 0 ? `there is no ${field} before this` : `there is no ${field} before this: there is ${[...members.keys()].join(', ')}`,
        )
      return variableOf(member)
    }
    const { type, code } = part(node.target, scope)
    const fieldType = checkField(node, type, field)
    if (optional || type.kind === 'optional')
      return { type: optionalOf(fieldType), code: guarded(node, 1, frame => selectOptional(code(frame), field)) }
    return { type: fieldType, code: guarded(node, 1, frame => select(code(frame), field)) }
  }

  /** `&&` is decided by a false and `||` by a true, wherever it stands; only then does a failure count. */
  const logic =
    (node: Node, parts: readonly Code[], deciding: boolean): Code =>
    frame => {
      let failure: CelError | undefined
      for (const each of parts) {
        try {
          const value = each(frame)
          if (value === deciding) return deciding
          if (typeof value !== 'boolean') throw blame(new CelError(`a condition is a bool, not a ${typeName(value)}`), node)
        } catch (error) {
          if (!(error instanceof CelError)) throw error
          failure ??= error
        }
      }
      if (failure) throw failure
      return !deciding
    }

  const ternary = (node: Extract<Node, { op: 'if' }>, scope: Scope): Part => {
    const test = condition(node.condition, scope)
    const then = part(node.then, scope)
    const otherwise = part(node.otherwise, scope)
    const type = join(then.type, otherwise.type)
    if (!type) throw fault(node, `the branches are of different types: ${formatType(then.type)} and ${formatType(otherwise.type)}`)
    return {
      type,
      code: frame => {
        const value = test(frame)
        if (value === true) return then.code(frame)
        if (value === false) return otherwise.code(frame)
        throw blame(new CelError(`a condition is a bool, not a ${typeName(value)}`), node.condition)
      },
    }
  }

  /** The type of what stands in a list or map: elements of different types go together only as dyn. */
  const joined = (nodes: readonly Node[], types: readonly Type[]): Type => {
    let type: Type | undefined
    for (const [at, each] of types.entries()) {
      const next: Type | undefined = type ? join(type, each) : each
      const node = nodes[at]
      if (!next && node && type) throw fault(node, `a ${formatType(each)} among ${formatType(type)}: elements are of one type, or dyn(…)`)
      type = next
    }
    return type ?? dyn
  }

  const optionalPart = (node: Node, scope: Scope, optional: boolean): Part => {
    const made = part(node, scope)
    if (!optional) return made
    if (made.type.kind !== 'optional' && made.type.kind !== 'dyn')
      throw fault(node, `behind ? an optional is expected, not a ${formatType(made.type)}`)
    return { type: made.type.of[0] ?? dyn, code: made.code }
  }

  const given = (value: Value): Value | undefined => {
    if (value instanceof Optional) return value.value
    throw new CelError(`behind ? an optional is expected, not a ${typeName(value)}`)
  }

  const listLiteral = (node: Extract<Node, { op: 'list' }>, scope: Scope): Part => {
    const parts = node.items.map(item => optionalPart(item.value, scope, item.optional))
    const optional = node.items.map(item => item.optional)
    const type = mixed.has(node)
      ? listOf(dyn)
      : listOf(
          joined(
            node.items.map(item => item.value),
            parts.map(each => each.type),
          ),
        )
    if (node.items.every(item => item.value.op === 'literal' && !item.optional)) {
      const list = node.items.map(item => (item.value.op === 'literal' ? item.value.value : null))
      return { type, code: () => list }
    }
    return {
      type,
      code: guarded(node, 10, frame => {
        const list: Value[] = []
        for (let at = 0; at < parts.length; at++) {
          const value = parts[at]?.code(frame) ?? null
          const kept = optional[at] ? given(value) : value
          if (kept !== undefined) list.push(kept)
        }
        return list
      }),
    }
  }

  const mapLiteral = (node: Extract<Node, { op: 'map' }>, scope: Scope): Part => {
    const keys = node.entries.map(entry => part(entry.key, scope))
    const values = node.entries.map(entry => optionalPart(entry.value, scope, entry.optional))
    const keyType = joined(
      node.entries.map(entry => entry.key),
      keys.map(each => each.type),
    )
    const valueType = mixed.has(node)
      ? dyn
      : joined(
          node.entries.map(entry => entry.value),
          values.map(each => each.type),
        )
    return {
      type: mapOf(keyType, valueType),
      code: guarded(node, 30, frame => {
        const entries: [Value, Value][] = []
        for (const [at, entry] of node.entries.entries()) {
          const key = keys[at]?.code(frame) ?? null
          const value = values[at]?.code(frame) ?? null
          const kept = entry.optional ? given(value) : value
          if (kept !== undefined) entries.push([key, kept])
        }
        return mapFrom(entries)
      }),
    }
  }

  const fold = (node: Extract<Node, { op: 'fold' }>, scope: Scope): Part => {
    const range = part(node.range, scope)
    const two = node.variables.length === 2
    const types = variableTypes(range.type, two)
    if (!types) throw fault(node.range, `a ${formatType(range.type)} has no elements to walk over`)
    const within = foldScope(scope, node, types)
    const decides = node.kind === 'all' || node.kind === 'exists' || node.kind === 'existsOne' || node.kind === 'filter'
    const filter = node.filter ? condition(node.filter, within) : undefined
    const body = decides ? { type: bool, code: condition(node.body, within) } : part(node.body, within)
    const made = { kind: node.kind, slot: scope.depth, two, filter, body: body.code }
    return { type: resultType(node.kind, range.type, body.type), code: guarded(node, 1, frame => evaluateFold(frame, range.code(frame), made)) }
  }

  const optMap = (node: Extract<Node, { op: 'optMap' }>, scope: Scope): Part => {
    const target = part(node.target, scope)
    if (target.type.kind !== 'optional' && target.type.kind !== 'dyn')
      throw fault(node.target, `optMap is for optionals, not for a ${formatType(target.type)}`)
    const body = part(node.body, inner(scope, [node.variable], [target.type.of[0] ?? dyn]))
    const slot = scope.depth
    return {
      type: node.flat ? (body.type.kind === 'optional' ? body.type : optionalOf(dyn)) : optionalOf(body.type),
      code: guarded(node, 1, frame => {
        const value = given(target.code(frame))
        if (value === undefined) return none
        frame.locals[slot] = value
        const result = body.code(frame)
        if (!node.flat) return new Optional(result)
        return result instanceof Optional ? result : new Optional(given(result))
      }),
    }
  }

  const invoke = (node: Extract<Node, { op: 'call' }>, scope: Scope): Part => {
    const namespace = node.receiver ? qualifiedName(node.receiver) : undefined
    const root = node.receiver ? rootName(node.receiver) : undefined
    const global = namespace !== undefined && root !== undefined && !scope.variables.has(root)
    const name = global ? `${namespace}.${node.name}` : node.name
    const spaced = global && library.has(`${name}/${node.args.length}`)
    const nodes = spaced || !node.receiver ? node.args : [node.receiver, ...node.args]
    if (node.name === 'format') for (const each of node.args) mix(each)
    const parts = nodes.map(each => part(each, scope))
    const special = spaced ? undefined : builtIn(node, parts)
    if (special) return special
    const types = parts.map(each => each.type)
    const method = node.receiver !== undefined && !spaced
    const overloads = library.get(spaced ? `${name}/${nodes.length}` : `${method ? '.' : ''}${node.name}/${nodes.length}`)
    const resolved = overloads ? resolve(overloads, types) : undefined
    if (!overloads || !resolved) throw fault(node, noOverload(node.name, method, types, overloads))
    checkLiterals(node, nodes, resolved.candidates)
    const [target, otherwise] = parts
    if (method && target && otherwise && (name === 'or' || name === 'orValue')) {
      return { type: resolved.result, code: guarded(node, 1, frame => orElse(target.code(frame), name === 'or', () => otherwise.code(frame))) }
    }
    const [only] = resolved.candidates
    if (only?.constant && resolved.candidates.length === 1 && nodes.every(each => each.op === 'literal')) {
      const value = only.run(...nodes.map(each => (each.op === 'literal' ? each.value : null)))
      return { type: resolved.result, code: () => value }
    }
    return {
      type: resolved.result,
      code: call(
        node,
        parts.map(each => each.code),
        resolved.candidates,
        resolved.certain,
      ),
    }
  }

  return { ...part(root, globals), slots }
}
