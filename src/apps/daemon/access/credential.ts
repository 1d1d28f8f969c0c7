/**
 * How tokens are written: `dft_<id>_<secret><checksum>`. The id is no secret: it finds the row. The secret has 260 random bits, so its digest is a plain SHA-256: a slow
 * hash protects what people choose, and would only let strangers keep this host busy. The checksum lets scanners for leaked secrets, and typing errors, be told
 * without asking anybody.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { crc32 } from 'node:zlib'

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz' // Crockford base 32
const secretLength = 52
const checksumLength = 7

const random = (length: number): string => Array.from(randomBytes(length), byte => alphabet[byte & 31]).join('')

const checksum = (text: string): string => {
  let rest = crc32(text)
  let written = ''
  for (let index = 0; index < checksumLength; index++) {
    written = `${alphabet[rest & 31]}${written}`
    rest >>>= 5
  }
  return written
}

const form = new RegExp(`^dft_([${alphabet}]{12})_([${alphabet}]{${secretLength}})([${alphabet}]{${checksumLength}})$`)

export const newTokenId = (): string => `t${random(11)}`

/** The text that is shown once, and what is kept of it. */
export const newCredential = (id: string): { readonly text: string; readonly digest: string } => {
  const secret = random(secretLength)
  return { text: `dft_${id}_${secret}${checksum(`dft_${id}_${secret}`)}`, digest: digestOf(secret) }
}

export const digestOf = (secret: string): string => createHash('sha256').update(secret).digest('hex')

/** Undefined for what is no token by its form. */
export const readCredential = (text: string): { readonly id: string; readonly digest: string } | undefined => {
  const [, id, secret, sum] = form.exec(text) ?? []
  if (id === undefined || secret === undefined || sum !== checksum(`dft_${id}_${secret}`)) return undefined
  return { id, digest: digestOf(secret) }
}

/** In a time that does not tell where they differ. Both are hex SHA-256. */
export const sameDigest = (left: string, right: string): boolean =>
  left.length === right.length && timingSafeEqual(Buffer.from(left), Buffer.from(right))

/** For cookies and one-time codes: as strong, without an id. */
export const newSecret = (): string => random(secretLength)
