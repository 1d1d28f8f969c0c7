/** Records in the OSV format (https://ossf.github.io/osv-schema/): read leniently where nothing depends on it, strictly where a match does. */
import { z } from 'zod'
import type { Rating, Severity } from '../../model/finding.ts'
import { ecosystemFamily, orderOf } from '../versions/order.ts'
import { semver } from '../versions/semver.ts'
import type { Advisory, Affected, Range, RangeEvent } from './advisory.ts'
import { oneLine, severityOfWord } from './advisory.ts'
import { rate } from './cvss/score.ts'
import { isDistribution, normalName } from './ecosystems.ts'
import { isInRange, orderOfRange, sortEvents } from './range.ts'

const mostEvents = 10_000
const mostAffected = 20_000
const mostVersions = 200_000
const mostNames = 2_000
/** Beyond this many comparisons a list of versions is kept as it is, not only what no range holds. */
const mostTidying = 2_000_000

const text = z.string().max(1_000)
const names = z.array(text).max(mostNames).optional().nullable()
const severities = z
  .array(z.object({ type: z.string().optional().catch(undefined), score: z.string().optional().catch(undefined) }))
  .optional()
  .nullable()
  .catch(undefined)
/** What databases add of their own: only what tells how bad it is. */
const specific = z
  .object({
    severity: z.string().optional().catch(undefined),
    urgency: z.string().optional().catch(undefined),
    cvss: z.string().optional().nullable().catch(undefined),
  })
  .optional()
  .nullable()
  .catch(undefined)
const event = z.object({ introduced: text.optional(), fixed: text.optional(), last_affected: text.optional(), limit: text.optional() })

const Record = z.object({
  id: text.min(1),
  modified: z.string().max(64),
  published: z.string().max(64).optional().nullable().catch(undefined),
  withdrawn: z.string().max(64).optional().nullable(),
  aliases: names,
  related: names,
  upstream: names,
  summary: z.string().optional().nullable().catch(undefined),
  details: z.string().optional().nullable().catch(undefined),
  severity: severities,
  database_specific: specific,
  references: z
    .array(z.object({ type: z.string().optional(), url: z.string() }))
    .optional()
    .nullable()
    .catch(undefined),
  affected: z
    .array(
      z.object({
        package: z.object({ ecosystem: text, name: text }).optional().nullable(),
        ranges: z
          .array(z.object({ type: text, events: z.array(event).max(mostEvents) }))
          .max(1_000)
          .optional()
          .nullable(),
        versions: z.array(text).max(mostVersions).optional().nullable(),
        severity: severities,
        ecosystem_specific: specific,
        database_specific: specific,
      }),
    )
    .max(mostAffected)
    .optional()
    .nullable(),
})
type Record = z.infer<typeof Record>
type RecordAffected = NonNullable<Record['affected']>[number]

const timeOf = (text: string | null | undefined): number | undefined => {
  const time = typeof text === 'string' ? Date.parse(text) : Number.NaN
  return Number.isNaN(time) ? undefined : time
}

const ratingsOf = (...vectors: readonly (string | null | undefined)[]): Rating[] => {
  const ratings = new Map<string, Rating>()
  for (const vector of vectors) {
    const rating = vector ? rate(vector) : undefined
    if (rating) ratings.set(rating.vector, rating)
  }
  return [...ratings.values()].slice(0, 8)
}

const vectorsOf = (severity: Record['severity']): (string | undefined)[] =>
  (severity ?? []).filter(({ type }) => type?.startsWith('CVSS_')).map(({ score }) => score)

const ubuntuPriority = (severity: Record['severity']): string | undefined => severity?.find(({ type }) => type === 'Ubuntu')?.score

const rangeOf = (ecosystem: string, type: string, events: readonly z.infer<typeof event>[], id: string): Range | undefined => {
  if (type !== 'SEMVER' && type !== 'ECOSYSTEM') return undefined
  const limits: string[] = []
  const found: RangeEvent[] = []
  for (const { introduced, fixed, last_affected: last, limit } of events) {
    if (introduced !== undefined) found.push(['introduced', introduced])
    if (fixed !== undefined) found.push(['fixed', fixed])
    if (last !== undefined) found.push(['last_affected', last])
    if (limit !== undefined) limits.push(limit)
  }
  if (!found.some(([kind]) => kind === 'introduced')) throw new Error(`${id}: a range of ${ecosystem} does not say where it begins`)
  return { semver: type === 'SEMVER', events: sortEvents(found, type === 'SEMVER' ? semver : orderOf(ecosystem)), limits }
}

