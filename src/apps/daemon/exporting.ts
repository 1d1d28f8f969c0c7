/** What an export has beside what a seal binds: what is known of the images, and the report. */
import type { Store } from '../../engine/store.ts'
import type { Environment } from '../../model/environment.ts'
import { canonicalJson } from '../../model/record.ts'
import { reportHtml } from '../../report/page.ts'
import type { Member } from '../../seal/bundle.ts'
import { memberNames, textMember } from '../../seal/bundle.ts'
import { sealedMembers } from './record-members.ts'
import type { ReportingParts } from './reporting.ts'
import { gatherReport } from './reporting.ts'
import type { Sealing } from './sealing.ts'

export interface ExportParts extends ReportingParts {
  readonly sealing: Pick<Sealing, 'key' | 'signed'>
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
  yield* sealedMembers(parts, environment.id, [parts.sealing.key.id])
  yield textMember(memberNames.inventory, `${canonicalJson(inventoryOf(parts.store, environment.id))}\n`)
  const report = await gatherReport(parts, environment)
  yield textMember(memberNames.reportJson, `${canonicalJson(report)}\n`)
  yield textMember(memberNames.reportHtml, reportHtml(report))
}
