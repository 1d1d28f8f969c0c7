/** Packages against data: which of them have which known vulnerabilities. */
import { createHash } from 'node:crypto'
import { DayflyError } from '../../base/errors.ts'
import type { Rating, Severity, VulnerabilityFinding } from '../../model/finding.ts'
import { compareSeverity } from '../../model/finding.ts'
import type { Distribution, Package } from '../../model/package.ts'
import { orderOf } from '../versions/order.ts'
import { oneLine } from './advisory.ts'
import { severityOfScore } from './cvss/score.ts'
import type { Query, Scope } from './ecosystems.ts'
import { coversRelease, questions } from './ecosystems.ts'
import type { Group, Hit } from './group.ts'
import { groupsOf } from './group.ts'
import type { Candidate, Covered, Lookup } from './lookup.ts'
import { fixesAfter, isInRange, isListed, orderOfRange } from './range.ts'
import type { VexIndex } from './vex.ts'

export interface Matched {
  /** By severity, the worst first; then by package. */
  readonly findings: readonly VulnerabilityFinding[]
  /**
   * Wall ms of the newest data about what was asked for; of several ecosystems that of the oldest, so that one stale source is not hidden by a fresh one.
   * undefined where there is no data about any of it.
   */
  readonly dataFrom: number | undefined
  /** What nothing is known about: with any, the match is incomplete, and policy may deny for it. */
  readonly problems: readonly string[]
}

/** No version is nearly as long; longer ones are hostile, and nothing is affected. */
const longestVersion = 1_000
const mostFixes = 100
/** Of one match: an image can name one package, of which thousands are known, in fifty thousand versions. Real ones have a hundredth. */
const mostFindings = 100_000
const mostComparisons = 2_000_000
const mostReferences = 20
const ratingOrder: readonly Rating['version'][] = ['2.0', '3.0', '3.1', '4.0']

const isAffected = ({ ecosystem, ranges, versions }: Candidate, version: string): boolean =>
  ranges.some(range => isInRange(version, range, orderOfRange(ecosystem, range))) || isListed(ecosystem, version, versions, ranges.length > 0)

/** The lowest version, later than the installed one, that none of the records calls affected. */
const fixedVersion = (hits: readonly Hit[]): string | undefined => {
  const fixes = new Map<string, Candidate>()
  for (const { candidate, version } of hits) {
    for (const range of candidate.ranges) {
      const order = orderOfRange(candidate.ecosystem, range)
      if (!isInRange(version, range, order)) continue
      for (const fix of fixesAfter(version, range, order)) if (fixes.size < mostFixes) fixes.set(fix, candidate)
    }
  }
  const ecosystem = hits[0]?.candidate.ecosystem ?? ''
  const ascending = [...fixes.keys()].toSorted(orderOf(ecosystem).compare)
  return ascending.find(fix => !hits.some(({ candidate }) => isAffected(candidate, fix)))
}

/** Newest version of the standard first, highest score first. */
const ratingsOf = (hits: readonly Hit[]): Rating[] => {
  const ratings = new Map<string, Rating>()
  for (const { record, candidate } of hits) for (const rating of [...candidate.ratings, ...record.ratings]) ratings.set(rating.vector, rating)
  return [...ratings.values()].toSorted(
    (left, right) => ratingOrder.indexOf(right.version) - ratingOrder.indexOf(left.version) || right.score - left.score,
  )
}

const severityOf = (hits: readonly Hit[], ratings: readonly Rating[]): Severity => {
  const [best] = ratings
  if (best) return severityOfScore(best)
  const words = hits.flatMap(({ record, candidate }) => candidate.severity ?? record.severity ?? [])
  return words.reduce<Severity>((worst, word) => (compareSeverity(word, worst) > 0 ? word : worst), 'unknown')
}

const fingerprintOf = (id: string, purl: string): string => createHash('sha256').update(`vulnerability\0${id}\0${purl}`).digest('hex').slice(0, 32)

const earliest = (times: readonly (number | undefined)[]): number | undefined =>
  times.reduce((first, time) => (first === undefined || (time ?? first) < first ? time : first), undefined)

/** Versions of a distribution's data are those of sources, which may differ from the binary package's own. */
const remedyOf = ({ name, source }: Package, id: string, fixed: string | undefined): string => {
  if (fixed === undefined) return `No fixed version of ${name} is known: remove it, or see ${id} for a way around.`
  const of = source && source.name !== name ? ` (of ${source.name})` : ''
  return `Update ${name}${of} to ${fixed} or later.`
}

/** What a finding is decided by, besides the records. */
export interface Context {
  readonly lookup: Lookup
  readonly vex: VexIndex
  /** How the image or folder may be called in VEX documents: purls, `sha256:` digests. */
  readonly products: readonly string[]
  /** Wall ms. */
  readonly now: number
}

