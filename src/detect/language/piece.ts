/** Text that knows where it came from, through folding, appending and generating. */
import type { Place } from './diagnostic.ts'

export interface Piece {
  readonly text: string
  /** Where the character at that offset stands in its file. */
  readonly placeOf: (offset: number) => Place
}

/** Text that is in no file: it stands where its cause does. */
export const generated = (text: string, place: Place): Piece => ({ text, placeOf: () => place })

/** With a blank between each two, as Falco appends. There is at least one. */
export const joinPieces = (pieces: readonly Piece[], between = ' '): Piece => {
  const [first] = pieces
  if (first && pieces.length === 1) return first
  return {
    text: pieces.map(({ text }) => text).join(between),
    placeOf: offset => {
      let start = 0
      let piece = first
      for (const next of pieces) {
        if (next !== first && offset < start) break
        piece = next
        if (offset <= start + next.text.length) return next.placeOf(Math.min(offset - start, next.text.length))
        start += next.text.length + between.length
      }
      return piece ? piece.placeOf(piece.text.length) : { file: '', line: 1, column: 1 }
    },
  }
}
