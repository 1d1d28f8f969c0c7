/** Advisories as they are written and read: short keys, for there are hundreds of thousands. */
import type { Rating, Severity } from '../../model/finding.ts'
import { severities } from '../../model/finding.ts'
import type { Advisory, Affected, Range, RangeEvent } from './advisory.ts'

/** The file is our own, made by `recordBody` and `affectedBody`; what is read from it is taken apart all the same, for a file can be damaged. */
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value)
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
const strings = (value: unknown): string[] => list(value).filter(item => typeof item === 'string')
const severityIn = (value: unknown): Severity | undefined => severities.find(severity => severity === value)

const ratingsIn = (value: unknown): Rating[] =>
  list(value).flatMap(item => {
    const [version, vector, score] = list(item)
    const known = version === '2.0' || version === '3.0' || version === '3.1' || version === '4.0'
    return known && typeof vector === 'string' && typeof score === 'number' ? [{ version, vector, score }] : []
  })

const shortRatings = (ratings: readonly Rating[]): unknown =>
  ratings.length > 0 ? ratings.map(({ version, vector, score }) => [version, vector, score]) : undefined
const ifAny = <T>(items: readonly T[]): readonly T[] | undefined => (items.length > 0 ? items : undefined)

export const recordBody = (advisory: Advisory): string =>
  JSON.stringify({
    p: advisory.published,
    a: ifAny(advisory.aliases),
    c: ifAny(advisory.covers),
    s: advisory.summary || undefined,
    f: ifAny(advisory.references),
    r: shortRatings(advisory.ratings),
    q: advisory.severity,
  })

/** What a finding needs of an advisory. */
export type RecordFacts = Omit<Advisory, 'affected' | 'withdrawn'>

export const recordOf = (name: string, modified: number, body: string): RecordFacts => {
  const json: unknown = JSON.parse(body)
  const read = isObject(json) ? json : {}
  return {
    id: name,
    modified,
    published: typeof read['p'] === 'number' ? read['p'] : undefined,
    aliases: strings(read['a']),
    covers: strings(read['c']),
    summary: typeof read['s'] === 'string' ? read['s'] : '',
    references: strings(read['f']),
    ratings: ratingsIn(read['r']),
    severity: severityIn(read['q']),
  }
}

const letters = { introduced: 'i', fixed: 'f', last_affected: 'l' } as const

/** Most say no more than where it was fixed, and there are thousands of them to read for one image: `<medium<1.2-3` needs no JSON. */
const onlyFixed = ({ ranges, versions, ratings }: Affected): string | undefined => {
  const [range, ...others] = ranges
  if (!range || others.length > 0 || range.semver || range.limits.length > 0 || versions.length > 0 || ratings.length > 0) return undefined
  const [first, second, ...more] = range.events
  return more.length === 0 && first?.[0] === 'introduced' && first[1] === '0' && second?.[0] === 'fixed' ? second[1] : undefined
}

export const affectedBody = (affected: Affected): string => {
  const { ranges, versions, ratings, severity } = affected
  const fixed = onlyFixed(affected)
  if (fixed !== undefined) return `<${severity ?? ''}<${fixed}`
  return JSON.stringify({
    r: ifAny(
      ranges.map(({ semver, events, limits }) => ({
        m: semver ? 1 : undefined,
        e: events.flatMap(([kind, at]) => [letters[kind], at]),
        l: ifAny(limits),
      })),
    ),
    v: ifAny(versions),
    c: shortRatings(ratings),
    q: severity,
  })
}

const always: RangeEvent = ['introduced', '0']
const none: readonly never[] = []

const fixedFacts = (body: string): AffectedFacts => {
  const middle = body.indexOf('<', 1)
  return {
    ranges: [{ semver: false, events: [always, ['fixed', body.slice(middle + 1)]], limits: none }],
    versions: none,
    ratings: none,
    severity: middle === 1 ? undefined : severityIn(body.slice(1, middle)),
  }
}

const eventsIn = (value: unknown): RangeEvent[] => {
  const flat = strings(value)
  const events: RangeEvent[] = []
  for (let at = 0; at + 1 < flat.length; at += 2) {
    const version = flat[at + 1] ?? ''
    events.push([flat[at] === 'i' ? 'introduced' : flat[at] === 'f' ? 'fixed' : 'last_affected', version])
  }
  return events
}

const rangeIn = (value: unknown): Range => {
  const read = isObject(value) ? value : {}
  return { semver: read['m'] === 1, events: eventsIn(read['e']), limits: strings(read['l']) }
}

export type AffectedFacts = Omit<Affected, 'ecosystem' | 'name'>

export const affectedOf = (body: string): AffectedFacts => {
  if (body.startsWith('<')) return fixedFacts(body)
  const json: unknown = JSON.parse(body)
  const read = isObject(json) ? json : {}
  return { ranges: list(read['r']).map(rangeIn), versions: strings(read['v']), ratings: ratingsIn(read['c']), severity: severityIn(read['q']) }
}
