/** What an export has beside what a seal binds: what is known of the images, and the report. */
import { setImmediate as turn } from 'node:timers/promises'
import type { Store } from '../../engine/store.ts'
import type { Environment } from '../../model/environment.ts'
import { canonicalJson } from '../../model/record.ts'
import type { Member } from '../../seal/bundle.ts'
import { memberNames, textMember } from '../../seal/bundle.ts'
import { readerOf, sealedMembers } from './record-members.ts'
import type { ReportingParts } from './reporting.ts'
import { gatherReport, reportPage } from './reporting.ts'
import type { Sealing } from './sealing.ts'

export interface ExportParts extends ReportingParts {
  readonly sealing: Pick<Sealing, 'key' | 'sign'>
}

/** Packages and vulnerabilities of each image that an instance had, as they are known now. */
const inventoryOf = (store: Store, environment: string): object => {
  const digests = new Set(store.instances(environment).flatMap(({ origin }) => (origin === undefined ? [] : [origin.image])))
  const { inventory } = store
  const images = [...digests].sort().flatMap((digest): object[] => {
    const image = inventory.image(digest)
    if (image === undefined) return [{ digest, known: false }]
    // Not when it was last looked up: whenever somebody starts the image again, that is another time.
    const { matchedAt: _, ...known } = image
    return [{ ...known, known: true, packages: inventory.packages(digest), vulnerabilities: inventory.vulnerabilities(digest) }]
  })
  return { images }
}

export async function* bundleMembers(parts: ExportParts, environment: Environment): AsyncGenerator<Member> {
  const { id } = environment
  const { key, sign } = parts.sealing
  yield* sealedMembers(parts, { environment: id, reader: await readerOf(parts.store, id), keys: [key.id], sign })
  yield textMember(memberNames.inventory, `${canonicalJson(inventoryOf(parts.store, id))}\n`)
  const report = await gatherReport(parts, environment)
  // Each takes a while: others get their turn in between.
  await turn()
  yield textMember(memberNames.reportJson, `${canonicalJson(report)}\n`)
  yield textMember(memberNames.reportHtml, await reportPage(report))
}
