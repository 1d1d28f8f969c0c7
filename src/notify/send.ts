/** Sending notices to one target, in its language. */
import { messageOf } from '../base/errors.ts'
import { DeliveryError } from './delivery.ts'
import { post } from './http.ts'
import type { Notice } from './notice.ts'
import { otlpRequest } from './otlp.ts'
import { readSecret } from './secret-files.ts'
import { slackMessage } from './slack.ts'
import { sendTcp, sendUdp } from './sockets.ts'
import { octetCounted, syslogMessage } from './syslog.ts'
import type { Target } from './targets.ts'
import { webhookBody, webhookHeaders } from './webhook.ts'

export interface SendContext {
  /** Wall ms. */
  readonly now: () => number
  readonly version: string
  /** Of the daemon. */
  readonly process: number
  /** A datagram to a unix socket, which Node cannot send. Undefined where nobody can. */
  readonly sendDatagram: ((path: string, message: string) => Promise<void>) | undefined
}

const headersOf = async (from: Readonly<Record<string, string>>): Promise<Record<string, string>> =>
  Object.fromEntries(await Promise.all(Object.entries(from).map(async ([name, path]) => [name, await readSecret(path)] as const)))

const sendSyslog = async (address: string, message: string, { sendDatagram }: SendContext, signal: AbortSignal): Promise<void> => {
  const { protocol, hostname, port, pathname } = new URL(address)
  if (protocol === 'udp:') return await sendUdp(hostname, Number(port), message)
  if (protocol === 'tcp:') return await sendTcp(hostname, Number(port), octetCounted(message), signal)
  if (sendDatagram === undefined) throw new DeliveryError('this daemon cannot write to a unix socket of datagrams', { hopeless: true })
  const path = decodeURIComponent(pathname)
  await sendDatagram(path, message).catch((cause: unknown) => {
    throw new DeliveryError(`${path}: ${messageOf(cause)}`, { cause })
  })
}

/** How many go at once: the language decides. */
export const batchOf = ({ type }: Target): number => (type === 'otlp' ? 100 : 1)

/** All of them (at most `batchOf`), or a DeliveryError. */
export const send = async (target: Target, notices: readonly Notice[], context: SendContext, signal: AbortSignal): Promise<void> => {
  if (target.type === 'otlp') {
    const body = JSON.stringify(otlpRequest(notices, { now: context.now(), version: context.version }))
    return await post({ url: target.url, body, headers: await headersOf(target.headersFrom), caFile: target.caFile }, signal)
  }
  for (const notice of notices) {
    if (target.type === 'webhook') {
      const body = webhookBody(notice)
      const secret = Buffer.from(await readSecret(target.secretFile))
      const headers = { ...(await headersOf(target.headersFrom)), ...webhookHeaders(notice, body, secret, context.now()) }
      await post({ url: target.url, body, headers, caFile: target.caFile }, signal)
    } else if (target.type === 'slack') {
      const url = await readSecret(target.urlFile)
      if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '')) throw new DeliveryError(`${target.urlFile} holds no URL`)
      await post({ url, body: JSON.stringify(slackMessage(notice)), headers: {}, caFile: target.caFile }, signal)
    } else await sendSyslog(target.address, syslogMessage(notice, { facility: target.facility, process: context.process }), context, signal)
  }
}
