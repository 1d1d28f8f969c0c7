/** Certificates by server name, read again when their files change. */
import { X509Certificate } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import type { SecureContext } from 'node:tls'
import { createSecureContext } from 'node:tls'
import { DayflyError, messageOf } from '../base/errors.ts'

export interface CertificateFiles {
  readonly certFile: string
  readonly keyFile: string
}

export interface Pem {
  readonly cert: Buffer
  readonly key: Buffer
  readonly minVersion: 'TLSv1.2'
}

export interface Certificates extends Disposable {
  /** Of the certificate that names `serverName`; the first one's where none does. */
  contextFor(serverName: string): SecureContext
}

interface Loaded {
  readonly stamp: string
  readonly pem: Pem
  readonly context: SecureContext
  readonly certificate: X509Certificate
}

/** Files are replaced by rename, by link or in place, on file systems that tell and that do not: they are looked at. */
const lookEvery = 2_000

const stampOf = async ({ certFile, keyFile }: CertificateFiles): Promise<string> =>
  (await Promise.all([certFile, keyFile].map(file => stat(file, { bigint: true }))))
    .map(at => `${at.dev} ${at.ino} ${at.size} ${at.mtimeNs}`)
    .join('/')

const load = async (files: CertificateFiles): Promise<Loaded> => {
  const stamp = await stampOf(files)
  const [cert, key] = await Promise.all([readFile(files.certFile), readFile(files.keyFile)])
  const certificate = new X509Certificate(cert)
  const pem: Pem = { cert, key, minVersion: 'TLSv1.2' }
  return { stamp, pem, certificate, context: createSecureContext(pem) }
}

export interface CertificateEvents {
  /** The first certificate, for clients that name no server: at the beginning, and when it has changed. */
  onFirst(pem: Pem): void
  /** A new certificate cannot be used: the one before is kept. */
  onRefused(message: string): void
}

/** Throws `invalid` naming the file pair that cannot be used. */
export const openCertificates = async (all: readonly CertificateFiles[], events: CertificateEvents): Promise<Certificates> => {
  const loaded: Loaded[] = []
  for (const files of all) {
    try {
      loaded.push(await load(files))
    } catch (error) {
      throw new DayflyError('invalid', `the certificate ${files.certFile} with the key ${files.keyFile} cannot be used: ${messageOf(error)}`, {
        ...{
          field: 'tls.certificates',
          remedy: 'Give a PEM certificate (with its chain) and its private key, readable by the daemon.',
          cause: error,
        },
      })
    }
  }
  if (loaded[0] !== undefined) events.onFirst(loaded[0].pem)
  const refused = new Map<number, string>()
  let looking = false
  const look = async (): Promise<void> => {
    for (const [index, files] of all.entries()) {
      const stamp = await stampOf(files).catch(() => '')
      if (stamp === '' || stamp === loaded[index]?.stamp || stamp === refused.get(index)) continue
      try {
        const fresh = await load(files)
        loaded[index] = fresh
        if (index === 0) events.onFirst(fresh.pem)
      } catch (error) {
        // Half of the pair may have been replaced only; the other half changes the stamp again.
        refused.set(index, stamp)
        events.onRefused(`the new certificate ${files.certFile} cannot be used, the one before is kept: ${messageOf(error)}`)
      }
    }
  }
  const timer = setInterval(() => {
    if (looking) return
    looking = true
    void look().finally(() => {
      looking = false
    })
  }, lookEvery)
  timer.unref()
  return {
    contextFor: serverName => {
      const found = loaded.find(({ certificate }) => certificate.checkHost(serverName) !== undefined) ?? loaded[0]
      if (found === undefined) throw new DayflyError('internal', 'there is no certificate')
      return found.context
    },
    [Symbol.dispose]: () => clearInterval(timer),
  }
}
