/** Who vouches for images, asked of their registries once and kept below the state folder: a start needs no registry. */
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { abortError } from '../../base/abort.ts'
import type { Log } from '../../base/log.ts'
import type { SignedDocument } from '../../scan/trust/documents.ts'
import type { Vouched } from './evidence.ts'
import type { SubjectDocument, Trust } from './trust.ts'

/** A registry that does not answer must not hold a start up for longer (ms). */
const patience = 10_000
/** ms after which a registry is asked again about an image that nobody vouches for. */
const tryAgainAfter = 5_000

const bytes = z.base64().transform(text => Buffer.from(text, 'base64'))
const Kept = z.array(
  z.object({
    subject: z.string(),
    document: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('simple-signing'), payload: bytes, signature: z.string() }),
      z.object({ kind: z.literal('envelope'), envelope: bytes }),
      z.object({ kind: z.literal('bundle'), bundle: bytes }),
    ]),
  }),
)

const toJson = (document: SignedDocument): Record<string, string> =>
  Object.fromEntries(Object.entries(document).map(([key, value]) => [key, Buffer.isBuffer(value) ? value.toString('base64') : value]))

export interface Vouching {
  vouch(digest: string, name: string, signal: AbortSignal): Promise<Vouched>
}

/** Without a trusted key nobody is asked: nobody could vouch. */
export const createVouching = (folder: string, trust: Trust, log: Log): Vouching => {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const pathOf = (digest: string): string => join(folder, `${digest.slice('sha256:'.length)}.json`)

  const kept = async (digest: string): Promise<SubjectDocument[]> => {
    const text = await readFile(pathOf(digest), 'utf8').catch(() => undefined)
    if (text === undefined) return []
    try {
      return Kept.parse(JSON.parse(text))
    } catch {
      return [] // of another version: asked for again
    }
  }

  const keep = async (digest: string, documents: readonly SubjectDocument[]): Promise<void> => {
    const path = `${pathOf(digest)}.${randomBytes(4).toString('hex')}`
    await writeFile(path, JSON.stringify(documents.map(({ subject, document }) => ({ subject, document: toJson(document) }))), { mode: 0o600 })
    await rename(path, pathOf(digest))
  }

  return {
    vouch: async (digest, name, signal) => {
      if (trust.keys.length === 0) return { signatures: [], lasts: undefined }
      const before = trust.verify(await kept(digest))
      if (before.signatures.some(({ signed }) => signed)) return { signatures: before.signatures, lasts: undefined }
      // What nobody has signed may have been signed since.
      try {
        const documents = await trust.documentsOf({ name, digest }, undefined, AbortSignal.any([signal, AbortSignal.timeout(patience)]))
        const { signatures, problems } = trust.verify(documents)
        if (documents.length > 0)
          await keep(digest, documents).catch((error: unknown) => log.warn('signatures could not be kept', { image: digest, error }))
        for (const problem of problems) log.info('what does not vouch for an image', { image: digest, problem })
        return { signatures, lasts: signatures.some(({ signed }) => signed) ? undefined : tryAgainAfter }
      } catch (error) {
        if (signal.aborted) throw abortError(signal)
        log.warn('it could not be found out who vouches for an image', { image: digest, name, error })
        const known = before.signatures.length > 0 ? before.signatures : undefined
        return { signatures: known, lasts: tryAgainAfter }
      }
    },
  }
}
