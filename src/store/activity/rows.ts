/** Rows of the activity store as values. */
import type { SQLOutputValue } from 'node:sqlite'
import type { ActivityHead, ActivityOrigin } from '../../model/activity.ts'

export type Row = Readonly<Record<string, SQLOutputValue>>

/** A block without its bytes. */
export interface BlockPlace {
  readonly position: number
  /** Number of its environment's row. */
  readonly environment: number
  readonly number: number
  readonly entries: number
  readonly first: number
  readonly last: number
}

export const placeColumns = 'position, environment, number, entries, first, last'

export const placeOf = (row: Row): BlockPlace => ({
  ...{ position: Number(row['position']), environment: Number(row['environment']), number: Number(row['number']), entries: Number(row['entries']) },
  ...{ first: Number(row['first']), last: Number(row['last']) },
})

export interface Segment {
  readonly first: number
  readonly last: number
  readonly number: number
  readonly bits: number
  readonly since: number
  readonly until: number
  readonly entries: number
  readonly live: number
}

export const segmentOf = (row: Row): Segment => ({
  ...{ first: Number(row['first']), last: Number(row['last']), number: Number(row['number']), bits: Number(row['bits']) },
  ...{ since: Number(row['since']), until: Number(row['until']), entries: Number(row['entries']), live: Number(row['live']) },
})

/** Buckets of a segment are keyed from here on. */
export const bucketKey = (segment: number, bucket: number): number => segment * 65_536 + bucket

export const originOf = (row: Row): ActivityOrigin => ({
  ...{ environment: String(row['environment']), instance: String(row['instance']), workload: String(row['workload']) },
  ...{ image: String(row['image']), imageName: String(row['image_name']), owner: String(row['owner']) },
})

export interface EnvironmentRow {
  readonly number: number
  readonly id: string
  readonly head: ActivityHead
  readonly pruned: ActivityHead | undefined
  /** By the writer's key; see vouchedBy in removal.ts. Files of before have none. */
  readonly prunedMac: string | undefined
}

export const environmentOf = (row: Row): EnvironmentRow => ({
  number: Number(row['number']),
  id: String(row['id']),
  head: { blocks: Number(row['blocks']), entries: Number(row['entries']), hash: String(row['hash']) },
  pruned:
    row['pruned_hash'] === null
      ? undefined
      : { blocks: Number(row['pruned_blocks']), entries: Number(row['pruned_entries']), hash: String(row['pruned_hash']) },
  prunedMac: typeof row['pruned_mac'] === 'string' ? row['pruned_mac'] : undefined,
})

export const bytesIn = (value: SQLOutputValue | undefined): Uint8Array => (value instanceof Uint8Array ? value : new Uint8Array())
