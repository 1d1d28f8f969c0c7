/**
 * Which of many keywords are in some bytes: Aho-Corasick as one table of states by classes of bytes, one look-up a byte whatever the input.
 * ASCII letters match in either case. Bytes that are in no keyword share a class, so that the table stays small.
 */

export interface KeywordSearch {
  /** Gives every hit to `onHit`: index of the keyword and offset of the byte after its last one, in rising order. Pieces are one text. */
  push(bytes: Uint8Array, onHit: (keyword: number, end: number) => void): void
}

export interface KeywordAutomaton {
  readonly states: number
  search(): KeywordSearch
}

const fold = (byte: number): number => (byte >= 65 && byte <= 90 ? byte + 32 : byte)

/** `keywords` in lower case, none of them empty. */
export const createKeywordAutomaton = (keywords: readonly string[]): KeywordAutomaton => {
  const words = keywords.map(keyword => Buffer.from(keyword))
  const classes = new Uint8Array(256)
  let count = 1
  for (const word of words) for (const byte of word) if (classes[byte] === 0) classes[byte] = count++
  for (let byte = 65; byte <= 90; byte++) classes[byte] = classes[fold(byte)] ?? 0

  // The trie; 0 is the root, and in a cell that nothing was written to.
  const most = 1 + words.reduce((sum, word) => sum + word.length, 0)
  const next = new Int32Array(most * count)
  const ends: (number[] | undefined)[] = []
  let states = 1
  for (const [keyword, word] of words.entries()) {
    let state = 0
    for (const byte of word) {
      const cell = state * count + (classes[byte] ?? 0)
      let target = next[cell] ?? 0
      if (target === 0) {
        target = states++
        next[cell] = target
      }
      state = target
    }
    ends[state] = [...(ends[state] ?? []), keyword]
  }

  // Breadth first: what is missing in a state is what its longest proper suffix has.
  const suffix = new Int32Array(states)
  const queue = new Int32Array(states)
  let head = 0
  let tail = 0
  for (let index = 0; index < count; index++) {
    const target = next[index] ?? 0
    if (target !== 0) queue[tail++] = target
  }
  while (head < tail) {
    const state = queue[head++] ?? 0
    const back = suffix[state] ?? 0
    const inherited = ends[back]
    if (inherited !== undefined) ends[state] = [...(ends[state] ?? []), ...inherited]
    for (let index = 0; index < count; index++) {
      const cell = state * count + index
      const target = next[cell] ?? 0
      const fallback = next[back * count + index] ?? 0
      if (target === 0) next[cell] = fallback
      else {
        suffix[target] = fallback
        queue[tail++] = target
      }
    }
  }

  // States as offsets of their rows save a multiplication a byte; a row with keywords is marked by its sign.
  const table = new Int32Array(states * count)
  for (let cell = 0; cell < table.length; cell++) {
    const target = next[cell] ?? 0
    table[cell] = ends[target] === undefined ? target * count : -target * count
  }

  return {
    states,
    search: () => {
      let row = 0
      let before = 0
      return {
        push: (bytes, onHit) => {
          let at = row
          for (let index = 0; index < bytes.length; index++) {
            at = table[at + (classes[bytes[index] ?? 0] ?? 0)] ?? 0
            if (at < 0) {
              at = -at
              for (const keyword of ends[at / count] ?? []) onHit(keyword, before + index + 1)
            }
          }
          row = at
          before += bytes.length
        },
      }
    },
  }
}