const affectedOf = (entry: RecordAffected, id: string): Affected | undefined => {
  if (!entry.package) return undefined
  const { ecosystem, name } = entry.package
  const ranges = (entry.ranges ?? []).flatMap(({ type, events }) => rangeOf(ecosystem, type, events, id) ?? [])
  const versions = entry.versions ?? []
  const steps = versions.length * ranges.reduce((sum, range) => sum + range.events.length, 0)
  const outside =
    steps > mostTidying ? versions : versions.filter(version => !ranges.some(range => isInRange(version, range, orderOfRange(ecosystem, range))))
  if (ranges.length === 0 && versions.length === 0) return undefined
  const own = entry.ecosystem_specific
  const theirs = entry.database_specific
  return {
    ecosystem,
    name: normalName(ecosystem, name),
    ranges,
    versions: [...new Set(outside)],
    ratings: ratingsOf(...vectorsOf(entry.severity), theirs?.cvss),
    severity:
      severityOfWord(ubuntuPriority(entry.severity)) ??
      severityOfWord(own?.urgency) ??
      severityOfWord(own?.severity) ??
      severityOfWord(theirs?.severity),
  }
}

const isCve = (id: string): boolean => id.startsWith('CVE-')

/** `CVE-2024-1` of `DEBIAN-CVE-2024-1`, `UBUNTU-CVE-2024-1`, `ALPINE-CVE-2024-1`. */
const embeddedCve = (id: string): string | undefined => {
  const at = id.indexOf('-CVE-')
  return at > 0 && at < 30 ? id.slice(at + 1) : undefined
}

/** What an advisory of a distribution is about: those that it says, older ones only as aliases or as related. */
const coversOf = (record: Record): string[] => {
  const upstream = (record.upstream ?? []).filter(isCve)
  const named = upstream.length > 0 ? upstream : (record.aliases ?? []).filter(isCve)
  const embedded = embeddedCve(record.id)
  const covers = embedded ? [embedded] : named.length > 0 ? named : (record.related ?? []).filter(isCve)
  return [...new Set(covers)]
}

const wordIn = (record: Record): Severity | undefined => {
  const said = severityOfWord(ubuntuPriority(record.severity)) ?? severityOfWord(record.database_specific?.severity)
  if (said) return said
  // Red Hat's family writes `Important: openssl security update`. Malicious packages are never rated.
  const summary = record.summary ?? ''
  return severityOfWord(summary.slice(0, Math.max(0, summary.slice(0, 40).indexOf(':')))) ?? (record.id.startsWith('MAL-') ? 'critical' : undefined)
}

const isLink = (url: string): boolean => url.length <= 2_000 && (url.startsWith('https://') || url.startsWith('http://'))

/** Throws an Error that says what is wrong with it. `json` is what was parsed. */
export const advisoryOf = (json: unknown): Advisory => {
  const parsed = Record.safeParse(json)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new Error(`no OSV record: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not understood'}`)
  }
  const record = parsed.data
  const modified = timeOf(record.modified)
  if (modified === undefined) throw new Error(`${record.id}: modified is no time`)
  const affected = (record.affected ?? []).flatMap(entry => affectedOf(entry, record.id) ?? [])
  const distribution = affected.length > 0 && affected.every(({ ecosystem }) => isDistribution(ecosystemFamily(ecosystem)))
  const covers = distribution ? coversOf(record) : []
  const covered = new Set(covers)
  const references = (record.references ?? []).toSorted((left, right) => Number(right.type === 'ADVISORY') - Number(left.type === 'ADVISORY'))
  return {
    id: record.id,
    modified,
    published: timeOf(record.published),
    withdrawn: typeof record.withdrawn === 'string' && record.withdrawn !== '',
    aliases: [...new Set((record.aliases ?? []).filter(alias => alias !== record.id && !covered.has(alias)))],
    covers,
    summary: oneLine(record.summary || record.details || '', 300),
    references: [...new Set(references.map(({ url }) => url).filter(isLink))].slice(0, 20),
    ratings: ratingsOf(...vectorsOf(record.severity)),
    severity: wordIn(record),
    affected,
  }
}
