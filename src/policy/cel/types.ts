/** Types as the checker knows them. `dyn` goes with everything: what it is, is seen when it is evaluated. */

export interface Type {
  /** `int`, `list`, `dyn`, `quantity`, …; `param` for the A and B of a signature; `object` for a map whose fields are known. */
  readonly kind: string
  /** Of the elements: one for a list or optional, two for a map. */
  readonly of: readonly Type[]
  /** Name of a param or object. */
  readonly name: string
  readonly fields?: ReadonlyMap<string, Type>
}

const simple = (kind: string): Type => ({ kind, of: [], name: kind })
export const dyn = simple('dyn')
export const bool = simple('bool')
export const int = simple('int')
export const uint = simple('uint')
export const double = simple('double')
export const string = simple('string')
export const bytes = simple('bytes')
export const nullType = simple('null')
export const typeType = simple('type')
export const listOf = (of: Type): Type => ({ kind: 'list', of: [of], name: 'list' })
export const mapOf = (key: Type, value: Type): Type => ({ kind: 'map', of: [key, value], name: 'map' })
export const optionalOf = (of: Type): Type => ({ kind: 'optional', of: [of], name: 'optional' })
export const objectOf = (name: string, fields: Readonly<Record<string, Type>>): Type => ({
  kind: 'object',
  of: [],
  name,
  fields: new Map(Object.entries(fields)),
})

/** `list<A>`, `map<string, dyn>`, `quantity`: the notation of signatures. */
export const parseType = (text: string): Type => {
  const open = text.indexOf('<')
  if (open < 0) return /^[A-Z]$/.test(text) ? { kind: 'param', of: [], name: text } : text === 'dyn' ? dyn : simple(text)
  const inner = text.slice(open + 1, -1)
  let depth = 0
  let from = 0
  const of: Type[] = []
  for (let at = 0; at <= inner.length; at++) {
    const char = inner[at]
    if (char === '<') depth++
    else if (char === '>') depth--
    else if (char === undefined || (char === ',' && depth === 0)) {
      of.push(parseType(inner.slice(from, at).trim()))
      from = at + 1
    }
  }
  return { kind: text.slice(0, open), of, name: text.slice(0, open) }
}

export const formatType = (type: Type): string => {
  if (type.kind === 'object' || type.kind === 'param') return type.name
  if (type.kind === 'timestamp' || type.kind === 'duration') return `google.protobuf.${type.kind === 'timestamp' ? 'Timestamp' : 'Duration'}`
  if (type.kind === 'optional') return `optional_type(${type.of.map(formatType).join(', ')})`
  return type.of.length === 0 ? type.kind : `${type.kind}(${type.of.map(formatType).join(', ')})`
}

const primitives = new Set(['bool', 'int', 'uint', 'double', 'string', 'bytes', 'list', 'map'])

/** Whether a value of type `actual` may stand where `wanted` is; binds the params of `wanted`. */
export const assignable = (wanted: Type, actual: Type, bindings: Map<string, Type>): boolean => {
  if (wanted.kind === 'param') {
    const bound = bindings.get(wanted.name)
    if (!bound || bound.kind === 'dyn') {
      bindings.set(wanted.name, actual)
      return true
    }
    return assignable(bound, actual, bindings)
  }
  if (wanted.kind === 'dyn' || actual.kind === 'dyn') return true
  if (actual.kind === 'null') return !primitives.has(wanted.kind)
  if (wanted.kind === 'null') return !primitives.has(actual.kind)
  if (wanted.kind === 'map' && actual.kind === 'object') return true
  if (wanted.kind !== actual.kind) return false
  if (wanted.kind === 'object') return wanted.name === actual.name
  return wanted.of.every((part, at) => assignable(part, actual.of[at] ?? dyn, bindings))
}

/** The type with its params replaced by what they are bound to; unbound ones are dyn. */
export const substitute = (type: Type, bindings: ReadonlyMap<string, Type>): Type => {
  if (type.kind === 'param') return bindings.get(type.name) ?? dyn
  return type.of.length === 0 ? type : { ...type, of: type.of.map(part => substitute(part, bindings)) }
}

/** The type of a literal's elements or of two branches: the same, or dyn where one is; undefined where they do not go together. */
export const join = (left: Type, right: Type): Type | undefined => {
  if (left.kind === 'dyn' || right.kind === 'dyn') return dyn
  if (!assignable(left, right, new Map())) return undefined
  if (left.kind === 'null') return right
  if (left.of.length === 0 || left.of.length !== right.of.length) return left
  return { ...left, of: left.of.map((part, at) => join(part, right.of[at] ?? dyn) ?? dyn) }
}

/** True where nothing of it is dyn: then the checker has said all there is to say. */
export const isConcrete = (type: Type): boolean => type.kind !== 'dyn' && type.kind !== 'param' && type.kind !== 'null'
