/** The activity store: one SQLite file, written by one thread, read by others. See docs/record.md for what it promises. */
import type { DatabaseSync } from 'node:sqlite'
import { DayflyError } from '../../base/errors.ts'
import type { Activity, ActivityOrigin } from '../../model/activity.ts'
import type { ActivityProblem, ActivityReader, ActivityStore } from './activity-store.ts'
import { blockEntries, blockHash, bytesOf, compress, genesisHash } from './blocks.ts'
import type { SegmentBuilder } from './builder.ts'
import { createSegmentBuilder, usualSegment } from './builder.ts'
import type { Connection } from './connection.ts'
import { connect } from './connection.ts'
import { createReading, environmentRow, numberOf } from './reader.ts'
import { cut, giveBack, prune, purge, removePurged } from './removal.ts'
import { originOf } from './rows.ts'
import { openToRead, openToWrite } from './schema.ts'
import type { SegmentWriting } from './segments.ts'
import { beginSegment, beginThinning, indexRest } from './segments.ts'

export interface ActivityReaderOptions {
  readonly path: string
  /** Told of damage that a search passes over. */
  readonly onProblem?: (problem: ActivityProblem) => void
  /** Vouches for what was pruned. Without it nobody does. */
  readonly key?: Uint8Array
  /** What there is now is read until it is closed, whatever is written or removed meanwhile. Not for long: what was removed stays on the disk until then. */
  readonly snapshot?: boolean
}

export interface ActivityStoreOptions extends Omit<ActivityReaderOptions, 'snapshot'> {
  /** Bytes in use that `prune` leaves. 2 GiB unless said otherwise. */
  readonly budget?: number
  /** Entries of a segment of the index. Tests make it small. */
  readonly segment?: number
  /** Gets the connection, to configure it further: tests make a small disk of it. */
  readonly onOpen?: (database: DatabaseSync) => void
}

export const usualBudget = 2 * 1024 ** 3

const ignore = (): void => undefined

/** To read, in any thread, beside the one that writes. Throws `host` when there is no such file. */
export const openActivityReader = ({ path, onProblem = ignore, key, snapshot = false }: ActivityReaderOptions): ActivityReader => {
  const connection = connect(() => openToRead(path), path)
  if (snapshot) {
    connection.exec('BEGIN DEFERRED')
    // It is of the moment of its first reading.
    connection.one('SELECT position FROM next')
  }
  return { ...createReading(connection, onProblem, key), [Symbol.dispose]: () => connection[Symbol.dispose]() }
}

/** So many pieces go in one call of prune; tidy goes on with it. */
const prunedAtOnce = 64

/** So many origins are remembered. */
const rememberedOrigins = 10_000

const createOrigins = (connection: Connection) => {
  const remembered = new Map<string, ActivityOrigin>()
  return {
    of: (instance: string): ActivityOrigin | undefined => {
      const known = remembered.get(instance)
      if (known) return known
      const row = connection.one('SELECT * FROM origin WHERE instance = ?', instance)
      const found = row && originOf(row)
      if (remembered.size >= rememberedOrigins) remembered.clear()
      if (found) remembered.set(instance, found)
      return found
    },
    forget: () => remembered.clear(),
  }
}

/** A block that was written, with what the index needs of it. */
interface Written {
  readonly position: number
  readonly entries: readonly Activity[]
}

/** Appends to an environment's chain. Within a transaction. */
const writeBlocks = (connection: Connection, environment: string, entries: readonly Activity[], from: number): Written[] => {
  connection.run('INSERT OR IGNORE INTO environment (id, blocks, entries, hash) VALUES (?, 0, 0, ?)', environment, genesisHash(environment))
  const known = environmentRow(connection, environment)
  if (!known) throw new DayflyError('internal', `the environment ${environment} was not written`)
  let { blocks, hash } = known.head
  const written: Written[] = []
  for (let at = 0; at < entries.length; at += blockEntries) {
    const own = entries.slice(at, at + blockEntries)
    const bytes = bytesOf(own)
    hash = blockHash(hash, bytes)
    blocks++
    const times = own.map(({ time }) => time)
    connection.run(
      'INSERT INTO block (position, environment, number, entries, first, last, hash, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      ...[from + at, known.number, blocks, own.length, Math.min(...times), Math.max(...times), hash, compress(bytes)],
    )
    written.push({ position: from + at, entries: own })
  }
  const total = known.head.entries + entries.length
  connection.run('UPDATE environment SET blocks = ?, entries = ?, hash = ? WHERE number = ?', blocks, total, hash, known.number)
  return written
}

