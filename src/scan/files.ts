/**
 * Files of a folder that somebody else has made, read without ever leaving it. A path is walked one component at a time from a descriptor of the folder, no
 * component may be a link, and the last must be a regular file: what a name leads to was looked at by the same call that opened it. Node has no openat(2);
 * `/proc/self/fd/N/name` is the same to the kernel. Calls are synchronous: whoever scans has nothing else to do meanwhile, and a thread costs more than they.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { disposable } from '../base/dispose.ts'
import { DayflyError, errnoOf } from '../base/errors.ts'
import type { Content } from './catalogue.ts'

/** Bytes of one read. */
export const mostAtOnce = 16 * 1024 * 1024

const noLink = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
const asFolder = noLink | constants.O_DIRECTORY

/** A name as it is: a Buffer where it is not UTF-8. */
export type RawPath = string | Buffer

export interface OpenFile extends Content, Disposable {}

export interface Tree extends Disposable {
  /** Undefined when there is no such regular file, or a component on the way is a link or no folder. Throws `host` when it cannot be read. */
  open(path: RawPath): OpenFile | undefined
}

const slash = 0x2f

/** The last component, and what is before it. */
const split = (path: Buffer): { parent: Buffer; name: Buffer } => {
  const at = path.lastIndexOf(slash)
  return at < 0 ? { parent: Buffer.alloc(0), name: path } : { parent: path.subarray(0, at), name: path.subarray(at + 1) }
}

const child = (folder: number, name: Buffer): Buffer => Buffer.concat([Buffer.from(`/proc/self/fd/${folder}/`), name])

const plain = (name: Buffer): boolean => name.length > 0 && !name.equals(Buffer.from('.')) && !name.equals(Buffer.from('..')) && !name.includes(0)

/** What says that the name is not what it was said to be, and not that the host is in trouble. */
const absent = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'ENXIO', 'ENODEV'])

const tryOpen = (path: Buffer, flags: number): number | undefined => {
  try {
    return openSync(path, flags)
  } catch (error) {
    const errno = errnoOf(error)
    if (errno !== undefined && absent.has(errno)) return undefined
    throw new DayflyError('host', `a file cannot be opened: ${errno ?? String(error)}`, { cause: error })
  }
}

const contentOf = (file: number, size: number): OpenFile => {
  const closing = disposable(() => closeSync(file))
  const read = (offset: number, length: number): Buffer => {
    if (length > mostAtOnce) throw new DayflyError('corrupt', `more than ${mostAtOnce} bytes are asked for at once`)
    const wanted = Math.max(0, Math.min(length, size - offset))
    const bytes = Buffer.allocUnsafeSlow(wanted)
    let done = 0
    while (done < wanted) {
      const got = readSync(file, bytes, done, wanted - done, offset + done)
      if (got === 0) break
      done += got
    }
    return done === wanted ? bytes : bytes.subarray(0, done)
  }
  return {
    size,
    read: async (offset, length) => read(offset, length),
    whole: async most => {
      if (size > most) throw new DayflyError('corrupt', `it has ${size} bytes, which is more than ${most}`)
      return read(0, size)
    },
    [Symbol.dispose]: () => closing[Symbol.dispose](),
  }
}

/** `folder`: a descriptor, which stays the caller's. */
export const openTree = (folder: number): Tree => {
  // Wanted files of one folder mostly follow one another: its descriptor is kept.
  let cached: { readonly path: Buffer; readonly descriptor: number } | undefined
  const forget = (): void => {
    if (cached) closeSync(cached.descriptor)
    cached = undefined
  }
  const openFolder = (path: Buffer): number | undefined => {
    if (path.length === 0) return folder
    if (cached?.path.equals(path)) return cached.descriptor
    forget()
    let at = folder
    for (let start = 0; start <= path.length; ) {
      const end = path.indexOf(slash, start)
      const name = path.subarray(start, end < 0 ? path.length : end)
      const next = plain(name) ? tryOpen(child(at, name), asFolder) : undefined
      if (at !== folder) closeSync(at)
      if (next === undefined) return undefined
      at = next
      start += name.length + 1
    }
    cached = { path: Buffer.from(path), descriptor: at }
    return at
  }
  return {
    open: path => {
      const { parent, name } = split(typeof path === 'string' ? Buffer.from(path) : path)
      const inside = plain(name) ? openFolder(parent) : undefined
      const file = inside === undefined ? undefined : tryOpen(child(inside, name), noLink)
      if (file === undefined) return undefined
      const status = fstatSync(file)
      if (status.isFile()) return contentOf(file, status.size)
      closeSync(file)
      return undefined
    },
    [Symbol.dispose]: forget,
  }
}
