/**
 * Debian's security tracker (https://security-tracker.debian.org/tracker/data/json): by source package, CVE and release, the version that is fixed.
 * What is undetermined there is nothing known, and no finding.
 */
import { z } from 'zod'
import type { Advisory, Affected } from './advisory.ts'
import { oneLine, severityOfWord } from './advisory.ts'
import { debianRelease } from './ecosystems.ts'

const word = z.string().max(1_000)
const Issue = z.object({
  description: z.string().optional().catch(undefined),
  releases: z.record(
    word,
    z.object({ status: word, fixed_version: word.optional().nullable(), urgency: word.optional().nullable().catch(undefined) }),
  ),
})

/**
 * The advisory of one CVE in one source package; `modified` is when the whole list was made (wall ms), for it says no other time.
 * Throws an Error that says what is wrong.
 */
export const debianAdvisory = (source: string, issue: string, json: unknown, modified: number): Advisory => {
  const parsed = Issue.safeParse(json)
  if (!parsed.success) throw new Error(`${source} ${issue}: ${parsed.error.issues[0]?.path.join('.')}: ${parsed.error.issues[0]?.message}`)
  const affected = Object.entries(parsed.data.releases).flatMap(([codename, { status, fixed_version: fixed, urgency }]): Affected[] => {
    // Fixed in version 0: it was never in this release.
    if (status === 'undetermined' || (status === 'resolved' && fixed === '0')) return []
    return [
      {
        ecosystem: `Debian:${debianRelease(codename)}`,
        name: source,
        ranges: [{ semver: false, limits: [], events: [['introduced', '0'], ...(fixed && fixed !== '0' ? [['fixed', fixed] as const] : [])] }],
        versions: [],
        ratings: [],
        severity: severityOfWord(urgency ?? undefined),
      },
    ]
  })
  return {
    id: `DEBIAN-TRACKER-${issue}-${source}`,
    modified,
    published: undefined,
    withdrawn: false,
    aliases: [],
    covers: [issue],
    summary: oneLine(parsed.data.description ?? '', 300),
    references: [`https://security-tracker.debian.org/tracker/${encodeURIComponent(issue)}`],
    ratings: [],
    severity: undefined,
    affected,
  }
}
