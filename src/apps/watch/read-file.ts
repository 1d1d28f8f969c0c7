/**
 * Files that somebody else may own, read by root while events wait: at once and in bounded memory, or not at all. A pipe would block, a device never end, and a
 * link lead to what its maker may not read.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants

export interface Below {
  /** A folder on a way that only root lays: links on it are followed. */
  readonly folder: string
  /** Below it: links on it are not. */
  readonly path: string
  /** Whose the file is, if it is not root's. */
  readonly uid: number
  /** Bytes that it may have. */
  readonly most: number
}

const within = <T>(descriptor: number, use: (descriptor: number) => T): T => {
  try {
    return use(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

const contentOf = (file: number, { uid, most }: Below): string | undefined => {
  const status = fstatSync(file)
  if (!status.isFile() || (status.uid !== uid && status.uid !== 0) || status.size > most) return undefined
  const bytes = Buffer.allocUnsafe(status.size)
  let length = 0
  for (let read = -1; read !== 0 && length < bytes.length; length += read) read = readSync(file, bytes, length, bytes.length - length, length)
  return bytes.toString('utf8', 0, length)
}

/** As UTF-8. undefined: there is no such regular file of theirs, or it is too large. */
export const readBelow = (below: Below): string | undefined => {
  const descend = (folder: number, parts: readonly string[]): string | undefined => {
    const [part = '', ...rest] = parts
    const path = `/proc/self/fd/${folder}/${part}`
    const kind = rest.length === 0 ? O_NONBLOCK : O_DIRECTORY
    return within(openSync(path, O_RDONLY | O_NOFOLLOW | kind), opened => (rest.length === 0 ? contentOf(opened, below) : descend(opened, rest)))
  }
  try {
    return within(openSync(below.folder, O_RDONLY | O_DIRECTORY), folder => descend(folder, below.path.split('/')))
  } catch {
    return undefined
  }
}
