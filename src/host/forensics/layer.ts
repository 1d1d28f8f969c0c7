/**
 * The upper folder of an overlay as an OCI layer: what a container has made, changed and deleted. Whoever wrote the tree may have written it for us: everything is
 * opened below a descriptor and never through a link, depth, number, sizes and time are bounded, and what does not fit is a gap.
 */
import type { BigIntStats } from 'node:fs'
import { constants } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { lstat, open, opendir, readlink } from 'node:fs/promises'
import { errnoOf } from '../../base/errors.ts'
import type { Gaps } from './gaps.ts'
import type { Redaction } from './redaction.ts'
import type { TarEntry } from './tar.ts'
import { padding, tarEnd, tarHeader } from './tar.ts'

export interface LayerOptions {
  readonly upper: string
  readonly output: string
  /** Owners on disk count from here. */
  readonly firstId: number
  /** Of the archive. */
  readonly mostBytes: number
  /** An extended attribute of what is open here under that descriptor. */
  readonly xattr: (descriptor: number, name: string) => Promise<string | undefined>
  readonly redaction: Redaction
  readonly gaps: Gaps
}

const mostEntries = 100_000
const deepest = 100
/** Of one file: what is larger is a database or a download, and would leave no room for the rest. */
const largestFile = 64 * 1024 * 1024
const piece = 1024 * 1024
const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants
const opaque = Buffer.from('.wh..wh..opq')

/** Below what is open there: a path that no link leads away from. */
const below = (folder: FileHandle, name: Buffer): Buffer => Buffer.concat([Buffer.from(`/proc/self/fd/${folder.fd}/`), name])
const joined = (folder: Buffer, name: Buffer): Buffer => (folder.length === 0 ? name : Buffer.concat([folder, Buffer.from('/'), name]))

/** What has gone meanwhile, or has become another thing. */
const isPassing = (error: unknown): boolean => ['ENOENT', 'ELOOP', 'ENOTDIR', 'ENXIO', 'EACCES', 'EIO'].includes(errnoOf(error) ?? '')

