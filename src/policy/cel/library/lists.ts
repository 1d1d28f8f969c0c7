/** Lists: the API server's own functions, the lists extension and sets. */
import { fn, method, sizeCost } from '../overloads.ts'
import type { Value } from '../values.ts'
import { CelError, compare, Duration, equals, isList, isNumeric, none, Optional, Timestamp, typeName, Uint } from '../values.ts'
import { arithmetic } from './arithmetic.ts'

const ordered = (left: Value, right: Value): number => {
  const order = compare(left, right)
  if (order === undefined) throw new CelError(`there is no order between ${typeName(left)} and ${typeName(right)}`)
  return order
}

const isSorted = (list: readonly Value[]): boolean => list.every((item, at) => at === 0 || ordered(list[at - 1] ?? null, item) <= 0)

const extreme = (list: readonly Value[], wins: (order: number) => boolean, name: string): Value => {
  const [first, ...rest] = list
  if (first === undefined) throw new CelError(`${name} of an empty list`)
  return rest.reduce((best, item) => (wins(ordered(item, best)) ? item : best), first)
}

const additions = arithmetic.filter(one => one.name === '_+_')
const sum = (list: readonly Value[]): Value => {
  const [first, ...rest] = list
  if (first === undefined) return 0n
  if (!isNumeric(first) && !(first instanceof Duration)) throw new CelError(`a ${typeName(first)} has no sum`)
  return rest.reduce((total, item) => {
    const add = additions.find(one => one.accepts[0]?.(total) && one.accepts[1]?.(item))
    if (!add || item instanceof Timestamp) throw new CelError(`there is no sum of ${typeName(total)} and ${typeName(item)}`)
    return add.run(total, item)
  }, first)
}

const distinct = (list: readonly Value[]): Value[] => {
  const kept: Value[] = []
  for (const item of list) if (!kept.some(other => equals(other, item))) kept.push(item)
  return kept
}

const flatten = (list: readonly Value[], depth: bigint): Value[] => {
  if (depth < 0n) throw new CelError('a depth is not negative')
  return list.flatMap(item => (isList(item) ? (depth > 1n ? flatten(item, depth - 1n) : item) : [item]))
}

const slice = (list: readonly Value[], from: bigint, to: bigint): Value[] => {
  if (from < 0n || to < from || to > BigInt(list.length)) throw new CelError(`there is no slice from ${from} to ${to} of a list of ${list.length}`)
  return list.slice(Number(from), Number(to))
}

const range = (count: bigint): Value[] => {
  if (count < 0n || count > 100_000n) throw new CelError('a range is of 0 to 100000 elements')
  return Array.from({ length: Number(count) }, (_, at) => BigInt(at))
}

const sort = (list: readonly Value[]): Value[] => list.toSorted(ordered)
const includes = (list: readonly Value[], wanted: Value): boolean => list.some(item => equals(item, wanted))

const product = (left: Value, right: Value): number => (isList(left) && isList(right) ? left.length * right.length : 0)
const square = (list: Value): number => (isList(list) ? list.length * list.length : 0)
const logarithmic = (list: Value): number => (isList(list) ? list.length * Math.ceil(Math.log2(list.length + 1)) : 0)
const cost = { cost: sizeCost }

export const lists = [
  method('isSorted', ['list<A>'], 'bool', isSorted, cost),
  method('sum', ['list<A>'], 'A', sum, cost),
  method('min', ['list<A>'], 'A', list => extreme(list, order => order < 0, 'min'), cost),
  method('max', ['list<A>'], 'A', list => extreme(list, order => order > 0, 'max'), cost),
  method('indexOf', ['list<A>', 'A'], 'int', (list, wanted) => BigInt(list.findIndex(item => equals(item, wanted))), cost),
  method('lastIndexOf', ['list<A>', 'A'], 'int', (list, wanted) => BigInt(list.findLastIndex(item => equals(item, wanted))), cost),
  method('distinct', ['list<A>'], 'list<A>', distinct, { cost: square }),
  method('flatten', ['list<dyn>'], 'list<dyn>', list => flatten(list, 1n), cost),
  method('flatten', ['list<dyn>', 'int'], 'list<dyn>', flatten, cost),
  method('slice', ['list<A>', 'int', 'int'], 'list<A>', slice, cost),
  method('sort', ['list<A>'], 'list<A>', sort, { cost: logarithmic }),
  method('reverse', ['list<A>'], 'list<A>', list => list.toReversed(), cost),
  method('first', ['list<A>'], 'optional<A>', list => (list.length === 0 ? none : new Optional(list[0]))),
  method('last', ['list<A>'], 'optional<A>', list => (list.length === 0 ? none : new Optional(list.at(-1)))),
  fn('lists.range', ['int'], 'list<int>', range, { cost: count => Number(count instanceof Uint ? 0 : count) }),
  fn('sets.contains', ['list<A>', 'list<A>'], 'bool', (list, part) => part.every(item => includes(list, item)), { cost: product }),
  fn(
    'sets.equivalent',
    ['list<A>', 'list<A>'],
    'bool',
    (left, right) => left.every(item => includes(right, item)) && right.every(item => includes(left, item)),
    {
      cost: (left, right) => 2 * product(left, right),
    },
  ),
  fn('sets.intersects', ['list<A>', 'list<A>'], 'bool', (left, right) => left.some(item => includes(right, item)), { cost: product }),
]
