/** Dayfly's own webhook: a JSON document, signed together with the time, so that nobody can make one, change one, or send an old one again. */
import { createHmac } from 'node:crypto'
import type { Notice } from './notice.ts'

export const webhookBody = (notice: Notice): string => JSON.stringify({ schemaVersion: 1, ...notice })

/** `Dayfly-Signature: t=SECONDS,v1=HEX`: HMAC-SHA256 of `SECONDS.BODY`, by the shared secret. `now` is wall ms. */
export const webhookHeaders = (notice: Notice, body: string, secret: Uint8Array, now: number): Record<string, string> => {
  const seconds = Math.floor(now / 1000)
  const signature = createHmac('sha256', secret).update(`${seconds}.`).update(body).digest('hex')
  return { 'Dayfly-Signature': `t=${seconds},v1=${signature}`, 'Dayfly-Delivery': notice.id.replaceAll(/[^\x21-\x7e]/g, '_') }
}
