/**
 * Contents that must be in no evidence: struck out wherever they are seen. In texts in all forms in which they may stand, as in what is kept of events; in files, which
 * may be of any size, as they are.
 */
import { createKnownForms } from '../../base/known-forms.ts'

export interface Redaction {
  /** With `[secret]` in their place. */
  text(text: string): string
  /** In place, as many `*` as they are long, so that offsets and sizes stay. How many there were. */
  bytes(buffer: Buffer): number
  /** Of the longest one. */
  readonly longest: number
}

/** Shorter ones are no secrets, and would blacken half of everything. */
const shortest = 4

const trimmed = (secret: Uint8Array): Buffer => {
  const buffer = Buffer.from(secret)
  const text = buffer.toString('latin1')
  const start = text.length - text.trimStart().length
  return buffer.subarray(start, start + text.trim().length)
}

export const redactionOf = (secrets: readonly Uint8Array[]): Redaction => {
  // Longer ones first: of one that holds another, nothing is to be left.
  const all = secrets
    .map(trimmed)
    .filter(({ length }) => length >= shortest)
    .toSorted((left, right) => right.length - left.length)
  const forms = createKnownForms(all.map(secret => secret.toString('utf8')).filter(text => !text.includes('\ufffd')))
  return {
    longest: all[0]?.length ?? 0,
    text: text => forms.strike(text, '[secret]'),
    bytes: buffer => {
      let found = 0
      for (const secret of all) {
        for (let at = buffer.indexOf(secret); at >= 0; at = buffer.indexOf(secret, at + secret.length)) {
          buffer.fill('*', at, at + secret.length)
          found++
        }
      }
      return found
    },
  }
}
