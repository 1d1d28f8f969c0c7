/** Comprehensions at run time. `all` and `exists` look for the element that decides before they fail of one that cannot be evaluated. */
import type { Code, Frame, Scope } from './scope.ts'
import { inner } from './scope.ts'
import type { FoldKind, Node } from './syntax.ts'
import type { Type } from './types.ts'
import { bool, dyn, int, listOf, mapOf } from './types.ts'
import type { Key, MapValue, Value } from './values.ts'
import { CelError, compare, isList, isMap, keyOf, keysOf, typeName, Uint, UintMap } from './values.ts'

export interface Fold {
  readonly kind: FoldKind
  /** Slot of the first variable; the second is behind it. */
  readonly slot: number
  readonly two: boolean
  readonly filter: Code | undefined
  readonly body: Code
}

/** What the variables of a fold are, by the type of its range; undefined where that cannot be walked over. */
export const variableTypes = (range: Type, two: boolean): readonly Type[] | undefined => {
  const [first = dyn, second = dyn] = range.of
  if (range.kind === 'list') return two ? [int, first] : [first]
  if (range.kind === 'map') return two ? [first, second] : [first]
  return range.kind === 'dyn' || range.kind === 'object' ? [dyn, dyn] : undefined
}

export const resultType = (kind: FoldKind, range: Type, body: Type): Type => {
  if (kind === 'all' || kind === 'exists' || kind === 'existsOne') return bool
  if (kind === 'filter' || kind === 'sortBy') return range.kind === 'list' ? range : listOf(range.kind === 'map' ? (range.of[0] ?? dyn) : dyn)
  if (kind === 'transformMap') return mapOf(range.kind === 'list' ? int : (range.of[0] ?? dyn), body)
  if (kind === 'transformMapEntry') return body.kind === 'map' ? body : mapOf(dyn, dyn)
  return listOf(body)
}

/** Calls `visit` for each element with the variables set, until it says `false`. */
const walk = (frame: Frame, range: Value, fold: Fold, visit: (element: Value, key: Value) => boolean): void => {
  const { locals } = frame
  const { slot, two } = fold
  if (isList(range)) {
    for (let at = 0; at < range.length; at++) {
      const element = range[at] ?? null
      const key = two ? BigInt(at) : element
      frame.spend(2)
      locals[slot] = key
      if (two) locals[slot + 1] = element
      if (!visit(element, key)) return
    }
    return
  }
  if (!isMap(range)) throw new CelError(`a ${typeName(range)} has no elements to walk over`)
  for (const key of keysOf(range)) {
    const element = two ? (range.get(keyOf(key) ?? '') ?? null) : key
    frame.spend(2)
    locals[slot] = key
    if (two) locals[slot + 1] = element
    if (!visit(element, key)) return
  }
}

const truth = (value: Value): boolean => {
  if (typeof value === 'boolean') return value
  throw new CelError(`a condition is a bool, not a ${typeName(value)}`)
}

/** `all` is decided by a false, `exists` by a true; else a failure decides. */
const quantify = (frame: Frame, range: Value, fold: Fold, deciding: boolean): boolean => {
  let failure: CelError | undefined
  let decided = false
  walk(frame, range, fold, () => {
    try {
      decided = truth(fold.body(frame)) === deciding
    } catch (error) {
      if (!(error instanceof CelError)) throw error
      failure ??= error
    }
    return !decided
  })
  if (decided) return deciding
  if (failure) throw failure
  return !deciding
}

const insert = (map: Map<Key, Value>, key: Value, value: Value): void => {
  const plain = keyOf(key)
  if (plain === undefined) throw new CelError(`a ${typeName(key)} is no key of a map`)
  if (map.has(plain)) throw new CelError(`the key ${String(plain)} comes twice`)
  map.set(plain, value)
}

/** A map of entries in their order; a key that comes twice is an error. */
export const mapFrom = (entries: Iterable<readonly [Value, Value]>): MapValue => {
  const list = [...entries]
  const map = list.length > 0 && list.every(([key]) => key instanceof Uint) ? new UintMap() : new Map<Key, Value>()
  for (const [key, value] of list) insert(map, key, value)
  return map
}

const collect = (frame: Frame, range: Value, fold: Fold, each: (element: Value, key: Value) => void): void =>
  walk(frame, range, fold, (element, key) => {
    if (!fold.filter || truth(fold.filter(frame))) each(element, key)
    return true
  })

const sorted = (pairs: { by: Value; element: Value }[]): Value[] =>
  pairs
    .toSorted((left, right) => {
      const order = compare(left.by, right.by)
      if (order === undefined) throw new CelError(`there is no order between ${typeName(left.by)} and ${typeName(right.by)}`)
      return order
    })
    .map(pair => pair.element)

export const evaluateFold = (frame: Frame, range: Value, fold: Fold): Value => {
  switch (fold.kind) {
    case 'all':
      return quantify(frame, range, fold, false)
    case 'exists':
      return quantify(frame, range, fold, true)
    case 'existsOne': {
      let count = 0
      walk(frame, range, fold, () => {
        if (truth(fold.body(frame))) count++
        return true
      })
      return count === 1
    }
    case 'filter': {
      const kept: Value[] = []
      walk(frame, range, fold, element => {
        if (truth(fold.body(frame))) kept.push(element)
        return true
      })
      return kept
    }
    case 'map':
    case 'transformList': {
      const made: Value[] = []
      collect(frame, range, fold, () => made.push(fold.body(frame)))
      return made
    }
    case 'transformMap': {
      const entries: [Value, Value][] = []
      collect(frame, range, fold, (_element, key) => entries.push([key, fold.body(frame)]))
      return mapFrom(entries)
    }
    case 'transformMapEntry': {
      const entries: [Value, Value][] = []
      collect(frame, range, fold, () => {
        const made = fold.body(frame)
        if (!isMap(made)) throw new CelError(`an entry is a map, not a ${typeName(made)}`)
        for (const key of keysOf(made)) entries.push([key, made.get(keyOf(key) ?? '') ?? null])
      })
      return mapFrom(entries)
    }
    case 'sortBy': {
      const pairs: { by: Value; element: Value }[] = []
      walk(frame, range, fold, element => pairs.push({ by: fold.body(frame), element }) > 0)
      frame.spend(pairs.length * Math.ceil(Math.log2(pairs.length + 1)))
      return sorted(pairs)
    }
  }
}

/** The scope of a fold's body. */
export const foldScope = (scope: Scope, node: Extract<Node, { op: 'fold' }>, types: readonly Type[]): Scope => inner(scope, node.variables, types)
