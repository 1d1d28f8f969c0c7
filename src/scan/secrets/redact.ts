/** What may be shown of a secret, and names by which two findings are told apart without saying it. */
import { createHash } from 'node:crypto'

/** Always as many, so that the length is not told. */
const dots = '••••••'

/** How many characters are shown at each end: a quarter of the secret in all, at most. */
const shownAtEachEnd = (length: number): number => (length < 8 ? 0 : length < 16 ? 1 : length < 32 ? 2 : 4)

const showable = (text: string): string => text.replaceAll(/[^\x21-\x7e]/g, '?')

/** First and last characters of `secret` around dots; only dots for fewer than 8. Characters other than printable ASCII are shown as `?`. */
export const redact = (secret: string): string => {
  const shown = shownAtEachEnd(secret.length)
  return shown === 0 ? dots : `${showable(secret.slice(0, shown))}${dots}${showable(secret.slice(-shown))}`
}

/** Hex SHA-256 of `salt` and `secret`. */
export const hashSecret = (salt: Uint8Array, secret: Uint8Array): string => createHash('sha256').update(salt).update(secret).digest('hex')

/**
 * 32 hex digits from what the finding shows anyway: rule, file or field, and the redacted text. So it is the same on all installations, whatever their
 * salt, and nobody can try passwords on it. `nth` tells apart secrets of one file that look the same when redacted.
 */
export const fingerprintOf = (rule: string, where: string, redacted: string, nth: number): string =>
  createHash('sha256').update(['secret', rule, where, redacted, nth].join('\0')).digest('hex').slice(0, 32)

/** `text`, e.g. a path, without the secret. Short ones are left: `wordpress` in a path is a name, whatever the password is. */
export const without = (text: string, secret: string): string => (secret.length < 12 ? text : text.replaceAll(secret, redact(secret)))
