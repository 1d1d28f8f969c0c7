/** Texts that only who has a key can have vouched for: HMAC-SHA256, as hex. Each text begins with what it is about, so that none passes for another. */
import { createHmac, timingSafeEqual } from 'node:crypto'

export const macOf = (key: Uint8Array, text: string): string => createHmac('sha256', key).update(text).digest('hex')

/** In constant time. */
export const isMacOf = (key: Uint8Array, text: string, mac: string): boolean => {
  const [own, given] = [Buffer.from(macOf(key, text)), Buffer.from(mac)]
  return own.length === given.length && timingSafeEqual(own, given)
}
