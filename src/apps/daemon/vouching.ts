/**
 * Who vouches for images, asked of their registries and kept below the state folder: a start needs no registry. They are asked again about an image that is
 * pulled anew, and, ever more seldom, about one that lacks what policy demands: it may have been signed or attested since.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { abortError } from '../../base/abort.ts'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { remember } from '../../base/remember.ts'
import type { SignedDocument } from '../../scan/trust/documents.ts'
import type { Vouched } from './evidence.ts'
import type { SubjectDocument, Trust } from './trust.ts'

/** A registry that does not answer must not hold a start up for longer (ms). */
const patience = 10_000
/** ms after which a registry is asked again about an image that lacks something: twice as many each time, up to the second. */
const tryAgainAfter = 5_000
const tryAgainAtLast = 5 * 60_000
/** Images in memory for which that is counted. */
const mostWaiting = 1024

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

type Signatures = NonNullable<Vouched['signatures']>

/** What policy demands of every image; what only policies of files ask for is not known here. */
export interface Demanded {
  /** Names of keys, one of which must have signed; empty: any. */
  readonly keys: readonly string[]
  /** Predicate types that must be attested. */
  readonly types: readonly string[]
}

export interface Vouching {
  vouch(digest: string, name: string, signal: AbortSignal): Promise<Vouched>
  /** The registry is asked next time, whatever is kept. */
  renew(digest: string): void
}

export interface VouchingParts {
  /** Made where it is not there. */
  readonly folder: string
  readonly trust: Trust
  demanded(): Demanded
  readonly clock: Pick<Clock, 'boot'>
  readonly log: Log
}

interface Wait {
  readonly times: number
  /** Boot ms. */
  readonly until: number
  /** The registry did not answer. */
  readonly silent: boolean
}

/** Without a trusted key nobody is asked: nobody could vouch. */
export const createVouching = ({ folder, trust, demanded, clock, log }: VouchingParts): Vouching => {
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

  /** By digest and name: a mirror may not have what another registry has. */
  const waits = new Map<string, Wait>()
  const renewed = new Map<string, true>()

  const isComplete = (signatures: Signatures): boolean => {
    const { keys, types } = demanded()
    const attested = new Set(signatures.flatMap(({ attestations }) => attestations.map(({ type }) => type)))
    return signatures.some(({ key, signed }) => signed && (keys.length === 0 || keys.includes(key))) && types.every(type => attested.has(type))
  }

  const waitAgain = (key: string, silent: boolean): number => {
    const times = (waits.get(key)?.times ?? -1) + 1
    const lasts = Math.min(tryAgainAfter * 2 ** times, tryAgainAtLast)
    remember(waits, key, { times, until: clock.boot() + lasts, silent }, mostWaiting)
    return lasts
  }

  return {
    renew: digest => {
      for (const key of waits.keys()) if (key.startsWith(digest)) waits.delete(key)
      remember(renewed, digest, true, mostWaiting)
    },
    vouch: async (digest, name, signal) => {
      if (trust.keys.length === 0) return { signatures: [], lasts: undefined }
      const { signatures: before } = trust.verify(await kept(digest))
      const key = `${digest} ${name}`
      if (!renewed.has(digest) && isComplete(before)) return { signatures: before, lasts: undefined }
      const wait = waits.get(key)
      const left = wait === undefined ? 0 : wait.until - clock.boot()
      if (wait !== undefined && left > 0) return { signatures: before.length === 0 && wait.silent ? undefined : before, lasts: left }
      try {
        const documents = await trust.documentsOf({ name, digest }, undefined, AbortSignal.any([signal, AbortSignal.timeout(patience)]))
        renewed.delete(digest)
        const { signatures: found, problems } = trust.verify(documents)
        if (documents.length > 0)
          await keep(digest, documents).catch((error: unknown) => log.warn('signatures could not be kept', { image: digest, error }))
        for (const problem of problems) log.info('what does not vouch for an image', { image: digest, problem })
        // A mirror that has nothing of it takes nothing away.
        const signatures = documents.length > 0 ? found : before
        if (!isComplete(signatures)) return { signatures, lasts: waitAgain(key, false) }
        waits.delete(key)
        return { signatures, lasts: undefined }
      } catch (error) {
        if (signal.aborted) throw abortError(signal)
        log.warn('it could not be found out who vouches for an image', { image: digest, name, error })
        return { signatures: before.length > 0 ? before : undefined, lasts: waitAgain(key, true) }
      }
    },
  }
}
