/** Who vouches for an image: what its registry keeps about it, judged by the keys in `<state-dir>/trust`. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DayflyError, errnoOf } from '../../base/errors.ts'
import { fetchAttached, subjectsOf } from '../../host/image/attached.ts'
import { credentialsFor } from '../../host/image/credentials.ts'
import { createDistribution } from '../../host/image/distribution.ts'
import { isLoopbackRegistry, parseReference } from '../../host/image/reference.ts'
import type { RegistryAuth } from '../../host/image/store.ts'
import type { SignedDocument } from '../../scan/trust/documents.ts'
import { mediaTypes, signatureAnnotation } from '../../scan/trust/documents.ts'
import type { TrustedKey } from '../../scan/trust/keys.ts'
import { parseKey } from '../../scan/trust/keys.ts'
import type { Verification } from '../../scan/trust/verify.ts'
import { verify } from '../../scan/trust/verify.ts'

export interface SubjectDocument {
  readonly subject: string
  readonly document: SignedDocument
}

export interface Trust {
  /** Names of the keys. */
  readonly keys: readonly string[]
  /**
   * What the registry of `name` says of the image now. An image that came from no registry has nothing. Rejects with `upstream`, `denied`, `corrupt`,
   * `aborted`, `timeout`.
   */
  documentsOf(
    image: { readonly name: string; readonly digest: string },
    auth: RegistryAuth | undefined,
    signal: AbortSignal,
  ): Promise<SubjectDocument[]>
  verify(documents: readonly SubjectDocument[]): Verification
}

/** Every `.pub` and `.pem` of the folder, named without that. A folder that is not there holds none. Throws `invalid` naming a file that is no key. */
export const readKeys = async (folder: string): Promise<TrustedKey[]> => {
  const names = await readdir(folder).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return []
    throw new DayflyError('host', `the keys in ${folder} cannot be read`, { cause: error })
  })
  const files = names.filter(name => /\.(pub|pem)$/.test(name)).sort()
  return await Promise.all(files.map(async file => parseKey(file.replace(/\.(pub|pem)$/, ''), await readFile(join(folder, file), 'utf8'))))
}

const toDocument = (mediaType: string, annotations: Readonly<Record<string, string>>, bytes: Buffer): SignedDocument => {
  if (mediaType.startsWith(mediaTypes.bundle)) return { kind: 'bundle', bundle: bytes }
  if (mediaType === mediaTypes.envelope) return { kind: 'envelope', envelope: bytes }
  return { kind: 'simple-signing', payload: bytes, signature: annotations[signatureAnnotation] ?? '' }
}

export const createTrust = async (folder: string): Promise<Trust> => {
  const keys = await readKeys(folder)
  return {
    keys: keys.map(({ name }) => name),
    documentsOf: async ({ name, digest }, auth, signal) => {
      const reference = parseReference(name)
      if (reference.kind === 'local') return []
      const { registry, repository } = reference
      const credentials = await credentialsFor(registry, repository, auth)
      const distribution = createDistribution({ registry, repository, credentials, insecure: isLoopbackRegistry(registry), signal })
      const subjects = await subjectsOf(distribution, reference, digest)
      const attached = await fetchAttached(distribution, subjects, { wanted: Object.values(mediaTypes) })
      return attached.map(({ subject, mediaType, annotations, bytes }) => ({ subject, document: toDocument(mediaType, annotations, bytes) }))
    },
    verify: documents => {
      const bySubject = Map.groupBy(documents, ({ subject }) => subject)
      const results = [...bySubject].map(([subject, of]) =>
        verify(
          subject,
          of.map(({ document }) => document),
          keys,
        ),
      )
      const byKey = Map.groupBy(
        results.flatMap(({ signatures }) => signatures),
        ({ key }) => key,
      )
      return {
        signatures: [...byKey].map(([key, of]) => ({
          key,
          signed: of.some(({ signed }) => signed),
          attestations: of.flatMap(({ attestations }) => attestations),
        })),
        problems: results.flatMap(({ problems }) => problems),
      }
    },
  }
}
