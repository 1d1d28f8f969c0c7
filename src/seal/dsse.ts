/** Dead Simple Signing Envelopes, version 1: a payload, its type, and signatures over both. */
import type { KeyObject } from 'node:crypto'
import { sign as signBytes, verify as verifyBytes } from 'node:crypto'
import { canonicalJson } from '../model/record.ts'
import { Envelope, payloadType } from '../model/seal.ts'
import type { PublicKey } from './keys.ts'
import { keyIdOf } from './keys.ts'

/** What is signed: the pre-authentication encoding. */
export const preAuthEncoding = (type: string, payload: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `), payload])

/** Ed25519 is deterministic: the same statement and key give the same envelope. */
export const signStatement = (statement: object, key: KeyObject): Envelope => {
  const payload = Buffer.from(canonicalJson(statement))
  const sig = signBytes(null, preAuthEncoding(payloadType, payload), key)
  return { payload: payload.toString('base64'), payloadType, signatures: [{ keyid: keyIdOf(key), sig: sig.toString('base64') }] }
}

export type Opened =
  | { readonly payload: unknown; readonly key: PublicKey }
  /** Why it says nothing. */
  | { readonly fault: string }

/** Strict base64: what Node would pass over is a change that nobody would see. */
const bytesOf = (text: string): Buffer | undefined => {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}

/** The payload of an envelope (JSON text) that one of `keys` has signed. Nothing of a payload is looked at before its signature. */
export const openEnvelope = (text: string, keys: readonly PublicKey[]): Opened => {
  const parsed = (() => {
    try {
      return Envelope.safeParse(JSON.parse(text))
    } catch {
      return undefined
    }
  })()
  if (parsed?.success !== true) return { fault: 'it is no DSSE envelope' }
  const { payload: encoded, payloadType: type, signatures } = parsed.data
  const payload = bytesOf(encoded)
  if (payload === undefined || type !== payloadType) return { fault: `its payload is not ${payloadType}` }
  const message = preAuthEncoding(type, payload)
  for (const { keyid, sig } of signatures) {
    const key = keys.find(({ id }) => id === keyid)
    const signature = bytesOf(sig)
    if (key === undefined || signature === undefined) continue
    if (!verifyBytes(null, message, key.key, signature)) return { fault: `its signature by ${keyid} is not of this content` }
    try {
      return { payload: JSON.parse(payload.toString()), key }
    } catch {
      return { fault: 'what was signed is no JSON' }
    }
  }
  return { fault: `none of the keys has signed it (it names ${signatures.map(({ keyid }) => keyid).join(', ')})` }
}
