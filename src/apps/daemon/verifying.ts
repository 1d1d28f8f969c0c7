/** The daemon's own word on a record: the same checks as of a bundle, on what lies in its folders. */

import type { Store } from '../../engine/store.ts'
import type { Environment } from '../../model/environment.ts'
import type { Fault, Verification } from '../../model/seal.ts'
import type { Member } from '../../seal/bundle.ts'
import { memberNames } from '../../seal/bundle.ts'
import { recordMember } from '../../seal/facts.ts'
import type { PublicKey } from '../../seal/keys.ts'
import { readPublicKeys } from '../../seal/keys.ts'
import type { TarMember } from '../../seal/tar.ts'
import { verifyMembers } from '../../seal/verify.ts'
import type { RecordSources } from './record-members.ts'
import { sealedMembers } from './record-members.ts'
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
  readonly sealing: Pick<Sealing, 'signed'>
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
  const found = await verifyMembers(opened(sealedMembers(parts, id)), {
    ...{ keys: keysOf(store), trust: 'known' as const },
    expects: signed ? { what: 'sealed' } : { what: 'open', environment: id, reason: reasonOf(environment) },
  })
  const faults: Fault[] = [...found.faults]
  // The store keeps the head beside the entries: of a record that lives, nothing else says that its end is missing.
  const broken = store.verify(id)
  if (broken !== undefined && !faults.some(({ member }) => member === recordMember)) {
    faults.push({ member: recordMember, sequence: broken, message: 'the store has another end of the record than was written' })
  }
  const head = signed ? activityFault(parts, id) : undefined
  if (head !== undefined && !faults.some(({ member }) => member === memberNames.activity)) faults.push(head)
  return { ...found, faults, verdict: faults.length > 0 ? 'broken' : found.verdict }
}

/** What the activity store itself says of its blocks: it can tell those that gave way to its budget from those that were taken away. */
const activityFault = ({ activity, store }: VerifyingParts, environment: string): Fault | undefined => {
  const kept = store.events({ environment, types: ['activity.kept'] }).at(-1)?.data
  const reader = activity()
  if (kept === undefined) return undefined
  const [blocks, entries, hash] = [kept['blocks'], kept['entries'], kept['hash']]
  if (typeof blocks !== 'number' || typeof entries !== 'number' || typeof hash !== 'string') return undefined
  const verdict = reader?.verify(environment, { blocks, entries, hash })
  if (reader !== undefined && verdict?.broken === undefined) return undefined
  const message = reader === undefined ? 'it is missing: there is no activity store' : `block ${verdict?.broken} is not what was kept, or is missing`
  return { member: memberNames.activity, sequence: null, message }
}
