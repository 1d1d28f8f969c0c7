/** Which of the records that match a package are one vulnerability: those that name each other, however many steps apart. */
import type { Candidate } from './lookup.ts'
import type { RecordFacts } from './rows.ts'

/** A record that matches, with what it says of the package. */
export interface Hit {
  readonly record: RecordFacts
  readonly candidate: Candidate
  /** The version that is affected: of the source, where the data speaks of sources. */
  readonly version: string
}

export interface Group {
  /** All names, CVEs first. */
  readonly names: readonly string[]
  readonly hits: readonly Hit[]
}

/** Our own names of what has none. */
const isInternal = (name: string): boolean => name.startsWith('DEBIAN-TRACKER-')

const order = (name: string): number => (name.startsWith('CVE-') ? 0 : name.startsWith('GHSA-') ? 1 : name.startsWith('TEMP-') ? 3 : 2)

const collator = new Intl.Collator('en', { numeric: true })

/** `CVE-2024-9999` before `CVE-2024-10000`. */
const compareNames = (left: string, right: string): number => order(left) - order(right) || collator.compare(left, right)

/** An advisory about several vulnerabilities is in the group of each, and does not make them one. */
const identities = ({ id, aliases, covers }: RecordFacts): readonly (readonly string[])[] =>
  covers.length > 1 ? covers.map(cve => [cve]) : [[id, ...aliases, ...covers]]

export const groupsOf = (hits: readonly Hit[]): Group[] => {
  const parents = new Map<string, string>()
  const rootOf = (name: string): string => {
    let root = name
    for (let above = parents.get(root); above !== undefined && above !== root; above = parents.get(root)) root = above
    // Shorten the way, so that long chains of aliases stay quick.
    for (let at = name; at !== root; ) {
      const above = parents.get(at) ?? root
      parents.set(at, root)
      at = above
    }
    return root
  }
  const members: { readonly first: string; readonly hit: Hit }[] = []
  for (const hit of hits) {
    for (const names of identities(hit.record)) {
      const [first = hit.record.id] = names
      members.push({ first, hit })
      for (const name of names) {
        if (!parents.has(name)) parents.set(name, name)
        const [a, b] = [rootOf(first), rootOf(name)]
        if (a !== b) parents.set(b, a)
      }
    }
  }
  const groups = new Map<string, Set<Hit>>()
  for (const { first, hit } of members) {
    const root = rootOf(first)
    const known = groups.get(root)
    if (known) known.add(hit)
    else groups.set(root, new Set([hit]))
  }
  const namesOf = new Map<string, Set<string>>()
  for (const name of parents.keys()) {
    const root = rootOf(name)
    const known = namesOf.get(root)
    if (known) known.add(name)
    else namesOf.set(root, new Set([name]))
  }
  return [...groups].map(([root, found]) => {
    const names = namesOf.get(root) ?? new Set([root])
    for (const { record } of found) names.add(record.id)
    const shown = [...names].filter(name => !isInternal(name))
    return { names: (shown.length > 0 ? shown : [...names]).toSorted(compareNames), hits: [...found] }
  })
}
