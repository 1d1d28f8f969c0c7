/** Reading what is kept, beside the thread that writes it. */
import { DayflyError, messageOf } from '../../base/errors.ts'
import type { Activity, ActivityHead } from '../../model/activity.ts'
import type {
  ActivityBlock,
  ActivityPlace,
  ActivityProblem,
  ActivityProgress,
  ActivityReader,
  ActivitySize,
  ActivityVerdict,
} from './activity-store.ts'
import { activityOf, blockHash, genesisHash, linesOf, uncompress } from './blocks.ts'
import type { Connection } from './connection.ts'
import { isOwnPruning } from './pruning.ts'
import type { EnvironmentRow, Row } from './rows.ts'
import { bytesIn, environmentOf, originOf } from './rows.ts'
import { search } from './search.ts'

/** So many blocks are read at once: a long reading must not keep the file from being tidied. */
const atOnce = 16

export const environmentRow = (connection: Connection, id: string): EnvironmentRow | undefined => {
  const row = connection.one('SELECT * FROM environment WHERE id = ?', id)
  return row && environmentOf(row)
}

function* blockRows(connection: Connection, environment: number, from: number): Generator<Row> {
  for (let after = from; ; ) {
    const rows = connection.all('SELECT * FROM block WHERE environment = ? AND number > ? ORDER BY number LIMIT ?', environment, after, atOnce)
    yield* rows
    const last = rows.at(-1)
    if (!last || rows.length < atOnce) return
    after = Number(last['number'])
  }
}

const blockOf = (environment: string, row: Row): ActivityBlock => {
  const number = Number(row['number'])
  try {
    return {
      ...{ number, entries: Number(row['entries']), first: Number(row['first']), last: Number(row['last']), hash: String(row['hash']) },
      bytes: uncompress(bytesIn(row['data'])),
    }
  } catch (error) {
    throw new DayflyError('corrupt', `block ${number} of what is kept of ${environment} is damaged: ${messageOf(error)}`, { cause: error })
  }
}

function* blocks(connection: Connection, environment: string, after: number): Generator<ActivityBlock> {
  const known = environmentRow(connection, environment)
  if (known) for (const row of blockRows(connection, known.number, after)) yield blockOf(environment, row)
}

function* read(connection: Connection, environment: string): Generator<Activity> {
  for (const block of blocks(connection, environment, 0)) {
    for (const line of linesOf(block.bytes)) yield activityOf(line)
  }
}

/** What is told of a block is true of its bytes. Nothing else in a line can look like its time: in texts quotes are escaped. */
const isTrue = (block: ActivityBlock): boolean => {
  const times = Array.from(block.bytes.toString('latin1').matchAll(/,"time":([^,}]+)/g), ([, time]) => Number(time))
  return times.length === block.entries && Math.min(...times) === block.first && Math.max(...times) === block.last
}

const whole = (environment: string, row: Row, previous: string, number: number): ActivityBlock | undefined => {
  try {
    const block = blockOf(environment, row)
    return block.number === number && block.hash === blockHash(previous, block.bytes) && isTrue(block) ? block : undefined
  } catch (error) {
    if (error instanceof DayflyError && error.code === 'corrupt') return undefined
    throw error
  }
}

interface Wanted {
  readonly head: ActivityHead
  readonly growing: boolean
  /** Blocks that are looked at. */
  readonly most: number
  readonly from: ActivityHead | undefined
}

const broken = (number: number): { readonly broken: number } => ({ broken: number })

