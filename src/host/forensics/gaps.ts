/** What evidence lacks, and why. Of a tree of millions there may be as many gaps: each kind is told once, with the first names and how many there were. */
export interface Gaps {
  note(why: string, name?: string): void
  list(): string[]
}

const mostNames = 5
const longestName = 200

export const createGaps = (): Gaps => {
  const kinds = new Map<string, { names: string[]; count: number }>()
  return {
    note: (why, name) => {
      const kind = kinds.get(why) ?? { names: [], count: 0 }
      kinds.set(why, kind)
      kind.count++
      if (name !== undefined && kind.names.length < mostNames) kind.names.push(name.slice(0, longestName))
    },
    list: () =>
      [...kinds].map(([why, { names, count }]) => {
        const more = count > names.length ? ` and ${count - names.length} more` : ''
        return names.length === 0 ? why : `${why}: ${names.map(name => JSON.stringify(name)).join(', ')}${more}`
      }),
  }
}
