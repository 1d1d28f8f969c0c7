/** OSV records in a folder or a zip, one after the other. What cannot be had is said, and the rest goes on. */
import type { Dirent } from 'node:fs'
import { constants } from 'node:fs'
import { open, opendir } from 'node:fs/promises'
import { join, relative } from 'node:path'
import * as yauzl from 'yauzl'
import { throwIfAborted } from '../../base/abort.ts'
import { DayflyError, messageOf } from '../../base/errors.ts'

/** One JSON document of a bundle, or why it cannot be had. */
export interface Part {
  readonly name: string
  readonly text?: string
  readonly fault?: string
}

/** No record is nearly as large; nothing larger is ever parsed. */
export const mostBytes = 16 * 1024 * 1024
const mostParts = 5_000_000
const deepest = 16
/** All of OSV is some 10 GB. */
const mostTotal = 64 * 1024 ** 3

const tooMany = (path: string): DayflyError =>
  new DayflyError('corrupt', `${path} has more than ${mostParts} records or ${mostTotal} bytes`, {
    remedy: 'Import a bundle that a vulnerability database has made.',
  })

/** A regular file of at most `most` bytes as text. Throws what is wrong with it. */
export const readText = async (path: string, most: number): Promise<string> => {
  await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  const { size } = await file.stat().then(found => (found.isFile() ? found : { size: Number.POSITIVE_INFINITY }))
  if (size > most) throw new DayflyError('corrupt', `it is no file of at most ${most} bytes`)
  const buffer = Buffer.allocUnsafe(size)
  let length = 0
  while (length < size) {
    const { bytesRead } = await file.read(buffer, length, size - length, length)
    if (bytesRead === 0) break
    length += bytesRead
  }
  return buffer.toString('utf8', 0, length)
}

const isRecord = (name: string): boolean => name.endsWith('.json')

/** Links are not followed. */
export async function* folderParts(root: string, signal: AbortSignal): AsyncGenerator<Part> {
  let count = 0
  const walk = async function* (folder: string, depth: number): AsyncGenerator<Part> {
    const folders: Dirent[] = []
    for await (const entry of await opendir(folder)) {
      throwIfAborted(signal)
      if (entry.isDirectory()) folders.push(entry)
      if (!entry.isFile() || !isRecord(entry.name)) continue
      if (++count > mostParts) throw tooMany(root)
      const path = join(folder, entry.name)
      const name = relative(root, path)
      try {
        yield { name, text: await readText(path, mostBytes) }
      } catch (error) {
        yield { name, fault: messageOf(error) }
      }
    }
    for (const { name } of folders) {
      if (depth >= deepest) yield { name: relative(root, join(folder, name)), fault: `it is more than ${deepest} folders deep` }
      else yield* walk(join(folder, name), depth + 1)
    }
  }
  yield* walk(root, 1)
}

const entryText = async (zip: yauzl.ZipFile, entry: yauzl.Entry, signal: AbortSignal): Promise<string> => {
  if (entry.uncompressedSize > mostBytes) throw new DayflyError('corrupt', `it is larger than ${mostBytes} bytes`)
  // yauzl ends the stream with an error as soon as there is more than the entry says.
  const stream = await zip.openReadStreamPromise(entry)
  const chunks: Buffer[] = []
  for await (const chunk of stream) {
    throwIfAborted(signal)
    if (Buffer.isBuffer(chunk)) chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** Throws `corrupt` for what is no zip; an entry that is damaged, too large or a bomb is a fault of its own. */
export async function* zipParts(path: string, signal: AbortSignal): AsyncGenerator<Part> {
  const zip = await yauzl.openPromise(path, { autoClose: false, lazyEntries: true }).catch((error: unknown) => {
    throw new DayflyError('corrupt', `${path} is no zip: ${messageOf(error)}`, { remedy: 'Download it again.', cause: error })
  })
  try {
    let [count, total] = [0, 0]
    for await (const entry of zip.eachEntry()) {
      throwIfAborted(signal)
      if (!isRecord(entry.fileName)) continue
      total += Math.min(entry.uncompressedSize, mostBytes)
      if (++count > mostParts || total > mostTotal) throw tooMany(path)
      try {
        yield { name: entry.fileName, text: await entryText(zip, entry, signal) }
      } catch (error) {
        throwIfAborted(signal)
        yield { name: entry.fileName, fault: messageOf(error) }
      }
    }
  } catch (error) {
    if (error instanceof DayflyError) throw error
    throw new DayflyError('corrupt', `${path} is damaged: ${messageOf(error)}`, { remedy: 'Download it again.', cause: error })
  } finally {
    zip.close()
  }
}
