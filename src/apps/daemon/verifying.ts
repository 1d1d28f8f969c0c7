/** The daemon's own word on a record: the same checks as of a bundle, on what lies in its folders. */

import type { Store } from '../../engine/store.ts'
import type { Environment } from '../../model/environment.ts'
import type { Fault, Verification } from '../../model/seal.ts'
import type { Member } from '../../seal/bundle.ts'
import { memberNames } from '../../seal/bundle.ts'
import type { RecordReader } from '../../seal/facts.ts'
import { recordMember } from '../../seal/facts.ts'
import type { PublicKey } from '../../seal/keys.ts'
import { readPublicKeys } from '../../seal/keys.ts'
import type { TarMember } from '../../seal/tar.ts'
import { verifyMembers } from '../../seal/verify.ts'
import type { RecordSources } from './record-members.ts'
import { readerOf, sealedMembers } from './record-members.ts'
import type { Sealing } from './sealing.ts'

async function* opened(members: AsyncIterable<Member>): AsyncGenerator<TarMember> {
  for await (const { name, size, content } of members) {
    yield {
      ...{ name, size },
      content: (async function* () {
        yield* content()
      })(),
    }
  }
}

export interface VerifyingParts extends RecordSources {
  readonly sealing: Pick<Sealing, 'signed' | 'key' | 'sign'>
}

const keysOf = (store: Pick<Store, 'signatures'>): PublicKey[] =>
  store.signatures.keys().flatMap(({ id, publicKey }) => readPublicKeys(publicKey, `the key ${id}`))

/** `why`: what keeps it from being proven whole. */
const reasonOf = ({ state }: Environment): string =>
  state === 'ended'
    ? 'its record could not be signed, for it is not whole'
    : `the environment is ${state}: its record is sealed and signed when it has ended`

export const verifyRecord = async (parts: VerifyingParts, environment: Environment): Promise<Verification> => {
  const { store } = parts
  const { id } = environment
  const signed = await parts.sealing.signed(id)
  // The store keeps the head beside the entries: of a record that lives, nothing else says that its end is missing.
  const head = store.recordHead(id)
  let meets = head === undefined
  const reader = await readerOf(store, id, ({ sequence, hash }) => {
    if (sequence === head?.count) meets = hash === head.hash
  })
  const found = await verifyMembers(
    opened(
      sealedMembers(parts, { environment: id, reader, keys: signed ? [parts.sealing.key.id] : [], sign: signed ? parts.sealing.sign : undefined }),
    ),
    {
      ...{ keys: keysOf(store), trust: 'known' as const },
      expects: signed ? { what: 'sealed' } : { what: 'open', environment: id, reason: reasonOf(environment) },
    },
  )
  const faults: Fault[] = [...found.faults]
  const broken = (message: string): void => {
    const sequence = Math.min(reader.count, head?.count ?? 0) + (reader.count < (head?.count ?? 0) ? 1 : 0)
    if (!faults.some(({ member }) => member === recordMember)) faults.push({ member: recordMember, sequence, message })
  }
  if (!meets || (head === undefined && reader.count > 0)) broken('the store has another end of the record than was written')
  if (head?.own === false) broken('its end was not written by this installation')
  if (environment.state === 'ended' && !reader.sealed) broken('it has no seal, and the environment has ended')
  if (signed && !faults.some(({ member }) => member === memberNames.activity)) faults.push(...(await activityFaults(parts, id, reader)))
  return { ...found, faults, verdict: faults.length > 0 ? 'broken' : found.verdict }
}

/** What the activity store itself says of its blocks: it has times beside them, by which they are found. */
const activityFaults = async ({ archive }: VerifyingParts, environment: string, reader: RecordReader): Promise<Fault[]> => {
  const bound = reader.facts()?.activity
  if (bound === undefined || bound === null) return []
  await using activity = await archive.snapshot()
  const { blocks, entries, digest } = bound
  const verdict = await activity?.verify(environment, { blocks, entries, hash: digest.sha256 })
  if (verdict !== undefined && verdict.broken === undefined) return []
  const message = verdict === undefined ? 'it is missing: there is no activity store' : `block ${verdict.broken} is not what was kept, or is missing`
  return [{ member: memberNames.activity, sequence: null, message }]
}
