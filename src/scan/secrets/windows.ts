/** Which parts of a large or binary file are read and matched: what is around the keywords. */

/** Bytes from `start` up to and without `end`. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** How far from its keyword a match may reach, bytes. */
export const reach = 4096
/** Longest piece that is matched at once. Longer spans are cut into pieces that overlap by `2 * reach`. */
export const longestPiece = 256 * 1024

/** Merges what is around each of `ends` (offsets in rising order) as they come: memory follows the size of the file, not the number of hits. */
export const createSpans = () => {
  const spans: { start: number; end: number }[] = []
  return {
    spans,
    add: (end: number): void => {
      const last = spans.at(-1)
      if (last !== undefined && end - reach <= last.end) last.end = Math.max(last.end, end + reach)
      else spans.push({ start: Math.max(0, end - reach), end: end + reach })
    },
  }
}

export interface Piece extends Span {
  /** A match belongs to the piece that it begins in between these two. Every offset is in one piece's. */
  readonly from: number
  readonly to: number
}

/** The pieces of `spans` (in rising order, not overlapping) in a file of `size` bytes. */
export const piecesOf = (spans: Iterable<Span>, size: number): Piece[] => {
  const pieces: Piece[] = []
  for (const span of spans) {
    const last = Math.min(span.end, size)
    for (let start = span.start; start < last; start += longestPiece - 2 * reach) {
      const end = Math.min(start + longestPiece, last)
      pieces.push({ start, end, from: start === span.start ? start : start + reach, to: end === last ? end : end - reach })
      if (end === last) break
    }
  }
  return pieces
}
