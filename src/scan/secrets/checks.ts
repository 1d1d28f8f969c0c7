/**
 * What a token's own format lets one verify without asking its issuer. A check is given the secret and says whether it can be one:
 * random text that happens to fit a pattern, and most examples in documentation, cannot.
 */
import { crc32 } from 'node:zlib'
import { entropyOf } from './entropy.ts'

export type Check = (secret: string) => boolean

const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** CRC-32 of `text` as base 62 with leading zeros: the last six characters of GitHub's and npm's tokens. */
export const crc32Base62 = (text: string): string => {
  let rest = crc32(text)
  let digits = ''
  for (let index = 0; index < 6; index++) {
    digits = (base62[rest % 62] ?? '') + digits
    rest = Math.floor(rest / 62)
  }
  return digits
}

/** `prefix_` and characters of which the last six are the CRC-32 of those before. */
export const endsInCrc32: Check = secret => {
  const body = secret.slice(secret.indexOf('_') + 1)
  return body.length > 6 && crc32Base62(body.slice(0, -6)) === body.slice(-6)
}

const bech32Alphabet = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
const bech32Generator = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3]

/** The checksum of BIP 173 over human-readable part and data values. */
export const bech32Polymod = (values: readonly number[]): number => {
  let sum = 1
  for (const value of values) {
    const top = sum >>> 25
    sum = ((sum & 0x1ffffff) << 5) ^ value
    for (const [bit, generator] of bech32Generator.entries()) if ((top >>> bit) & 1) sum ^= generator
  }
  return sum >>> 0
}

/** What a checksum of `prefix` begins with. */
export const bech32Prefix = (prefix: string): number[] => {
  const codes = Array.from(prefix, letter => letter.charCodeAt(0))
  return [...codes.map(code => code >> 5), 0, ...codes.map(code => code & 31)]
}

/** `AGE-SECRET-KEY-1…`: bech32 in capital letters. */
export const isBech32: Check = secret => {
  const text = secret.toLowerCase()
  const separator = text.lastIndexOf('1')
  const data = Array.from(text.slice(separator + 1), letter => bech32Alphabet.indexOf(letter))
  return separator > 0 && data.length >= 6 && !data.includes(-1) && bech32Polymod([...bech32Prefix(text.slice(0, separator)), ...data]) === 1
}

/** The text that base64, with or without padding, in either alphabet, stands for, if it is printable ASCII; undefined otherwise. */
export const printableFromBase64 = (encoded: string): string | undefined => {
  const bytes = Buffer.from(encoded, 'base64')
  if (bytes.length === 0) return undefined
  for (const byte of bytes) if ((byte < 32 && byte !== 9 && byte !== 10 && byte !== 13) || byte > 126) return undefined
  return bytes.toString('latin1')
}

/** base64 of `user:password`, both not empty. */
export const isEncodedLogin: Check = secret => /^[^:\s]{1,256}:[^\s]{2,}$/.test(printableFromBase64(secret) ?? '')

/** base64 of a PEM private key (the beginning is enough). */
export const isEncodedPrivateKey: Check = secret => (printableFromBase64(secret.slice(0, 60)) ?? '').includes('PRIVATE KEY')

const jsonOf = (encoded: string): Readonly<Record<string, unknown>> | undefined => {
  if (encoded.length > 16_384) return undefined
  try {
    const value: unknown = JSON.parse(Buffer.from(encoded, 'base64url').toString('utf8'))
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}

const claims = (secret: string) => jsonOf(secret.split('.')[1] ?? '')

/** A JSON Web Token with a header that names an algorithm other than none, and claims. */
export const isJsonWebToken: Check = secret => {
  const algorithm = jsonOf(secret.split('.')[0] ?? '')?.['alg']
  return (
    typeof algorithm === 'string' && algorithm.toLowerCase() !== 'none' && claims(secret) !== undefined && entropyOf(secret.split('.')[2] ?? '') > 3.5
  )
}

/** One that Kubernetes has issued to a service account, legacy or bound. */
export const isServiceAccountToken: Check = secret => {
  if (!isJsonWebToken(secret)) return false
  const found = claims(secret)
  return (
    found !== undefined &&
    (found['iss'] === 'kubernetes/serviceaccount' || 'kubernetes.io' in found || String(found['sub']).startsWith('system:serviceaccount:'))
  )
}

/** Letters and digits both, as random text has and words have not. */
export const hasDigitAndLetter: Check = secret => /\d/.test(secret) && /[A-Za-z]/.test(secret)

/** Capital and small letters and digits. */
export const hasMixedCaseAndDigit: Check = secret => /\d/.test(secret) && /[a-z]/.test(secret) && /[A-Z]/.test(secret)
