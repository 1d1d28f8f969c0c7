import type { Source } from './condition.ts'

/** A rule's output: text, and what stands between it. */
export interface Output {
  /** As it is written. */
  readonly text: string
  readonly parts: readonly (string | OutputField)[]
}

export interface OutputField {
  /** As it is written, without the %. */
  readonly name: string
  readonly source: Source
  /** Cut off or filled up with blanks to so many characters. */
  readonly width: number | undefined
}