const findingOf = (one: Package, { names, hits }: Group, { lookup, vex, products, now }: Context): VulnerabilityFinding => {
  const [id = '', ...aliases] = names
  const ratings = ratingsOf(hits)
  const fixed = fixedVersion(hits)
  const cves = names.filter(name => name.startsWith('CVE-'))
  const scores = cves.flatMap(cve => lookup.epss(cve) ?? [])
  const summary = hits.find(({ record }) => record.summary !== '')?.record.summary ?? ''
  const publishedAt = earliest(hits.map(({ record }) => record.published))
  const said = vex(names, { purl: one.purl, products }, now)
  return {
    kind: 'vulnerability',
    id,
    severity: severityOf(hits, ratings),
    title: oneLine(summary || `${id} in ${one.name}`, 200),
    remedy: remedyOf(one, id, fixed),
    references: [...new Set(hits.flatMap(({ record }) => record.references))].slice(0, mostReferences),
    places: one.paths.map(path => ({ path })),
    fingerprint: fingerprintOf(id, one.purl),
    package: { purl: one.purl, name: one.name, version: one.version },
    ...(fixed === undefined ? {} : { fixed }),
    aliases,
    ratings,
    ...(scores.length > 0 ? { epss: Math.max(...scores) } : {}),
    ...(cves.some(cve => lookup.isExploited(cve)) ? { exploited: true } : {}),
    ...(publishedAt === undefined ? {} : { publishedAt }),
    ...(said ? { vex: said } : {}),
  }
}

const hitsOf = (queries: readonly Query[], ecosystems: readonly Covered[], lookup: Lookup, compare: () => void): Hit[] => {
  const hits: Hit[] = []
  for (const { name, version } of queries) {
    if (version.length > longestVersion) continue
    for (const ecosystem of ecosystems) {
      for (const candidate of lookup.candidates(ecosystem, name)) {
        compare()
        if (!isAffected(candidate, version)) continue
        const record = lookup.record(candidate.record)
        if (record) hits.push({ record, candidate, version })
      }
    }
  }
  return hits
}

const tooMuch = (what: string): DayflyError =>
  new DayflyError('corrupt', `the packages cannot be held against the vulnerability data: ${what}`, {
    remedy: 'See whether its package databases are real: dayfly scan lists what they name.',
  })

/** Pure: the same packages, data and time give the same findings, in the same order. Throws `corrupt` for what is more than any real image has. */
export const matchPackages = (packages: readonly Package[], distribution: Distribution | undefined, context: Context): Matched => {
  const { lookup } = context
  const ask = questions(distribution)
  // By scope, not by origin: that has words of the image in it, which may call its distribution npm.
  const scopes = new Map<Scope, { readonly ecosystems: readonly Covered[]; readonly isKnown: boolean }>()
  const unknown = new Map<string, number>()
  const findings: VulnerabilityFinding[] = []
  let comparisons = 0
  const compare = (): void => {
    if (++comparisons > mostComparisons) throw tooMuch(`it would take more than ${mostComparisons} comparisons`)
  }
  let dataFrom: number | undefined
  for (const one of packages) {
    const { origin, scope, queries } = ask(one)
    if (queries.length === 0) continue
    let data = scopes.get(scope)
    if (!data) {
      const ecosystems = lookup.ecosystems.filter(({ name }) => scope(name))
      const covering = ecosystems.filter(({ name }) => coversRelease(name))
      const newest = covering.reduce<number | undefined>((latest, ecosystem) => Math.max(latest ?? ecosystem.newest, ecosystem.newest), undefined)
      dataFrom = earliest([dataFrom, newest])
      data = { ecosystems, isKnown: covering.length > 0 }
      scopes.set(scope, data)
    }
    const { ecosystems, isKnown } = data
    if (!isKnown) unknown.set(origin, (unknown.get(origin) ?? 0) + 1)
    const hits = hitsOf(queries, ecosystems, lookup, compare)
    if (hits.length > 0) for (const group of groupsOf(hits)) findings.push(findingOf(one, group, context))
    if (findings.length > mostFindings) throw tooMuch(`they have more than ${mostFindings} known vulnerabilities`)
  }
  findings.sort(
    (left, right) =>
      compareSeverity(right.severity, left.severity) ||
      compareText(left.package.name, right.package.name) ||
      compareText(left.id, right.id) ||
      compareText(left.package.purl, right.package.purl),
  )
  const problems = [...unknown].map(
    ([origin, count]) => `there is no vulnerability data about ${origin}, of which there ${count === 1 ? 'is 1 package' : `are ${count} packages`}`,
  )
  return { findings, dataFrom, problems }
}

const compareText = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0)
