/** What a function of a library is: a name, the types it takes and gives, and what it does. Libraries are lists of them. */
import type { Type } from './types.ts'
import { parseType } from './types.ts'
import type { MapValue, Opaque, Value } from './values.ts'
import { Duration, isList, isMap, Optional, Timestamp, TypeValue, Uint } from './values.ts'

interface Natives {
  bool: boolean
  int: bigint
  uint: Uint
  double: number
  string: string
  bytes: Uint8Array
  null: null
  timestamp: Timestamp
  duration: Duration
  type: TypeValue
}

/** The JavaScript type of a parameter of that type. */
export type Native<T extends string> = T extends keyof Natives
  ? Natives[T]
  : T extends `list<${string}`
    ? readonly Value[]
    : T extends `map<${string}`
      ? MapValue
      : T extends `optional<${string}`
        ? Optional
        : Value

type Natively<P extends readonly string[]> = { -readonly [K in keyof P]: Native<P[K]> }

export interface Overload {
  readonly name: string
  /** Whether it is called as `receiver.name(…)`; the receiver is its first parameter then. */
  readonly method: boolean
  readonly parameters: readonly Type[]
  readonly result: Type
  /** Checks a value against each parameter when it is evaluated. */
  readonly accepts: readonly ((value: Value) => boolean)[]
  run(...args: Value[]): Value
  /** What a call costs beyond 1; in the units of the cost bound. */
  readonly cost: ((...args: Value[]) => number) | undefined
  /** With literal arguments it is evaluated when the expression is compiled: a faulty literal is found then, and it costs nothing later. */
  readonly constant: boolean
  /** Called when an expression is compiled, with the literals among the arguments: throws a CelError for a faulty one. */
  readonly check: ((...literals: (Value | undefined)[]) => void) | undefined
}

const accepts = (type: Type): ((value: Value) => boolean) => {
  switch (type.kind) {
    case 'bool':
      return value => typeof value === 'boolean'
    case 'int':
      return value => typeof value === 'bigint'
    case 'uint':
      return value => value instanceof Uint
    case 'double':
      return value => typeof value === 'number'
    case 'string':
      return value => typeof value === 'string'
    case 'bytes':
      return value => value instanceof Uint8Array
    case 'null':
      return value => value === null
    case 'timestamp':
      return value => value instanceof Timestamp
    case 'duration':
      return value => value instanceof Duration
    case 'type':
      return value => value instanceof TypeValue
    case 'list':
      return isList
    case 'map':
      return isMap
    case 'optional':
      return value => value instanceof Optional
    case 'dyn':
    case 'param':
      return () => true
    default:
      return value => typeof value === 'object' && value !== null && 'opaque' in value && value.opaque === type.kind
  }
}

interface Options {
  cost?: (...args: Value[]) => number
  constant?: boolean
  check?: (...literals: (Value | undefined)[]) => void
}

const overload = <const P extends readonly string[]>(
  method: boolean,
  name: string,
  parameters: P,
  result: string,
  run: (...args: Natively<P>) => Value,
  options: Options,
): Overload => {
  const types = parameters.map(parseType)
  return {
    name,
    method,
    parameters: types,
    result: parseType(result),
    accepts: types.map(accepts),
    // Called only with arguments that `accepts` has let through, which are of these types.
    run: run as unknown as (...args: Value[]) => Value,
    cost: options.cost,
    constant: options.constant ?? false,
    check: options.check,
  }
}

/** `name(…)`; a name with a dot is one of a namespace: `math.greatest`. */
export const fn = <const P extends readonly string[]>(
  name: string,
  parameters: P,
  result: string,
  run: (...args: Natively<P>) => Value,
  options: Options = {},
): Overload => overload(false, name, parameters, result, run, options)

/** `receiver.name(…)`; the receiver is the first parameter. */
export const method = <const P extends readonly string[]>(
  name: string,
  parameters: P,
  result: string,
  run: (...args: Natively<P>) => Value,
  options: Options = {},
): Overload => overload(true, name, parameters, result, run, options)

/** A value of a library that the type checker let through: of class `type`, for `accepts` has seen its name. */
export const opaque = <T extends Opaque>(type: abstract new (...args: never[]) => T, value: Value): T => {
  if (value instanceof type) return value
  throw new TypeError(`a ${type.name} is expected`)
}

/** Cost of walking over a text: a tenth for each character, as the API server counts. */
export const textCost = (...args: Value[]): number => {
  let cost = 0
  for (const arg of args) if (typeof arg === 'string' || arg instanceof Uint8Array) cost += arg.length / 10
  return cost
}

/** Cost of walking over lists and maps, members of members not counted. */
export const sizeCost = (...args: Value[]): number => {
  let cost = 0
  for (const arg of args) cost += isList(arg) ? arg.length : isMap(arg) ? arg.size : 0
  return cost
}
