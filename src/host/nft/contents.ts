/** What a daemon's tables hold beside their rules: kept to make them again, and read from those that an earlier daemon left. */
import type { ListedElement } from './listing.ts'
import { nameSetFrom } from './names.ts'
import type { OpeningElement } from './openings.ts'
import { elementFrom } from './openings.ts'

/** By bridge, but for `widened` and `isolated`. */
export interface Contents {
  readonly openings: Map<string, Map<string, OpeningElement>>
  /** Keys of the lists of ports that names are open on. */
  readonly names: Map<string, Set<string>>
  /** Elements, each as it follows `add element`. */
  readonly inside: Map<string, Set<string>>
  /** Address of its resolver. */
  readonly resolvers: Map<string, string>
  readonly widened: Set<string>
  /** Bridges that nothing gets out of. */
  readonly isolated: Set<string>
  readonly refused: Map<string, number>
}

export const emptyContents = (): Contents => ({
  openings: new Map(),
  names: new Map(),
  inside: new Map(),
  resolvers: new Map(),
  widened: new Set(),
  isolated: new Set(),
  refused: new Map(),
})

/** From the names of the inet table's sets and the elements of those that hold something of bridges. `inside` is left empty. */
export const contentsOf = (sets: readonly string[], elements: readonly ListedElement[]): Contents => {
  const contents = emptyContents()
  for (const name of sets) {
    const found = nameSetFrom(name)
    if (found !== undefined) contents.names.set(found.bridge, (contents.names.get(found.bridge) ?? new Set()).add(found.key))
  }
  for (const { set, key, packets } of elements) {
    const first = String(key[0])
    const opening = elementFrom(set, key)
    if (opening !== undefined) contents.openings.set(first, (contents.openings.get(first) ?? new Map()).set(opening.text, opening))
    else if (set === 'widened') contents.widened.add(first)
    else if (set === 'isolated') contents.isolated.add(first)
    else if (set === 'resolvers') contents.resolvers.set(first, String(key[1]))
    else if (set === 'refused') contents.refused.set(first, packets)
  }
  return contents
}
