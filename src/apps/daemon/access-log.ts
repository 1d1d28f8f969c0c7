/**
 * The access logs of environments: a JSON document a line, appended, each up to a size. Each file goes with a running hash of what this daemon wrote, which
 * is put into the record again and again (a *mark*): `checkAccessLog` in store/access-log.ts compares the two.
 */
import type { Hash } from 'node:crypto'
import { createHash } from 'node:crypto'
import { appendFile, open, truncate } from 'node:fs/promises'
import { errnoOf } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { AccessEntry } from '../../model/access.ts'

/** What is said of an environment's access log: of all that was written until now. */
export interface AccessMark {
  readonly bytes: number
  readonly lines: number
  /** Hex SHA-256 of those bytes. */
  readonly sha256: string
  /** Entries that are not in it, since the mark before: there were too many, or the file was full or could not be written. */
  readonly dropped: number
}

export interface AccessLog {
  /** Appends them, in the order of the calls; never rejects. Resolves with the environments whose file has just become full. */
  write(entries: readonly AccessEntry[]): Promise<readonly string[]>
  /** Entries that never got here. */
  drop(environment: string, count: number): void
  /** How it stands after every write before this call; undefined when that is what the last mark said. */
  mark(environment: string): Promise<AccessMark | undefined>
  forget(environment: string): void
}

export interface AccessLogOptions {
  readonly pathOf: (environment: string) => string
  /** Bytes of one environment's file. */
  readonly longest: number
  /** Entries that wait for a slow disk, of all environments together. 20,000 by default. */
  readonly mostWaiting?: number
  readonly log: Log
}

/** A file as it was written, up to the end of its last whole line. */
interface Written {
  readonly hash: Hash
  bytes: number
  lines: number
  full: boolean
}

const newline = 10
const chunkSize = 256 * 1024

/** What daemons before have left. A line that a crash has torn is taken away. */
const takeUp = async (path: string): Promise<{ written: Written; torn: boolean }> => {
  const written: Written = { hash: createHash('sha256'), bytes: 0, lines: 0, full: false }
  let pending: Buffer[] = []
  let rest = 0
  try {
    await using file = await open(path, 'r')
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(chunkSize), 0, chunkSize)
      if (bytesRead === 0) break
      const chunk = buffer.subarray(0, bytesRead)
      const end = chunk.lastIndexOf(newline) + 1
      if (end > 0) {
        for (const part of pending) written.hash.update(part)
        written.hash.update(chunk.subarray(0, end))
        for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, at + 1)) written.lines++
        written.bytes += rest + end
        pending = []
        rest = 0
      }
      pending.push(chunk.subarray(end))
      rest += chunk.length - end
    }
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
  }
  if (rest > 0) await truncate(path, written.bytes)
  return { written, torn: rest > 0 }
}

export const createAccessLog = ({ pathOf, longest, mostWaiting = 20_000, log }: AccessLogOptions): AccessLog => {
  const known = new Map<string, Written>()
  const dropped = new Map<string, number>()
  /** The hash that the last mark had. */
  const marked = new Map<string, string>()
  let waiting = 0
  let last: Promise<unknown> = Promise.resolve()

  /** One after another: the hash is of the bytes in their order. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work)
    last = mine.catch(() => {})
    return mine
  }
  const drop = (environment: string, count: number): void => {
    if (count > 0) dropped.set(environment, (dropped.get(environment) ?? 0) + count)
  }
  const writtenOf = async (environment: string): Promise<Written> => {
    const before = known.get(environment)
    if (before !== undefined) return before
    const { written, torn } = await takeUp(pathOf(environment))
    if (torn) drop(environment, 1)
    known.set(environment, written)
    return written
  }

  /** Whether the file has become full with them. */
  const append = async (environment: string, entries: readonly AccessEntry[]): Promise<boolean> => {
    const written = await writtenOf(environment).catch((error: unknown) => {
      drop(environment, entries.length)
      throw error
    })
    let text = ''
    let bytes = 0
    let lines = 0
    for (const entry of entries) {
      const line = `${JSON.stringify(entry)}\n`
      const length = Buffer.byteLength(line)
      if (written.bytes + bytes + length > longest) continue
      text += line
      bytes += length
      lines++
    }
    const left = entries.length - lines
    if (lines > 0) {
      try {
        await appendFile(pathOf(environment), text, { mode: 0o600 })
      } catch (error) {
        // Some of it may be there.
        known.delete(environment)
        let kept = 0
        try {
          const { written: now } = await takeUp(pathOf(environment))
          known.set(environment, now)
          kept = now.lines - written.lines
        } finally {
          drop(environment, entries.length - kept)
        }
        throw error
      }
      written.hash.update(text)
      written.bytes += bytes
      written.lines += lines
    }
    drop(environment, left)
    const becomesFull = left > 0 && !written.full
    written.full ||= left > 0
    return becomesFull
  }

  return {
    drop,
    write: entries => {
      if (waiting + entries.length > mostWaiting) {
        for (const { environment } of entries) drop(environment, 1)
        return Promise.resolve([])
      }
      waiting += entries.length
      return inTurn(async () => {
        waiting -= entries.length
        const full: string[] = []
        for (const [environment, those] of Map.groupBy(entries, entry => entry.environment)) {
          try {
            if (await append(environment, those)) full.push(environment)
          } catch (error) {
            log.warn('the access log could not be written', { environment, entries: those.length, error })
          }
        }
        return full
      })
    },
    mark: environment =>
      inTurn(async () => {
        const { hash, bytes, lines } = await writtenOf(environment)
        const sha256 = hash.copy().digest('hex')
        const missing = dropped.get(environment) ?? 0
        if (missing === 0 && (marked.get(environment) === sha256 || (bytes === 0 && !marked.has(environment)))) return undefined
        dropped.delete(environment)
        marked.set(environment, sha256)
        return { bytes, lines, sha256, dropped: missing }
      }),
    forget: environment => {
      for (const memory of [known, dropped, marked]) memory.delete(environment)
    },
  }
}
