/** Segments of the index: written when they are whole, made again from their blocks. */

import { DayflyError } from '../../base/errors.ts'
import type { ActivityOrigin } from '../../model/activity.ts'
import { activityOf, linesOf, uncompress } from './blocks.ts'
import type { SegmentBuilder } from './builder.ts'
import { createSegmentBuilder } from './builder.ts'
import type { Connection } from './connection.ts'
import { bucketsOf, encodeBucket, longestSegment, thinned } from './postings.ts'
import { numberOf } from './reader.ts'
import type { BlockPlace, Segment } from './rows.ts'
import { bucketKey, bytesIn, placeColumns, placeOf, segmentOf } from './rows.ts'

/** Within a transaction. */
export const removeSegment = (connection: Connection, segment: Pick<Segment, 'first' | 'number'>): void => {
  connection.run('DELETE FROM posting WHERE key >= ? AND key < ?', bucketKey(segment.number, 0), bucketKey(segment.number + 1, 0))
  connection.run('DELETE FROM segment WHERE first = ?', segment.first)
}

/** A segment is written in so many steps: all of it at once would keep the thread from judging what comes meanwhile. */
const steps = 12

/** A segment that is being written, or thinned. */
export interface SegmentWriting {
  /** A piece of it, within a transaction. True: that was all. */
  step(): boolean
}

/** Its positions are looked for in it once all of it is written. One segment after the other: what one has left that was not finished goes with the next. */
export const beginSegment = (connection: Connection, builder: SegmentBuilder, first: number, last: number): SegmentWriting => {
  const { bits, buckets } = bucketsOf(builder.lists())
  const piece = Math.ceil(buckets.length / steps)
  const number = numberOf(connection.one('SELECT max(number) FROM segment')) + 1
  let next = 0
  return {
    step: () => {
      if (next === 0) connection.run('DELETE FROM posting WHERE key >= ?', bucketKey(number, 0))
      for (const end = Math.min(next + piece, buckets.length); next < end; next++) {
        const bucket = buckets[next] ?? []
        if (bucket.length > 0) connection.run('INSERT INTO posting (key, data) VALUES (?, ?)', bucketKey(number, next), encodeBucket(bucket))
      }
      if (next < buckets.length) return false
      const live = numberOf(connection.one('SELECT total(entries) FROM block WHERE position BETWEEN ? AND ?', first, last))
      connection.run(
        'INSERT INTO segment (first, last, number, bits, since, until, entries, live) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
        ...[first, last, number, bits, builder.since, builder.until, builder.entries, live],
      )
      return true
    },
  }
}

/** All at once, within a transaction. */
const writeSegment = (connection: Connection, builder: SegmentBuilder, first: number, last: number): void => {
  const writing = beginSegment(connection, builder, first, last)
  while (!writing.step());
}

export interface Indexing {
  readonly originFor: (instance: string) => ActivityOrigin | undefined
  /** Entries of a segment. */
  readonly most: number
}

/** Entries of a damaged block cannot be found any more; that it is damaged, says verify. */
const addBlock = (connection: Connection, builder: SegmentBuilder, place: BlockPlace, { originFor }: Indexing): void => {
  const row = connection.one('SELECT data FROM block WHERE position = ?', place.position)
  try {
    const entries = linesOf(uncompress(bytesIn(row?.['data']))).map(activityOf)
    for (const [offset, activity] of entries.entries()) {
      const origin = originFor(activity.instance)
      if (origin) builder.add(place.position + offset, activity, origin)
    }
  } catch (error) {
    if (!(error instanceof DayflyError) || error.code !== 'corrupt') throw error
  }
}

/** Puts the blocks of these positions into the index, as far as one segment reaches. Within a transaction. */
const indexBlocks = (connection: Connection, from: number, to: number, indexing: Indexing): void => {
  const sql = `SELECT ${placeColumns} FROM block WHERE position BETWEEN ? AND ? ORDER BY position LIMIT ?`
  const places = connection.all(sql, from, to, indexing.most).map(placeOf)
  const [start] = places
  if (!start) return
  const builder = createSegmentBuilder(start.position, indexing.most)
  let last = start.position
  for (const place of places) {
    const end = place.position + place.entries - 1
    if (builder.full || !builder.reaches(end)) break
    addBlock(connection, builder, place, indexing)
    last = end
  }
  writeSegment(connection, builder, start.position, last)
}

/** Positions before `end` that have blocks and are in no segment: of a writer that was killed, or had no room. */
const unindexed = (connection: Connection, end: number): readonly [from: number, to: number] | undefined => {
  const blocksIn = (from: number, to: number): boolean =>
    from <= to && connection.one('SELECT 1 FROM block WHERE position BETWEEN ? AND ? LIMIT 1', from, to) !== undefined
  let from = 0
  for (const { first, last } of connection.all('SELECT * FROM segment ORDER BY first').map(segmentOf)) {
    if (blocksIn(from, first - 1)) return [from, first - 1]
    from = last + 1
  }
  return blocksIn(from, end - 1) ? [from, end - 1] : undefined
}

/** Indexes what is in no segment before `end`, as much as one segment takes. False: there is nothing. */
export const indexRest = (connection: Connection, end: number, indexing: Indexing): boolean => {
  const range = unindexed(connection, end)
  if (!range) return false
  connection.transaction('IMMEDIATE', () => indexBlocks(connection, ...range, indexing))
  return true
}

/** Takes what is gone out of the lists of a segment of which most is gone. Undefined: there is none. To be finished before the next one is begun. */
export const beginThinning = (connection: Connection): SegmentWriting | undefined => {
  const row = connection.one('SELECT * FROM segment WHERE live * 2 < entries ORDER BY first LIMIT 1')
  if (!row) return undefined
  const { first, last, number, bits } = segmentOf(row)
  const places = connection.all(`SELECT ${placeColumns} FROM block WHERE position BETWEEN ? AND ?`, first, last).map(placeOf)
  const alive = new Uint8Array(longestSegment)
  for (const { position, entries } of places) alive.fill(1, position - first, position - first + entries)
  const total = places.reduce((sum, { entries }) => sum + entries, 0)
  const piece = Math.ceil(2 ** bits / steps)
  let next = 0
  return {
    step: () => {
      const end = next + piece
      const sql = 'SELECT key, data FROM posting WHERE key >= ? AND key < ?'
      for (const { key, data } of connection.all(sql, bucketKey(number, next), bucketKey(number, Math.min(end, 2 ** bits)))) {
        const left = thinned(bytesIn(data), offset => alive[offset] === 1)
        if (left) connection.run('UPDATE posting SET data = ? WHERE key = ?', left, Number(key))
        else connection.run('DELETE FROM posting WHERE key = ?', Number(key))
      }
      next = end
      if (next < 2 ** bits) return false
      connection.run('UPDATE segment SET entries = ? WHERE number = ?', total, number)
      return true
    },
  }
}
