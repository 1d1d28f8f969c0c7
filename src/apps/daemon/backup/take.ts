/**
 * A backup while the daemon runs: a tar archive with the databases as they are at one moment, then the files that go with them, and last a manifest with the
 * hash of each. Files of records are only ever appended to, and what the databases say of them is about their beginning: what comes meanwhile does no harm.
 */
import { createHash } from 'node:crypto'
import { createReadStream, mkdtempSync, rmSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { DayflyError, errnoOf } from '../../../base/errors.ts'
import { readVersion } from '../../../base/version.ts'
import { isMemberName, tarEnd, tarHeader, tarPadding } from '../../../seal/tar.ts'
import { copyOther } from '../../../store/copy.ts'
import type { Manifest } from './contents.ts'
import { manifestName, plainFiles } from './contents.ts'

export interface BackupParts {
  readonly stateDir: string
  /** Copies the store to a path where nothing is. */
  readonly copyStore: (path: string) => Promise<void>
  /** Wall ms. */
  readonly now: () => number
}

export const scratchPrefix = 'backup-'

interface Source {
  /** In the state folder. */
  readonly path: string
  /** Where its bytes are now. */
  readonly from: string
}

const memberOf = (path: string, number: number): string => (isMemberName(path) && path !== manifestName ? path : `files/${number}`)

/** Exactly `bytes` of a file: it may grow meanwhile. Throws `host` when it has become shorter. */
async function* bytesOf(path: string, bytes: number): AsyncGenerator<Buffer> {
  let left = bytes
  if (bytes === 0) return
  for await (const piece of createReadStream(path, { end: bytes - 1 })) {
    if (!Buffer.isBuffer(piece)) continue
    left -= piece.length
    yield piece
  }
  if (left > 0) throw new DayflyError('host', `${path} became shorter while it was backed up`, { remedy: 'Make the backup again.' })
}

const sizeOf = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.size

/** The bytes of the archive. It is made as it is read, and what it needs of the disk meanwhile is removed at its end, however that comes. */
export async function* takeBackup({ stateDir, copyStore, now }: BackupParts, evidence: boolean, signal: AbortSignal): AsyncGenerator<Buffer> {
  const scratch = mkdtempSync(join(stateDir, scratchPrefix))
  try {
    const sources: Source[] = [{ path: 'dayfly.sqlite', from: join(scratch, 'dayfly.sqlite') }]
    const createdAt = now()
    await copyStore(join(scratch, 'dayfly.sqlite'))
    // Later than the store: what a record says of its activity is there.
    const activity = join(stateDir, 'activity.sqlite')
    if (sizeOf(activity) !== undefined) {
      await copyOther(activity, join(scratch, 'activity.sqlite'))
      sources.push({ path: 'activity.sqlite', from: join(scratch, 'activity.sqlite') })
    }
    sources.push(...plainFiles(stateDir, evidence).map(path => ({ path, from: join(stateDir, path) })))

    const files: Manifest['files'] = []
    for (const { path, from } of sources) {
      signal.throwIfAborted()
      const bytes = sizeOf(from)
      // Its retention is over since.
      if (bytes === undefined) continue
      const member = memberOf(path, files.length)
      const hash = createHash('sha256')
      try {
        yield tarHeader(member, bytes)
        for await (const piece of bytesOf(from, bytes)) {
          hash.update(piece)
          yield piece
        }
      } catch (error) {
        if (errnoOf(error) === 'ENOENT')
          throw new DayflyError('host', `${path} was removed while it was backed up`, { remedy: 'Make the backup again.', cause: error })
        throw error
      }
      yield tarPadding(bytes)
      files.push({ path, member, bytes, sha256: hash.digest('hex') })
    }
    const manifest: Manifest = { schemaVersion: 1, version: readVersion(), createdAt, host: hostname(), evidence, files }
    const text = Buffer.from(`${JSON.stringify(manifest, undefined, 2)}\n`)
    yield tarHeader(manifestName, text.length)
    yield text
    yield tarPadding(text.length)
    yield tarEnd()
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}