export const writeLayer = async (options: LayerOptions, signal: AbortSignal): Promise<void> => {
  const { firstId, mostBytes, xattr, redaction, gaps } = options
  await using output = await open(options.output, 'wx', 0o600)
  let written = 0
  let entries = 0
  const inodes = new Map<bigint, Buffer>()

  let pending: Buffer[] = []
  let pendingBytes = 0
  const flush = async (): Promise<void> => {
    const whole = Buffer.concat(pending)
    pending = []
    pendingBytes = 0
    await output.appendFile(whole)
  }
  /** Small entries are many: they are written together. */
  const write = async (...parts: readonly Buffer[]): Promise<void> => {
    for (const part of parts) {
      pending.push(part)
      pendingBytes += part.length
      written += part.length
    }
    if (pendingBytes >= piece) await flush()
  }
  const idOf = (id: bigint): number => Math.max(0, Number(id) - firstId)
  const entryOf = (path: Buffer, stats: BigIntStats): Omit<TarEntry, 'type'> => ({
    ...{ path, mode: Number(stats.mode & 0o7777n), uid: idOf(stats.uid), gid: idOf(stats.gid), mtime: Number(stats.mtimeMs / 1000n) },
  })
  const empty = (path: Buffer): TarEntry => ({ path, type: 'file', mode: 0o600, uid: 0, gid: 0, mtime: 0, size: 0 })

  /** As long as its header says, whatever becomes of it: what is missing is zeros. */
  const writeContent = async (file: FileHandle, size: number, path: Buffer): Promise<void> => {
    const keep = Math.max(0, redaction.longest - 1)
    let carried = Buffer.alloc(0)
    let left = size
    let found = 0
    while (left > 0) {
      const { bytesRead, buffer } = await file.read({ buffer: Buffer.allocUnsafe(Math.min(piece, left)) })
      left -= bytesRead
      const whole = Buffer.concat([carried, buffer.subarray(0, bytesRead)])
      found += redaction.bytes(whole)
      if (bytesRead === 0) {
        // It has become shorter.
        await write(whole, Buffer.alloc(left))
        carried = Buffer.alloc(0)
        break
      }
      const out = whole.subarray(0, left === 0 ? whole.length : Math.max(0, whole.length - keep))
      await write(out)
      carried = whole.subarray(out.length)
    }
    await write(Buffer.alloc(padding(size)))
    if (found > 0) gaps.note('secrets were struck out', path.toString())
  }

  const writeFile = async (folder: FileHandle, name: Buffer, path: Buffer): Promise<void> => {
    await using file = await open(below(folder, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    const stats = await file.stat({ bigint: true })
    if (!stats.isFile()) return
    const known = stats.nlink > 1n ? inodes.get(stats.ino) : undefined
    if (known !== undefined) return await write(tarHeader({ ...entryOf(path, stats), type: 'hardlink', target: known }))
    const size = Number(stats.size)
    if (size > largestFile) return gaps.note(`files of more than ${largestFile} bytes are left out`, path.toString())
    if (written + size > mostBytes) return gaps.note('there was no room for files', path.toString())
    if (stats.nlink > 1n) inodes.set(stats.ino, path)
    await write(tarHeader({ ...entryOf(path, stats), type: 'file', size }))
    await writeContent(file, size, path)
  }

  const writeFolder = async (parent: FileHandle, name: Buffer, path: Buffer, depth: number): Promise<void> => {
    if (depth > deepest) return gaps.note(`folders are nested deeper than ${deepest}`, path.toString())
    await using folder = await open(below(parent, name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    await write(tarHeader({ ...entryOf(path, await folder.stat({ bigint: true })), type: 'directory' }))
    await walk(folder, path, depth)
  }

  const writeOther = async (folder: FileHandle, name: Buffer, path: Buffer): Promise<void> => {
    const stats = await lstat(below(folder, name), { bigint: true })
    if (stats.isSymbolicLink()) {
      const target = await readlink(below(folder, name), { encoding: 'buffer' })
      if (redaction.bytes(target) > 0) gaps.note('secrets were struck out of names')
      await write(tarHeader({ ...entryOf(path, stats), type: 'symlink', target }))
    } else if (stats.isCharacterDevice() && stats.rdev === 0n) {
      // Deleted: the overlay's way of saying it becomes the layer's.
      const at = path.length - name.length
      await write(tarHeader(empty(joined(path.subarray(0, Math.max(0, at - 1)), Buffer.concat([Buffer.from('.wh.'), path.subarray(at)])))))
    } else if (stats.isFIFO()) await write(tarHeader({ ...entryOf(path, stats), type: 'fifo' }))
    else gaps.note('sockets and devices are left out', path.toString())
  }

  const isFull = (): boolean => {
    if (signal.aborted) gaps.note('the layer is cut off: it took too long')
    else if (entries >= mostEntries) gaps.note(`the layer is cut off after ${mostEntries} entries`)
    else if (written >= mostBytes) gaps.note(`the layer is cut off after ${mostBytes} bytes`)
    else return false
    return true
  }

  const walk = async (folder: FileHandle, path: Buffer, depth: number): Promise<void> => {
    if ((await xattr(folder.fd, 'trusted.overlay.opaque')) === 'y') await write(tarHeader(empty(joined(path, opaque))))
    // Entry by entry: nobody knows how many there are.
    // @ts-expect-error: the types know no encoding but text here; Node gives the names as bytes.
    for await (const entry of await opendir(`/proc/self/fd/${folder.fd}`, { encoding: 'buffer', bufferSize: 128 })) {
      if (isFull()) return
      entries++
      const name = Buffer.from(entry.name)
      // Of the same length: what is opened is called by its name, what is told by this.
      const own = Buffer.from(joined(path, name))
      if (redaction.bytes(own) > 0) gaps.note('secrets were struck out of names')
      try {
        if (entry.isDirectory()) await writeFolder(folder, name, own, depth + 1)
        else if (entry.isFile()) await writeFile(folder, name, own)
        else await writeOther(folder, name, own)
      } catch (error) {
        if (!isPassing(error)) throw error
        gaps.note(`could not be read (${errnoOf(error)})`, own.toString())
      }
    }
  }

  await using root = await open(options.upper, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
  await walk(root, Buffer.alloc(0), 0)
  await write(tarEnd)
  await flush()
}