/** See ActivityReader.verify: the first block that is not what was kept, how far it has come, or undefined when all is. */
const firstBroken = (
  connection: Connection,
  known: EnvironmentRow,
  { head, growing, most, from }: Wanted,
): { readonly broken: number } | { readonly at: ActivityHead } | undefined => {
  const first = known.pruned ?? { blocks: 0, entries: 0, hash: genesisHash(known.id) }
  // What was proven may have given way since.
  const goesOn = from !== undefined && from.blocks >= first.blocks
  const start = goesOn ? from : first
  // What the head says of a place that is gone can be compared where the two meet only.
  const meets = (at: ActivityHead): boolean => at.blocks !== head.blocks || (at.hash === head.hash && at.entries === head.entries)
  let [{ blocks: count, entries, hash }] = [start]
  let left = most
  if (!meets(start)) return broken(count)
  for (const row of blockRows(connection, known.number, goesOn ? count : 0)) {
    if (left-- === 0) return { at: { blocks: count, entries, hash } }
    const block = whole(known.id, row, hash, count + 1)
    if (!block || (count >= head.blocks && !growing)) return broken(count + 1)
    count = block.number
    entries += block.entries
    hash = block.hash
    if (!meets({ blocks: count, entries, hash })) return broken(count)
  }
  if (count < head.blocks) return broken(count + 1)
  if (!growing && first.blocks > head.blocks) return broken(head.blocks + 1)
  const { head: own } = known
  if (own.blocks !== count) return broken(Math.min(own.blocks, count) + 1)
  return own.hash === hash && own.entries === entries ? undefined : broken(Math.max(count, 1))
}

const verifyFrom = (connection: Connection, environment: string, wanted: Wanted): ActivityProgress =>
  connection.transaction('DEFERRED', () => {
    const { head } = wanted
    const known = environmentRow(connection, environment)
    if (!known) return { verdict: head.blocks === 0 && head.entries === 0 && head.hash === genesisHash(environment) ? {} : broken(1) }
    const found = firstBroken(connection, known, wanted)
    if (found !== undefined && 'at' in found) return found
    return { verdict: { ...found, ...(known.pruned === undefined ? {} : { pruned: known.pruned }) } }
  })

const verify = (connection: Connection, environment: string, head: ActivityHead, growing: boolean): ActivityVerdict => {
  const found = verifyFrom(connection, environment, { head, growing, most: Number.POSITIVE_INFINITY, from: undefined })
  return 'verdict' in found ? found.verdict : {}
}

const placeOf = (connection: Connection, environment: string, key: Uint8Array | undefined): ActivityPlace | undefined => {
  const known = environmentRow(connection, environment)
  if (!known) return undefined
  const { head, pruned, prunedMac } = known
  return { head, pruned: pruned && { ...pruned, own: key !== undefined && isOwnPruning(key, environment, pruned, prunedMac) } }
}

/** One number of a row. */
export const numberOf = (row: Row | undefined): number => Number(Object.values(row ?? {})[0] ?? 0)

/** Bytes that are in use, and of the file. */
export const roomOf = (connection: Connection): { readonly used: number; readonly file: number } => {
  const page = numberOf(connection.one('PRAGMA page_size'))
  const pages = numberOf(connection.one('PRAGMA page_count'))
  return { used: (pages - numberOf(connection.one('PRAGMA freelist_count'))) * page, file: pages * page }
}

const sizeOf = (connection: Connection): ActivitySize => {
  const kept = connection.one('SELECT count(*) AS environments, total(entries - pruned_entries) AS entries FROM environment')
  return { ...roomOf(connection), entries: Number(kept?.['entries']), environments: Number(kept?.['environments']) }
}

/** What reading is, on a connection that is the caller's. */
export const createReading = (
  connection: Connection,
  onProblem: (problem: ActivityProblem) => void,
  key: Uint8Array | undefined,
): Omit<ActivityReader, keyof Disposable> => ({
  head: environment => environmentRow(connection, environment)?.head ?? { blocks: 0, entries: 0, hash: genesisHash(environment) },
  search: filter => search(connection, filter, onProblem),
  read: environment => read(connection, environment),
  place: environment => placeOf(connection, environment, key),
  blocks: (environment, after = 0) => blocks(connection, environment, after),
  verify: (environment, head, growing = false) => verify(connection, environment, head, growing),
  verifySome: (environment, head, most, from) => verifyFrom(connection, environment, { head, growing: false, most, from }),
  origins: environment => connection.all('SELECT * FROM origin WHERE environment = ? ORDER BY number', environment).map(originOf),
  size: () => sizeOf(connection),
})
