/**
 * Signs records once they are sealed: the head of the chain, with the digests of what lies beside it. A record whose daemon died between the seal and the
 * signature is signed by the next one, for the store says which those are.
 */
import { createHash } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'
import { DayflyError } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { ActivityHead } from '../../model/activity.ts'
import { canonicalJson } from '../../model/record.ts'
import type { BundleStatement, Envelope, PrunedStatement, RecordPredicate } from '../../model/seal.ts'
import { activityGenesisHash } from '../../seal/activity.ts'
import { signStatement } from '../../seal/dsse.ts'
import type { RecordFacts } from '../../seal/facts.ts'
import { recordStatement } from '../../seal/statement.ts'
import type { SigningKey } from './record-key.ts'
import type { RecordSources } from './record-members.ts'
import { contentOf, evidenceOf, readerOf, sizeOf } from './record-members.ts'

/** ms between two looks at what has no signature yet; it is told of most as they are sealed. */
const interval = 5_000
const batch = 50

export interface SealingParts extends RecordSources {
  /** Resolves when what an environment has beyond the head that its record binds is gone, and nothing more of it is kept. Rejects when that cannot be done now. */
  readonly cut: (environment: string, head: ActivityHead) => Promise<void>
  readonly key: SigningKey
  readonly clock: Clock
  readonly log: Log
}

export interface Sealing extends AsyncDisposable {
  readonly key: SigningKey
  /** From now on it looks by itself. */
  begin(): void
  /** A record has been sealed. */
  hurry(): void
  /** Resolves when there is a signature, if there can be one: the record is sealed and whole. */
  signed(environment: string): Promise<boolean>
  /** Signs what is exported. */
  sign(statement: BundleStatement | PrunedStatement): Envelope
}

const digestOf = async (path: string): Promise<{ bytes: number; digest: { sha256: string } }> => {
  const hash = createHash('sha256')
  const bytes = await sizeOf(path)
  if (bytes > 0) for await (const chunk of contentOf(path, bytes)) hash.update(chunk)
  return { bytes, digest: { sha256: hash.digest('hex') } }
}

export const createSealing = (parts: SealingParts): Sealing => {
  const { store, key, clock, log } = parts
  const closer = new AbortController()
  /** Records that cannot be signed, for they are not whole. Told once. */
  const refused = new Set<string>()
  let timer: NodeJS.Timeout | undefined
  let last: Promise<unknown> = Promise.resolve()

  /** Also those that it was made with and that an update has taken from it. */
  const imagesOf = (environment: string, first: RecordFacts['firstImages']): RecordPredicate['images'] => {
    const workloads = store.environment(environment)?.spec.workloads ?? {}
    const names = new Map([...first, ...Object.values(workloads).map(({ image, imageName }) => [image, imageName] as const)])
    const all = new Set([...names.keys(), ...store.instances(environment).flatMap(({ origin }) => (origin === undefined ? [] : [origin.image]))])
    return [...all].sort().map(image => ({ name: names.get(image) ?? image, digest: { sha256: image.replace('sha256:', '') } }))
  }

  const sign = async (environment: string): Promise<void> => {
    if (closer.signal.aborted || refused.has(environment) || store.signatures.of(environment) !== undefined) return
    const reader = await readerOf(store, environment)
    const facts = reader.facts()
    if (facts === undefined) {
      refused.add(environment)
      const { sequence, message } = reader.fault ?? { sequence: null, message: 'it lacks its beginning or its end' }
      log.error('a record is not whole, and is not signed', { environment, entry: sequence, reason: message })
      return
    }
    if (store.recordHead(environment)?.own !== true) {
      refused.add(environment)
      log.error('a record is not signed: somebody else has written to it', { environment })
      return
    }
    // What was kept after its end is bound by nothing: a daemon that was killed may have left it.
    const { blocks, entries, digest } = facts.activity ?? { blocks: 0, entries: 0, digest: { sha256: activityGenesisHash(environment) } }
    await parts.cut(environment, { blocks, entries, hash: digest.sha256 })
    const logs: RecordPredicate['logs'] = []
    const instances = new Map(store.instances(environment).map(instance => [instance.id, instance]))
    for (const id of facts.instances) {
      const instance = instances.get(id)
      if (instance !== undefined) logs.push({ instance: id, ...(await digestOf(parts.logPath(instance))) })
    }
    const statement = recordStatement(facts, {
      images: imagesOf(environment, facts.firstImages),
      logs,
      forensics: evidenceOf(reader, environment, parts.evidencePath).map(({ name, bytes, sha256 }) => ({ name, bytes, digest: { sha256 } })),
      signedAt: new Date(clock.wall()).toISOString(),
    })
    if (closer.signal.aborted) return
    const envelope = `${canonicalJson(signStatement(statement, key.key))}\n`
    store.signatures.sign({ environment, keyId: key.id, envelope, signedAt: clock.wall() })
  }

  /** One after another: hashing logs is work for the disk. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work)
    last = mine.catch(() => {})
    return mine
  }

  const look = async (): Promise<void> => {
    /** What fails keeps nobody behind it waiting: it is tried again by the next look. */
    const later = new Set<string>()
    for (;;) {
      const left = store.signatures
        .unsigned(batch + refused.size + later.size)
        .filter(environment => !refused.has(environment) && !later.has(environment))
      if (left.length === 0) return
      for (const environment of left) {
        if (closer.signal.aborted) return
        await sign(environment).catch((error: unknown) => {
          later.add(environment)
          if (!closer.signal.aborted) log.warn('a record could not be signed; it is tried again', { environment, error })
        })
      }
    }
  }
  let queued = false
  const hurry = (): void => {
    if (timer === undefined || queued || closer.signal.aborted) return
    queued = true
    inTurn(() => {
      queued = false
      return look()
    }).catch((error: unknown) => {
      if (!closer.signal.aborted) log.warn('a record could not be signed; it is tried again', { error })
    })
  }

  return {
    key,
    begin: () => {
      timer ??= setInterval(hurry, interval).unref()
      hurry()
    },
    hurry,
    signed: async environment => {
      await inTurn(async () => {
        const sealed = store.environment(environment)?.state === 'ended'
        if (sealed) await sign(environment)
      })
      return store.signatures.of(environment) !== undefined
    },
    sign: statement => signStatement(statement, key.key),
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer)
      closer.abort(new DayflyError('unreachable', 'the daemon is ending'))
      await last
    },
  }
}
