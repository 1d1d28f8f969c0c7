/**
 * A search goes through the positions in the order that is asked for. Where they are in the index, lists of each group of tokens are intersected, and only
 * the entries that are left are looked at; where they are not yet (the latest ones), all blocks are. What is found was always compared with the filter itself.
 */
import { DayflyError, messageOf } from '../../base/errors.ts'
import type { Activity, ActivityFilter, ActivityOrigin, Found } from '../../model/activity.ts'
import type { ActivityProblem } from './activity-store.ts'
import { activityOf, blockEntries, lineStarts, uncompress } from './blocks.ts'
import type { Connection } from './connection.ts'
import { groupsOf, literalOf, originFits, tokensOf } from './facets.ts'
import type { Posting } from './postings.ts'
import { bucketOf, hashOf, intersection, postingsIn } from './postings.ts'
import type { BlockPlace, Segment } from './rows.ts'
import { bucketKey, bytesIn, originOf, placeColumns, placeOf, segmentOf } from './rows.ts'

const usualLimit = 1000
const mostLimit = 100_000
const mostWords = 64

interface Search {
  readonly connection: Connection
  readonly groups: readonly (readonly string[])[]
  /** Of each group one must be somewhere in the entry's line, or it does not fit. */
  readonly literals: readonly (readonly string[])[]
  readonly since: number
  readonly until: number
  /** Positions, both included. */
  readonly from: number
  readonly to: number
  readonly backwards: boolean
  readonly limit: number
  readonly found: Found[]
  readonly originFor: (instance: string) => ActivityOrigin | undefined
  /** Whether an environment has an instance of those that are looked for. */
  readonly concerns: (environment: number) => boolean
  readonly onProblem: (problem: ActivityProblem) => void
}

/** A whole number within bounds. */
const within = (field: string, value: number, least: number, most: number): number => {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value
  throw new DayflyError('invalid', `${field}: ${value} is not a whole number from ${least} to ${most}`, {
    field,
    remedy: `Give one from ${least} to ${most}.`,
  })
}

const fits = (search: Search, activity: Activity): boolean => {
  if (activity.time < search.since || activity.time > search.until) return false
  const origin = search.originFor(activity.instance)
  // Its environment is purged.
  if (!origin) return false
  if (search.groups.length === 0) return true
  const tokens = tokensOf(activity, origin)
  return search.groups.every(group => group.some(token => tokens.has(token)))
}

const literalsOf = (groups: readonly (readonly string[])[]): string[][] =>
  groups.flatMap(group => {
    const literals = group.flatMap(token => literalOf(token) ?? [])
    return literals.length === group.length ? [literals] : []
  })

/** Offsets of the lines that have what they must have. */
const linesWith = (bytes: Buffer, starts: readonly number[], literals: Search['literals']): number[] => {
  // A character for each byte, so that offsets are the same.
  const text = bytes.toString('latin1').toLowerCase()
  const all = Array.from({ length: starts.length - 1 }, (_, index) => index)
  if (!literals.every(group => group.some(literal => text.includes(literal)))) return []
  return all.filter(index => {
    const line = text.slice(starts[index], starts[index + 1])
    return literals.every(group => group.some(literal => line.includes(literal)))
  })
}

const tellDamage = (search: Search, place: BlockPlace, error: unknown): void => {
  const row = search.connection.one('SELECT id FROM environment WHERE number = ?', place.environment)
  search.onProblem({ environment: String(row?.['id'] ?? ''), block: place.number, message: messageOf(error) })
}

/** Looks at the entries of a block at these offsets, which are in the search's order; undefined: at all. */
const searchBlock = (search: Search, place: BlockPlace, offsets: number[] | undefined): void => {
  const row = search.connection.one('SELECT data FROM block WHERE position = ?', place.position)
  try {
    const bytes = uncompress(bytesIn(row?.['data']))
    const starts = lineStarts(bytes)
    if (starts.length - 1 !== place.entries) throw new DayflyError('corrupt', 'it has another number of entries')
    const candidates = offsets ?? linesWith(bytes, starts, search.literals)
    if (offsets === undefined && search.backwards) candidates.reverse()
    for (const offset of candidates) {
      const position = place.position + offset
      if (position < search.from || position > search.to) continue
      const activity = activityOf(bytes.toString('utf8', starts[offset], (starts[offset + 1] ?? 0) - 1))
      if (fits(search, activity)) search.found.push({ position, activity })
      if (search.found.length >= search.limit) return
    }
  } catch (error) {
    if (!(error instanceof DayflyError) || error.code !== 'corrupt') throw error
    tellDamage(search, place, error)
  }
}

/** The block at or next to a position, in the search's direction. */
const blockSql = {
  backwards: `SELECT ${placeColumns} FROM block WHERE position <= ? ORDER BY position DESC LIMIT 1`,
  forwards: `SELECT ${placeColumns} FROM block WHERE position > ?1 - ${blockEntries} AND position + entries > ?1 ORDER BY position LIMIT 1`,
}

const blockNear = (search: Search, position: number): BlockPlace | undefined => {
  const row = search.connection.one(search.backwards ? blockSql.backwards : blockSql.forwards, position)
  return row && placeOf(row)
}

