/** A daemon over the network: TLS, a token, and a certificate that is believed because it is known. */
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { isIP } from 'node:net'
import { DayflyError, errnoOf, messageOf } from '../../base/errors.ts'
import type { HttpRequest } from './http.ts'

/** Where a daemon is, and what is said to it each time. */
export interface Place extends Pick<HttpRequest, 'socketPath' | 'connect'> {
  readonly headers?: Readonly<Record<string, string>>
}

type Variables = Readonly<Record<string, string | undefined>>

const usualPort = 7443

interface Trust {
  /** PEM of certificates that the daemon's is, or is signed by; undefined: those of the system. */
  readonly ca: string | undefined
  /** hex SHA-256 of the daemon's certificate. */
  readonly fingerprint: string | undefined
}

/** `sha256:HEX` (with or without colons), PEM text, or the path of a file with it. */
const trustOf = (text: string | undefined): Trust => {
  if (text === undefined || text === '') return { ca: undefined, fingerprint: undefined }
  if (text.includes('-----BEGIN')) return { ca: text, fingerprint: undefined }
  const hex = text
    .replace(/^sha256:/i, '')
    .replaceAll(':', '')
    .toLowerCase()
  if (/^[0-9a-f]{64}$/.test(hex)) return { ca: undefined, fingerprint: hex }
  try {
    return { ca: readFileSync(text, 'utf8'), fingerprint: undefined }
  } catch (error) {
    throw new DayflyError('invalid', `DAYFLY_CA: ${text} cannot be read: ${messageOf(error)}`, {
      ...{ field: 'DAYFLY_CA', remedy: 'Name a PEM file, or give the fingerprint of the certificate: sha256:….', cause: error },
    })
  }
}

const distrusted = (host: string, why: string, cause: unknown): DayflyError =>
  new DayflyError('unreachable', `the certificate of ${host} is not believed: ${why}`, {
    ...{ field: 'DAYFLY_CA', cause },
    remedy: 'Compare its fingerprint, which `dayfly doctor` tells on that host, then pin it: DAYFLY_CA=sha256:….',
  })

const failed = (host: string, error: unknown): DayflyError => {
  if (error instanceof DayflyError) return error
  const code = errnoOf(error) ?? ''
  if (/CERT|SIGNED|VERIFY|ALTNAME|ISSUER/.test(code)) return distrusted(host, messageOf(error), error)
  const remedy = /^(ENOTFOUND|EAI_AGAIN)$/.test(code)
    ? 'Check the name in DAYFLY_HOST.'
    : /^ERR_SSL|EPROTO/.test(code)
      ? 'What listens there does not speak TLS as Dayfly does: check DAYFLY_HOST and its port.'
      : 'Check DAYFLY_HOST, and that the daemon listens there: dayfly serve --listen ADDRESS:PORT.'
  return new DayflyError('unreachable', `the connection to ${host} failed: ${messageOf(error)}`, { field: 'DAYFLY_HOST', remedy, cause: error })
}

const connectTo =
  (name: string, host: string, port: number, { ca, fingerprint }: Trust) =>
  async (signal: AbortSignal | undefined): Promise<Socket> => {
    signal?.throwIfAborted()
    // Only here: loading it costs every other start of the command line.
    const { connect } = await import('node:tls')
    return await new Promise((resolve, reject) => {
      const socket = connect({
        ...{ host, port, ALPNProtocols: ['http/1.1'], minVersion: 'TLSv1.2' },
        ...(isIP(host) === 0 ? { servername: host } : {}),
        ...(ca === undefined ? {} : { ca }),
        // A pinned certificate is believed for what it is, whoever has signed it; it is held against the pin below, before anything is sent.
        rejectUnauthorized: fingerprint === undefined,
      })
      const abort = (): void => void socket.destroy(new DayflyError('aborted', 'it was cancelled', { cause: signal?.reason }))
      signal?.addEventListener('abort', abort, { once: true })
      const settle = (): void => {
        signal?.removeEventListener('abort', abort)
        socket.removeAllListeners('error')
      }
      socket.once('secureConnect', () => {
        const found = socket.getPeerCertificate().fingerprint256?.replaceAll(':', '').toLowerCase()
        settle()
        if (fingerprint === undefined || found === fingerprint) return resolve(socket)
        socket.destroy()
        reject(distrusted(name, `its fingerprint is sha256:${found ?? '(none)'}, and sha256:${fingerprint} is pinned`, undefined))
      })
      socket.once('error', error => {
        settle()
        reject(failed(name, error))
      })
    })
  }

/** By DAYFLY_HOST, DAYFLY_TOKEN and DAYFLY_CA; undefined where they name no host. Throws `invalid` naming the variable. */
export const placeIn = (env: Variables): Place | undefined => {
  const text = env['DAYFLY_HOST']
  if (text === undefined || text === '') return undefined
  const url = URL.parse(text.includes('://') ? text : `https://${text}`)
  if (url === null || url.protocol !== 'https:' || url.hostname === '' || url.pathname !== '/' || url.search !== '' || url.username !== '') {
    throw new DayflyError('invalid', `DAYFLY_HOST: "${text}" is not an https address`, {
      field: 'DAYFLY_HOST',
      remedy: 'Write it like https://dayfly.example.org:7443.',
    })
  }
  const token = env['DAYFLY_TOKEN'] ?? ''
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new DayflyError('invalid', `DAYFLY_TOKEN: ${url.host} asks for a token`, {
      field: 'DAYFLY_TOKEN',
      remedy: 'Make one on that host, `dayfly token create NAME --role developer --team TEAM`, and set the variable.',
    })
  }
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const port = url.port === '' ? usualPort : Number(url.port)
  return {
    socketPath: url.host,
    connect: connectTo(`${url.hostname}:${port}`, host, port, trustOf(env['DAYFLY_CA'])),
    headers: { host: `${url.hostname}:${port}`, authorization: `Bearer ${token}` },
  }
}
