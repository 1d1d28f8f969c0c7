/** What lists stand for, with the lists in them. */
import type { Definitions, ListDefinition } from './definitions.ts'
import type { Report } from './diagnostic.ts'
import { parseItem } from './parse.ts'

/** Values of all lists and all their uses together: more than anybody writes, less than a hostile file can make. */
const mostValues = 5_000_000
/** Lists within lists. */
const deepest = 100

export interface Lists {
  /** Undefined when there is no list of that name. Marks it as used. */
  readonly values: (name: string) => readonly string[] | undefined
  readonly unused: () => readonly ListDefinition[]
}

const itemValues = (text: string): readonly string[] | undefined => {
  if (text === '' || (/\s/.test(text) && !/^["']/.test(text))) return [text]
  return parseItem(text)?.map(literal => literal.text)
}

export const createLists = ({ lists }: Pick<Definitions, 'lists'>, report: Report): Lists => {
  const expanded = new Map<string, readonly string[]>()
  const used = new Set<string>()
  const open: string[] = []
  let left = mostValues

  const spend = (list: ListDefinition, count: number): boolean => {
    left -= count
    if (left < 0 && left + count >= 0)
      report.error('LOAD_ERR_VALIDATE', list.place, `lists come to more than ${mostValues} values, counted where they are used`, {
        item: `list "${list.name}"`,
      })
    return left >= 0
  }

  const expand = (list: ListDefinition): readonly string[] => {
    const known = expanded.get(list.name)
    if (known) return known
    const item = `list "${list.name}"`
    if (open.includes(list.name) || open.length > deepest) {
      report.error(
        'LOAD_ERR_VALIDATE',
        list.place,
        open.includes(list.name) ? `it contains itself: ${open.join(', ')}` : 'lists are nested too deep',
        { item },
      )
      return []
    }
    open.push(list.name)
    const values = new Set<string>()
    const seen = new Set<string>()
    for (const { text, place } of list.items) {
      if (seen.has(text)) continue
      seen.add(text)
      const inner = lists.get(text)
      if (inner && inner !== list && inner.index < list.visibility) used.add(inner.name)
      const added = inner && inner !== list && inner.index < list.visibility ? expand(inner) : itemValues(text)
      if (!added)
        report.error('LOAD_ERR_VALIDATE', place, `${text} cannot stand in a condition as it is: write '"…"' around it`, { item, token: text })
      if (!spend(list, added?.length ?? 0)) break
      for (const value of added ?? []) values.add(value)
    }
    open.pop()
    const result = [...values]
    expanded.set(list.name, result)
    return result
  }

  return {
    values: name => {
      const list = lists.get(name)
      if (!list) return undefined
      used.add(name)
      const values = expand(list)
      return spend(list, values.length) ? values : []
    },
    unused: () => [...lists.values()].filter(({ name }) => !used.has(name)),
  }
}
