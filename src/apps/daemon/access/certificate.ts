/** The certificate of the listener: the operator's, or one that is made at the first start and kept. */
import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { createSecureContext } from 'node:tls'
import { promisify } from 'node:util'
import { DayflyError, messageOf } from '../../../base/errors.ts'

export interface CertificateFiles {
  readonly certFile: string
  readonly keyFile: string
}

export interface Identity {
  /** PEM, with its chain. */
  readonly cert: Buffer
  readonly key: Buffer
  /** SHA-256 of the certificate, hex in lower case: what a client pins. */
  readonly fingerprint: string
  readonly expiresAt: number
}

const lifeInDays = 825
/** One that ends sooner is made anew when the daemon starts: pins change, and so `doctor` warns before. */
const renewBefore = 14 * 86_400_000

const identityOf = (files: CertificateFiles): Identity => {
  try {
    const [cert, key] = [readFileSync(files.certFile), readFileSync(files.keyFile)]
    createSecureContext({ cert, key })
    const certificate = new X509Certificate(cert)
    return { cert, key, fingerprint: fingerprintOf(certificate), expiresAt: certificate.validToDate.getTime() }
  } catch (error) {
    throw new DayflyError('invalid', `--tls: the certificate ${files.certFile} with the key ${files.keyFile} cannot be used: ${messageOf(error)}`, {
      ...{ field: '--tls', remedy: 'Give a PEM certificate (with its chain) and its private key, readable by the daemon.', cause: error },
    })
  }
}

export const fingerprintOf = (certificate: X509Certificate): string => certificate.fingerprint256.replaceAll(':', '').toLowerCase()

/** Self-signed, for the loopback, this host's name and the address that is listened on; by the openssl that every set-up has. */
const make = async (folder: string, address: string): Promise<void> => {
  const names = new Set([
    'DNS:localhost',
    `DNS:${hostname()}`,
    'IP:127.0.0.1',
    'IP:::1',
    ...(/^(0\.0\.0\.0|::)$/.test(address) ? [] : [`IP:${address}`]),
  ])
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const at = mkdtempSync(join(folder, '.new-'))
  const [keyFile, certFile] = [join(at, 'key.pem'), join(at, 'cert.pem')]
  try {
    const before = process.umask(0o077)
    try {
      await promisify(execFile)(
        'openssl',
        [
          ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-sha256', '-days', String(lifeInDays)],
          ...['-keyout', keyFile, '-out', certFile, '-subj', '/CN=Dayfly', '-addext', `subjectAltName=${[...names].join(',')}`],
          ...[
            '-addext',
            'basicConstraints=critical,CA:FALSE',
            '-addext',
            'keyUsage=critical,digitalSignature',
            '-addext',
            'extendedKeyUsage=serverAuth',
          ],
        ],
        { env: { PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin' }, timeout: 30_000 },
      )
    } finally {
      process.umask(before)
    }
    chmodSync(keyFile, 0o600)
    chmodSync(certFile, 0o644)
    // The key first: a crash between leaves a pair that does not fit, which is made anew.
    renameSync(keyFile, join(folder, 'key.pem'))
    renameSync(certFile, join(folder, 'cert.pem'))
  } catch (error) {
    throw new DayflyError('host', `no certificate could be made for --listen: ${messageOf(error)}`, {
      remedy: 'Install openssl, or give a certificate: --tls CERT.pem,KEY.pem.',
      cause: error,
    })
  } finally {
    rmSync(at, { recursive: true, force: true })
  }
}

const kept = (files: CertificateFiles, address: string, now: number): Identity | undefined => {
  try {
    const identity = identityOf(files)
    if (identity.expiresAt - now < renewBefore) return undefined
    const names = new X509Certificate(identity.cert)
    return /^(0\.0\.0\.0|::)$/.test(address) || names.checkIP(address) !== undefined ? identity : undefined
  } catch {
    return undefined
  }
}

/** Throws `invalid` for files that cannot be used, `host` when none could be made. */
export const openIdentity = async (stateDir: string, address: string, given: CertificateFiles | undefined, now: number): Promise<Identity> => {
  if (given !== undefined) return identityOf(given)
  const folder = join(stateDir, 'tls')
  const files = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') }
  const known = kept(files, address, now)
  if (known !== undefined && (statSync(files.keyFile).mode & 0o077) === 0) return known
  await make(folder, address)
  return identityOf(files)
}
