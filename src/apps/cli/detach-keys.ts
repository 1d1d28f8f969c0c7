/** The keys that let go of a process without ending it, as docker has them: ctrl-p ctrl-q, held back until it is known what they begin. */
import { DayflyError } from '../../base/errors.ts'

export const defaultDetachKeys = 'ctrl-p,ctrl-q'

const bytesOf = (key: string): number | undefined => {
  const control = /^ctrl-([a-z@[\\\]^_])$/i.exec(key)?.[1]?.toUpperCase()
  if (control !== undefined) return control.charCodeAt(0) - 64
  return /^[!-~]$/.test(key) ? key.charCodeAt(0) : undefined
}

/** The bytes of keys like `ctrl-p,ctrl-q` or `ctrl-a,d`. Throws `invalid` naming `field`. */
export const parseDetachKeys = (text: string, field: string): Buffer => {
  const keys = text.split(',').map(bytesOf)
  const bytes = keys.filter(key => key !== undefined)
  if (bytes.length < keys.length) {
    throw new DayflyError('invalid', `${field}: "${text}" is not a list of keys`, {
      field,
      remedy: `Write it like ${field} ${defaultDetachKeys} or ${field} ctrl-a,d.`,
    })
  }
  return Buffer.from(bytes)
}

export interface Typed {
  /** What goes to the process. */
  readonly passed: Buffer
  readonly detached: boolean
}

/** Looks for the keys in what is typed, piece by piece, wherever the pieces are cut. What comes after them belongs to nobody. */
export const detachDetector = (keys: Buffer): ((piece: Uint8Array) => Typed) => {
  let held: Buffer = Buffer.alloc(0)
  return piece => {
    const typed = Buffer.concat([held, piece])
    const at = typed.indexOf(keys)
    if (at >= 0) {
      held = Buffer.alloc(0)
      return { passed: typed.subarray(0, at), detached: true }
    }
    // The longest end of it that the keys begin with may go on in the next piece.
    let length = Math.min(keys.length - 1, typed.length)
    while (length > 0 && !typed.subarray(typed.length - length).equals(keys.subarray(0, length))) length--
    held = typed.subarray(typed.length - length)
    return { passed: typed.subarray(0, typed.length - length), detached: false }
  }
}
