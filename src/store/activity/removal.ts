/** What goes: with the retention, and to stay within the disk budget. */
import type { ActivityHead } from '../../model/activity.ts'
import type { Pruned } from './activity-store.ts'
import { genesisHash } from './blocks.ts'
import type { Connection } from './connection.ts'
import { pruningMac } from './pruning.ts'
import { environmentRow, numberOf, roomOf } from './reader.ts'
import { environmentOf, segmentOf } from './rows.ts'
import { removeSegment } from './segments.ts'

/** So many blocks go in one transaction. */
const atOnce = 128

/** Blocks of an environment's row from one number up to another, both included, with what the index has of nothing else. Within a transaction. */
const removeBlocks = (connection: Connection, environment: number, first: number, last: number): void => {
  const gone = connection.all(
    `SELECT segment.first AS first, sum(block.entries) AS entries
     FROM block JOIN segment ON segment.first = (SELECT max(first) FROM segment WHERE first <= block.position) AND segment.last >= block.position
     WHERE block.environment = ? AND block.number >= ? AND block.number <= ? GROUP BY segment.first`,
    ...[environment, first, last],
  )
  connection.run('DELETE FROM block WHERE environment = ? AND number >= ? AND number <= ?', environment, first, last)
  for (const row of gone) connection.run('UPDATE segment SET live = live - ? WHERE first = ?', Number(row['entries']), Number(row['first']))
  for (const row of connection.all('SELECT * FROM segment WHERE live <= 0')) removeSegment(connection, segmentOf(row))
}

/** Number, hash and entries of the last block of the oldest ones that go at once; undefined: it has none. */
const oldest = (connection: Connection, environment: number): { blocks: number; entries: number; hash: string } | undefined => {
  const rows = connection.all('SELECT number, entries, hash FROM block WHERE environment = ? ORDER BY number LIMIT ?', environment, atOnce)
  const last = rows.at(-1)
  return last && { blocks: Number(last['number']), entries: rows.reduce((sum, row) => sum + Number(row['entries']), 0), hash: String(last['hash']) }
}

/** From now on nothing of it is found. Its blocks go bit by bit. */
export const purge = (connection: Connection, id: string): void =>
  connection.transaction('IMMEDIATE', () => {
    const known = environmentRow(connection, id)
    connection.run('DELETE FROM origin WHERE environment = ?', id)
    if (!known) return
    connection.run('INSERT INTO purged (environment) VALUES (?)', known.number)
    connection.run('DELETE FROM environment WHERE number = ?', known.number)
  })

/** Removes some blocks of what is purged. False: there are none. */
export const removePurged = (connection: Connection): boolean => {
  const row = connection.one('SELECT environment FROM purged LIMIT 1')
  if (!row) return false
  const environment = Number(row['environment'])
  connection.transaction('IMMEDIATE', () => {
    const piece = oldest(connection, environment)
    if (piece) removeBlocks(connection, environment, 0, piece.blocks)
    else connection.run('DELETE FROM purged WHERE environment = ?', environment)
  })
  return true
}

/** Removes the oldest blocks of an environment, and leaves their head. Undefined: there are none. */
const pruneSome = (connection: Connection, id: string, key: Uint8Array | undefined): ActivityHead | undefined =>
  connection.transaction('IMMEDIATE', () => {
    const known = environmentRow(connection, id)
    const piece = known && oldest(connection, known.number)
    if (!piece) return undefined
    const head = { ...piece, entries: piece.entries + (known.pruned?.entries ?? 0) }
    removeBlocks(connection, known.number, 0, head.blocks)
    connection.run(
      'UPDATE environment SET pruned_blocks = ?, pruned_entries = ?, pruned_hash = ?, pruned_mac = ? WHERE number = ?',
      ...[head.blocks, head.entries, head.hash, key === undefined ? null : pruningMac(key, id, head), known.number],
    )
    return head
  })

/** See ActivityStore.cut. */
export const cut = (connection: Connection, id: string, head: ActivityHead): number =>
  connection.transaction('IMMEDIATE', () => {
    const known = environmentRow(connection, id)
    if (!known || known.head.blocks <= head.blocks) return 0
    const last = connection.one('SELECT hash FROM block WHERE environment = ? AND number = ?', known.number, head.blocks)
    const hash = last === undefined ? (known.pruned?.blocks === head.blocks ? known.pruned.hash : undefined) : String(last['hash'])
    if (hash !== head.hash && !(head.blocks === 0 && known.pruned === undefined && head.hash === genesisHash(id))) return 0
    removeBlocks(connection, known.number, head.blocks + 1, known.head.blocks)
    const { blocks, entries, hash: bound } = head
    connection.run('UPDATE environment SET blocks = ?, entries = ?, hash = ? WHERE number = ?', blocks, entries, bound, known.number)
    return known.head.blocks - blocks
  })

/** The environment of the oldest block, but for what is purged. */
const oldestEnvironment = (connection: Connection): string | undefined => {
  const row = connection.one('SELECT environment.* FROM block JOIN environment ON environment.number = block.environment ORDER BY position LIMIT 1')
  return row && environmentOf(row).id
}

/** See ActivityStore.prune. Removes at most so many pieces. */
export const prune = (
  connection: Connection,
  { budget, key }: { readonly budget: number; readonly key: Uint8Array | undefined },
  ended: readonly string[],
  pieces: number,
): Pruned[] => {
  const pruned = new Map<string, ActivityHead>()
  let left = pieces
  const tooMuch = (): boolean => left > 0 && roomOf(connection).used > budget
  while (tooMuch() && removePurged(connection)) left--
  const some = (id: string): boolean => {
    const head = pruneSome(connection, id, key)
    if (!head) return false
    pruned.set(id, head)
    left--
    return true
  }
  for (const id of ended) while (tooMuch() && some(id));
  for (let id = oldestEnvironment(connection); id !== undefined && tooMuch() && some(id); ) id = oldestEnvironment(connection)
  return Array.from(pruned, ([environment, head]) => ({ environment, head }))
}

/** So many pages are given back at once; room for a while of writing is kept. */
const pagesBack = 256

/** Gives room in the file back to the disk. False: there is none that is worth it. */
export const giveBack = (connection: Connection): boolean => {
  const free = numberOf(connection.one('PRAGMA freelist_count'))
  if (free <= Math.max(pagesBack * 4, numberOf(connection.one('PRAGMA page_count')) / 8)) return false
  connection.exec(`PRAGMA incremental_vacuum(${pagesBack})`)
  return true
}