const mayHave = (search: Search, { first, last, environment }: BlockPlace): boolean =>
  last >= search.since && first <= search.until && search.concerns(environment)

/** All blocks that have positions of this range. */
const searchAll = (search: Search, from: number, to: number): void => {
  let at = search.backwards ? to : from
  while (at >= from && at <= to && search.found.length < search.limit) {
    const place = blockNear(search, at)
    if (!place) return
    const end = place.position + place.entries - 1
    if (end < from || place.position > to) return
    if (mayHave(search, place)) searchBlock(search, place, undefined)
    at = search.backwards ? place.position - 1 : end + 1
  }
}

/** The entries at these positions, which are in the search's order. Some are gone. */
const searchSome = (search: Search, positions: readonly number[]): void => {
  for (let at = 0; at < positions.length && search.found.length < search.limit; ) {
    const position = positions[at]
    const place = position === undefined ? undefined : blockNear(search, position)
    if (!place) return
    const end = place.position + place.entries - 1
    // What lies between here and the block is gone.
    while (at < positions.length && (search.backwards ? (positions[at] ?? 0) > end : (positions[at] ?? 0) < place.position)) at++
    const offsets: number[] = []
    for (; at < positions.length; at++) {
      const offset = (positions[at] ?? 0) - place.position
      if (offset < 0 || offset >= place.entries) break
      offsets.push(offset)
    }
    if (offsets.length > 0 && mayHave(search, place)) searchBlock(search, place, offsets)
  }
}

const postingsOf = (search: Search, segment: Segment, token: string): Posting[] => {
  const [which, hash] = hashOf(token)
  const row = search.connection.one('SELECT data FROM posting WHERE key = ?', bucketKey(segment.number, bucketOf(which, segment.bits)))
  return row === undefined ? [] : postingsIn(bytesIn(row['data']), hash)
}

const searchSegment = (search: Search, segment: Segment): void => {
  if (search.groups.length === 0) {
    searchAll(search, Math.max(search.from, segment.first), Math.min(search.to, segment.last))
    return
  }
  const lists: Posting[][] = []
  for (const group of search.groups) {
    const postings = group.flatMap(token => postingsOf(search, segment, token))
    if (postings.length === 0) return
    lists.push(postings)
  }
  const positions: number[] = []
  for (const offset of intersection(lists)) {
    const position = segment.first + offset
    if (position >= search.from && position <= search.to) positions.push(position)
  }
  searchSome(search, search.backwards ? positions.reverse() : positions)
}

/** Segments, and what lies between them and around them, in the search's order. */
const searchPositions = (search: Search): void => {
  const { connection, from, to, backwards } = search
  const segments = connection.all('SELECT * FROM segment WHERE last >= ? AND first <= ? ORDER BY first', from, to).map(segmentOf)
  if (backwards) segments.reverse()
  let reached = backwards ? to : from
  for (const segment of segments) {
    if (search.found.length >= search.limit) return
    if (backwards) searchAll(search, segment.last + 1, reached)
    else searchAll(search, reached, segment.first - 1)
    if (search.found.length >= search.limit) return
    if (segment.until >= search.since && segment.since <= search.until) searchSegment(search, segment)
    reached = backwards ? segment.first - 1 : segment.last + 1
  }
  if (backwards) searchAll(search, from, reached)
  else searchAll(search, reached, to)
}

/** See ActivityReader.search. */
export const search = (connection: Connection, filter: ActivityFilter, onProblem: (problem: ActivityProblem) => void): Found[] => {
  const groups = groupsOf(filter)
  if (groups.length > mostWords) {
    throw new DayflyError('invalid', `text: it has more than ${mostWords} words`, { field: 'text', remedy: 'Search for fewer words.' })
  }
  const backwards = filter.oldestFirst !== true
  const after = filter.after === undefined ? undefined : within('after', filter.after, 0, Number.MAX_SAFE_INTEGER)
  const origins = new Map<string, ActivityOrigin | undefined>()
  const originFor = (instance: string): ActivityOrigin | undefined => {
    if (!origins.has(instance)) {
      const row = connection.one('SELECT * FROM origin WHERE instance = ?', instance)
      origins.set(instance, row && originOf(row))
    }
    return origins.get(instance)
  }
  const concerned = new Map<number, boolean>()
  const concerns = (environment: number): boolean => {
    const known = concerned.get(environment)
    if (known !== undefined) return known
    const sql = 'SELECT * FROM origin WHERE environment = (SELECT id FROM environment WHERE number = ?)'
    const does = connection.all(sql, environment).some(row => originFits(originOf(row), groups))
    concerned.set(environment, does)
    return does
  }
  const found: Found[] = []
  connection.transaction('DEFERRED', () =>
    searchPositions({
      ...{ connection, groups, literals: literalsOf(groups), backwards, found, originFor, concerns, onProblem },
      since: filter.since ?? Number.NEGATIVE_INFINITY,
      until: filter.until ?? Number.POSITIVE_INFINITY,
      from: backwards || after === undefined ? 0 : after + 1,
      to: backwards && after !== undefined ? after - 1 : Number.MAX_SAFE_INTEGER,
      limit: within('limit', filter.limit ?? usualLimit, 1, mostLimit),
    }),
  )
  return found
}
