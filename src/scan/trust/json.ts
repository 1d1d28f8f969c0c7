/** JSON of strangers: bounded in size and depth before anything is built from it. */
import { DayflyError } from '../../base/errors.ts'
import { maximumDocument } from './documents.ts'

const maximumDepth = 64

const quote = 0x22
const backslash = 0x5c

/** Throws `corrupt` when objects and lists are nested deeper than `maximumDepth`. Brackets in strings do not count. */
const checkDepth = (bytes: Uint8Array, what: string): void => {
  let depth = 0
  let inString = false
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]
    if (inString) {
      if (byte === backslash) at++
      else if (byte === quote) inString = false
    } else if (byte === quote) inString = true
    else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > maximumDepth) throw new DayflyError('corrupt', `${what} is nested deeper than ${maximumDepth} levels`)
    } else if (byte === 0x7d || byte === 0x5d) depth--
  }
}

/** `what` is for the message. Throws `corrupt`. */
export const parseJson = (bytes: Buffer, what: string): unknown => {
  if (bytes.length > maximumDocument) throw new DayflyError('corrupt', `${what} has ${bytes.length} bytes, more than ${maximumDocument}`)
  checkDepth(bytes, what)
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw new DayflyError('corrupt', `${what} is not JSON`)
  }
}
