/**
 * Which keywords occur in a file, as native/unpack/keywords.c says it, for folders that no unpacker writes: the same filter over every four bytes, the same
 * answer. Fixed memory whatever the file.
 */

export const shortestKeyword = 3
export const longestKeyword = 64
export const mostKeywords = 4096
const mostHits = 256

const filterBits = 17
const fold = 0x20202020
const shift = 32 - filterBits

const hash = (window: number): number => Math.imul(window | fold, 0x9e3779b1) >>> shift

/** A keyword in a file: its place in the list, and where its first byte is. */
export interface Hit {
  readonly keyword: number
  readonly offset: number
}

export interface Occurrences {
  /** Rising. */
  readonly keywords: readonly number[]
  /** The first of them, by offset. */
  readonly hits: readonly Hit[]
  readonly more: boolean
}

export interface FileSearch {
  /** The next bytes of the file. */
  push(bytes: Uint8Array): void
  end(): Occurrences
}

const lower = (byte: number): number => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte)

/** `keywords` in lower case, 3 to 64 bytes each. */
export const createKeywordFilter = (keywords: readonly string[]): (() => FileSearch) => {
  const words = keywords.map(keyword => Buffer.from(keyword))
  const filter = new Int32Array((1 << filterBits) / 32)
  const byStart = new Map<number, number[]>()
  const letThrough = (window: number): void => {
    const bit = hash(window)
    filter[bit >> 5] = (filter[bit >> 5] ?? 0) | (1 << (bit & 31))
  }
  for (const [index, word] of words.entries()) {
    const [a = 0, b = 0, c = 0, d] = word
    const start = a | (b << 8) | (c << 16)
    if (d === undefined) for (let last = 0; last < 256; last++) letThrough(start | (last << 24))
    else letThrough(start | (d << 24))
    byStart.set(start, [...(byStart.get(start) ?? []), index])
  }
  const longest = Math.max(4, ...words.map(word => word.length))
  const kept = longest - 1

  return () => {
    const found = new Set<number>()
    const hits: Hit[] = []
    let more = false
    let carried = new Uint8Array(0)
    let offset = 0

    const match = (bytes: Uint8Array, at: number, size: number, position: number): void => {
      const start = lower(bytes[at] ?? 0) | (lower(bytes[at + 1] ?? 0) << 8) | (lower(bytes[at + 2] ?? 0) << 16)
      for (const index of byStart.get(start) ?? []) {
        const word = words[index]
        if (word === undefined || at + word.length > size) continue
        let same = 3
        while (same < word.length && lower(bytes[at + same] ?? 0) === word[same]) same++
        if (same < word.length) continue
        found.add(index)
        if (hits.length < mostHits) hits.push({ keyword: index, offset: position })
        else more = true
      }
    }
    /** Keywords that begin in the first `positions` bytes and end before `size`. */
    const search = (bytes: Uint8Array, positions: number, size: number): void => {
      let window = ((bytes[0] ?? 0) << 8) | ((bytes[1] ?? 0) << 16) | ((bytes[2] ?? 0) << 24)
      for (let at = 0; at < positions; at++) {
        window = (window >>> 8) | ((bytes[at + 3] ?? 0) << 24)
        const bit = hash(window)
        if (((filter[bit >> 5] ?? 0) >> (bit & 31)) & 1) match(bytes, at, size, offset + at)
      }
      offset += positions
    }
    const join = (left: Uint8Array, right: Uint8Array): Uint8Array<ArrayBuffer> => {
      const both = new Uint8Array(left.length + right.length)
      both.set(left)
      both.set(right, left.length)
      return both
    }
    return {
      push: bytes => {
        if (words.length === 0) return
        if (bytes.length < kept) {
          carried = join(carried, bytes)
          const decided = carried.length - kept
          if (decided <= 0) return
          search(carried, decided, carried.length)
          carried = carried.slice(decided)
          return
        }
        if (carried.length > 0) search(join(carried, bytes.subarray(0, kept)), carried.length, carried.length + kept)
        search(bytes, bytes.length - kept, bytes.length)
        carried = Uint8Array.from(bytes.subarray(bytes.length - kept))
      },
      end: () => {
        search(carried, carried.length, carried.length)
        return { keywords: [...found].sort((left, right) => left - right), hits, more }
      },
    }
  }
}