/** To write; by one thread of one process. Makes the file when it is missing. Throws `host`. */
export const openActivityStore = ({
  path,
  onProblem = ignore,
  budget = usualBudget,
  segment = usualSegment,
  key,
  onOpen,
}: ActivityStoreOptions): ActivityStore => {
  const connection = connect(() => {
    const database = openToWrite(path)
    onOpen?.(database)
    return database
  }, path)
  const origins = createOrigins(connection)
  const indexing = { originFor: origins.of, most: segment }
  let builder: SegmentBuilder | undefined
  let writing: SegmentWriting | undefined
  let thinning: SegmentWriting | undefined
  let ended: readonly string[] = []
  // A writer that was killed has left what was not in the index yet.
  let untidy = true

  const originFor = (activity: Activity): ActivityOrigin => {
    const origin = origins.of(activity.instance)
    if (origin?.environment === activity.environment) return origin
    throw new DayflyError('internal', `the instance ${activity.instance} of ${activity.environment} was not introduced to the activity store`)
  }

  /** What has no room stays out of the index until there is: a search looks at all of it then. False: nothing is being written. */
  const write = (): boolean => {
    if (!writing) return false
    try {
      if (connection.transaction('IMMEDIATE', writing.step)) writing = undefined
    } catch (error) {
      writing = undefined
      untidy = true
      if (!(error instanceof DayflyError) || error.code !== 'host') throw error
    }
    return true
  }

  const close = (): void => {
    while (write());
    if (builder) writing = beginSegment(connection, builder, builder.first, builder.next - 1)
    builder = undefined
  }

  const index = ({ position, entries }: Written): void => {
    if (builder && builder.next !== position) {
      builder = undefined
      untidy = true
    }
    if (builder && !builder.reaches(position + entries.length - 1)) close()
    builder ??= createSegmentBuilder(position, segment)
    for (const [offset, activity] of entries.entries()) builder.add(position + offset, activity, originFor(activity))
    if (builder.full) close()
  }

  return {
    ...createReading(connection, onProblem, key),

    introduce: ({ instance, environment, workload, image, imageName, owner }) => {
      connection.run(
        'INSERT OR IGNORE INTO origin (instance, environment, workload, image, image_name, owner) VALUES (?, ?, ?, ?, ?, ?)',
        ...[instance, environment, workload, image, imageName, owner],
      )
    },

    append: entries => {
      if (entries.length === 0) return
      for (const activity of entries) originFor(activity)
      const written = connection.transaction('IMMEDIATE', () => {
        let position = numberOf(connection.one('SELECT position FROM next'))
        const blocks: Written[] = []
        for (const [environment, own] of Map.groupBy(entries, activity => activity.environment)) {
          blocks.push(...writeBlocks(connection, environment, own, position))
          position += own.length
        }
        connection.run('UPDATE next SET position = ?', position)
        return blocks
      })
      for (const block of written) index(block)
      write()
    },

    sync: () => {
      connection.exec('PRAGMA synchronous = FULL')
      try {
        // A commit is what makes all before it durable, and it has to write something.
        connection.transaction('IMMEDIATE', () => connection.run('UPDATE synced SET count = count + 1'))
      } finally {
        connection.exec('PRAGMA synchronous = NORMAL')
      }
    },
    cut: (environment, head) => cut(connection, environment, head),
    purge: environment => {
      purge(connection, environment)
      origins.forget()
    },
    prune: given => {
      ended = given
      return prune(connection, { budget, key }, ended, prunedAtOnce)
    },

    tidy: () => {
      if (write() || removePurged(connection)) return true
      if (untidy) {
        untidy = indexRest(connection, builder?.first ?? numberOf(connection.one('SELECT position FROM next')), indexing)
        if (untidy) return true
      }
      if (prune(connection, { budget, key }, ended, 1).length > 0) return true
      thinning ??= beginThinning(connection)
      if (!thinning) return giveBack(connection)
      if (connection.transaction('IMMEDIATE', thinning.step)) thinning = undefined
      return true
    },

    [Symbol.dispose]: () => connection[Symbol.dispose](),
  }
}
