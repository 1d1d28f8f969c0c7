/**
 * skopeo as a child: it owns registries and their authentication. It runs without capabilities but the one to read what the caller's files forbid
 * to others, cannot gain any, and dies with this process.
 */
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { DayflyError } from '../../base/errors.ts'
import { run } from './process.ts'
import type { Reference, RegistryReference } from './reference.ts'
import { isLoopbackRegistry } from './reference.ts'
import { pullError } from './skopeo-errors.ts'
import type { Platform, PullOptions, RegistryAuth } from './store.ts'

export interface Skopeo extends AsyncDisposable {
  /** The manifest or index, byte for byte. `digest`: that one of the repository. */
  manifest(reference: RegistryReference, digest?: string): Promise<Buffer>
  config(reference: RegistryReference, digest: string): Promise<Buffer>
  /**
   * Fetches an image's blobs as `<blobs>/sha256/<hex>`; those that are there already, of the right size, are not fetched. On their way they are
   * `<scratch>/oci-put-blob…`.
   */
  fetchBlobs(reference: RegistryReference, digest: string, scratch: string, blobs: string, signal: AbortSignal | undefined): Promise<void>
  /** An image of this machine into the folder `to`: `manifest.json`, and each blob under its hex digits. */
  copyLocal(reference: Reference, to: string, platform: Platform, signal: AbortSignal | undefined): Promise<void>
}

const AuthFile = z.object({ auths: z.record(z.string(), z.unknown()).optional() })

/** A file that exists only as a descriptor, for a child to read as /proc/self/fd/3: credentials never lie on the disk under a name. */
const openAuth = async (auth: RegistryAuth, scratch: string): Promise<Awaited<ReturnType<typeof open>> | undefined> => {
  if ('file' in auth) return undefined
  let auths: Record<string, unknown>
  try {
    auths = AuthFile.parse(JSON.parse(auth.content)).auths ?? {}
  } catch {
    throw new DayflyError('invalid', 'the credentials are not the JSON of an auth file', { field: '--auth-file' }) // no cause: it quotes them
  }
  const path = join(scratch, 'auth')
  const file = await open(path, 'wx+', 0o600)
  await rm(path)
  await file.writeFile(JSON.stringify({ auths }))
  return file
}

const timeout = '60s'

export const createSkopeo = async (binary: string, scratch: string, options: PullOptions): Promise<Skopeo> => {
  const auth = options.auth === undefined ? undefined : await openAuth(options.auth, scratch)
  const authFile = options.auth === undefined ? undefined : 'file' in options.auth ? options.auth.file : '/proc/self/fd/3'
  // Only an id of root has a bounding set to drop.
  const bounds = process.getuid?.() === 0 ? ['--bounding-set', '-all,+dac_read_search,+chown,+fowner'] : []

  const skopeo = async (args: readonly string[], reference: Reference, signal = options.signal): Promise<Buffer> => {
    const {
      code,
      stdout,
      stderr,
      signal: killed,
    } = await run(
      'setpriv',
      ['--pdeathsig', 'KILL', '--no-new-privs', '--inh-caps', '-all', ...bounds, '--', binary, ...args],
      {
        signal,
        descriptors: auth === undefined ? [] : [auth.fd],
        env: { ...process.env, TMPDIR: scratch, LC_ALL: 'C' },
      },
      'Install the package util-linux.',
    )
    if (code === 127 && stderr.startsWith('setpriv:')) {
      throw new DayflyError('host', `${binary} is not installed`, { remedy: 'Install the package skopeo.' })
    }
    if (killed !== null) throw new DayflyError('host', `${binary} was killed by ${killed}`)
    if (code !== 0) throw pullError(stderr, reference)
    return stdout
  }

  const access = (prefix: '' | 'src-', reference: Reference): string[] => {
    if (reference.kind === 'local') return []
    const verify = options.tlsVerify ?? !isLoopbackRegistry(reference.registry)
    return [`--${prefix}tls-verify=${verify}`, ...(authFile === undefined ? [] : [`--${prefix}authfile`, authFile])]
  }
  const address = ({ registry, repository, tag, digest }: RegistryReference, exact = digest): string =>
    `docker://${registry}/${repository}${exact === undefined ? `:${tag}` : `@${exact}`}`

  return {
    manifest: (reference, digest) =>
      skopeo(['--command-timeout', timeout, 'inspect', '--raw', ...access('', reference), address(reference, digest)], reference),
    config: (reference, digest) =>
      skopeo(['--command-timeout', timeout, 'inspect', '--raw', '--config', ...access('', reference), address(reference, digest)], reference),
    fetchBlobs: async (reference, digest, to, blobs, signal) => {
      await skopeo(
        [
          'copy',
          '--quiet',
          ...access('src-', reference),
          '--dest-oci-accept-uncompressed-layers', // else it would compress them, and their digests would be others
          '--dest-shared-blob-dir',
          blobs,
          address(reference, digest),
          `oci:${to}:image`,
        ],
        reference,
        signal,
      )
    },
    copyLocal: async (reference, to, { os, architecture, variant }, signal) => {
      const platform = ['--override-os', os, '--override-arch', architecture, ...(variant === undefined ? [] : ['--override-variant', variant])]
      await skopeo([...platform, 'copy', '--quiet', '--preserve-digests', reference.name, `dir:${to}`], reference, signal)
    },
    [Symbol.asyncDispose]: async () => auth?.close(),
  }
}
