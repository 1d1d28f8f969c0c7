/**
 * Shows every entry of a folder that is there already, as the unpacker shows those of a layer that it writes: a folder of a project, or a layer that was
 * unpacked before. Nothing is followed out of it, whoever changes it meanwhile: each folder is opened from its parent's descriptor, and never through a link.
 * Memory does not grow with the folder, but by a descriptor for each level.
 */
import type { Dirent, Stats } from 'node:fs'
import { closeSync, constants, fstatSync, lstatSync, opendirSync, openSync, readSync } from 'node:fs'
import { DayflyError, errnoOf } from '../base/errors.ts'
import { createKeywordFilter } from './keyword-filter.ts'
import type { SecretSearch } from './secret-search.ts'
import type { Seen } from './seen.ts'

export interface WalkOptions {
  readonly secrets: Pick<SecretSearch, 'keywords'> | undefined
  /** Character devices 0:0 are whiteouts. */
  readonly overlay?: boolean
  /** Paths for which this says so are passed by, folders with all they hold. */
  readonly ignore?: (path: string) => boolean
  readonly onSeen: (seen: Seen) => void
  /** What could not be looked at: a sentence that names it. Without it, that is an error. */
  readonly onProblem?: (problem: string) => void
  readonly signal?: AbortSignal
}

export interface Walked {
  /** Of file content. */
  readonly bytes: number
  readonly entries: number
}

const mostEntries = 2_000_000
const deepest = 500
const mostLinked = 100_000
const readAtOnce = 1024 * 1024

const noLink = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

const magicOf = (bytes: Uint8Array): Seen['magic'] => {
  const [a, b, c, d] = bytes
  if (a === 0x7f && b === 0x45 && c === 0x4c && d === 0x46) return 'elf'
  if (a === 0x50 && b === 0x4b && ((c === 3 && d === 4) || (c === 5 && d === 6))) return 'zip'
  return a === 0x23 && b === 0x21 ? 'script' : undefined
}

const kindOf = (status: Stats, overlay: boolean): Seen['kind'] | undefined => {
  if (status.isFile()) return 'file'
  if (status.isDirectory()) return 'folder'
  if (status.isSymbolicLink()) return 'link'
  if (status.isFIFO()) return 'fifo'
  if (status.isCharacterDevice() || status.isBlockDevice()) return overlay && status.rdev === 0 ? 'whiteout' : 'device'
  return undefined // a socket
}

const nothing = { magic: undefined, keywords: [], hits: '', more: false } as const

/** `folder`: a descriptor, which stays the caller's. Resolves when all was shown. Rejects by the signal, or `host`. */
export const walk = async (folder: number, options: WalkOptions): Promise<Walked> => {
  const { secrets, overlay = false, ignore, onSeen, onProblem, signal } = options
  const search = createKeywordFilter(secrets?.keywords ?? [])
  const buffer = Buffer.allocUnsafeSlow(readAtOnce)
  let bytes = 0
  let entries = 0
  /** Files with several names, by device and inode: their content is looked at under one of them. */
  const linked = new Set<string>()

  const refuse = (text: string): void => {
    if (onProblem === undefined) throw new DayflyError('corrupt', text)
    onProblem(`${text}: what is beyond was not looked at`)
  }

  const failed = (path: string, error: unknown): void => {
    const errno = errnoOf(error)
    // Somebody removes or replaces things meanwhile: what is no longer there need not be looked at.
    if (errno === 'ENOENT' || errno === 'ELOOP' || errno === 'ENOTDIR' || errno === 'ENXIO') return
    if (errno === undefined || onProblem === undefined)
      throw error instanceof DayflyError ? error : new DayflyError('host', `${path} cannot be read: ${errno ?? String(error)}`, { cause: error })
    onProblem(`${path} cannot be read: ${errno}`)
  }

  const readFile = (file: number): Pick<Seen, 'magic' | 'keywords' | 'hits' | 'more'> => {
    const searching = search()
    let magic: Seen['magic']
    for (let offset = 0; ; ) {
      const got = readSync(file, buffer, 0, readAtOnce, offset)
      if (got === 0) break
      const piece = buffer.subarray(0, got)
      if (offset === 0) magic = magicOf(piece)
      searching.push(piece)
      offset += got
      if (signal?.aborted) break
    }
    const { keywords, hits, more } = searching.end()
    return { magic, keywords, hits: hits.map(hit => `${hit.keyword}@${hit.offset}`).join(','), more }
  }

  const again = (status: Stats): boolean => {
    if (!status.isFile() || status.nlink < 2) return false
    const id = `${status.dev}:${status.ino}`
    if (linked.has(id)) return true
    if (linked.size < mostLinked) linked.add(id)
    return false
  }

  const show = (inside: number, item: Dirent, prefix: Buffer, depth: number): void => {
    const name = Buffer.from(item.name, 'latin1')
    const raw = prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from('/'), name])
    const path = raw.toString('utf8')
    if (ignore?.(path)) return
    if (++entries > mostEntries) {
      if (entries > mostEntries + 1) return
      refuse(`the folder has more than ${mostEntries} entries`)
      return
    }
    const where = Buffer.concat([Buffer.from(`/proc/self/fd/${inside}/`), name])
    const named = path.includes('\uFFFD') && !Buffer.from(path).equals(raw) ? { path, raw } : { path }
    try {
      const opened = item.isFile() || item.isDirectory() ? openSync(where, noLink) : undefined
      try {
        const status = opened === undefined ? lstatSync(where) : fstatSync(opened)
        const kind = again(status) ? 'hardlink' : kindOf(status, overlay)
        if (kind === undefined) return
        const isFile = kind === 'file'
        const content = isFile && opened !== undefined ? readFile(opened) : nothing
        const size = status.isFile() ? status.size : 0
        if (isFile) bytes += size
        onSeen({ ...named, kind, mode: status.mode & 0o7777, uid: status.uid, gid: status.gid, size, ...content })
        if (kind === 'folder' && opened !== undefined) list(opened, raw, depth + 1)
      } finally {
        if (opened !== undefined) closeSync(opened)
      }
    } catch (error) {
      failed(path, error)
    }
  }

  const list = (inside: number, prefix: Buffer, depth: number): void => {
    if (depth > deepest) {
      refuse(`a folder is more than ${deepest} levels deep`)
      return
    }
    // Listed in pieces: one folder may hold all entries there are. Latin-1 keeps the bytes of names as they are.
    const listing = opendirSync(`/proc/self/fd/${inside}`, { encoding: 'latin1', bufferSize: 256 })
    try {
      for (let item = listing.readSync(); item !== null && !signal?.aborted; item = listing.readSync()) show(inside, item, prefix, depth)
    } finally {
      listing.closeSync()
    }
  }

  list(folder, Buffer.alloc(0), 0)
  if (signal?.aborted) throw signal.reason
  return { bytes, entries: Math.min(entries, mostEntries) }
}
