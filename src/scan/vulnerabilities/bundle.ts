/** OSV records in a folder or a zip, one after the other. What cannot be had is said, and the rest goes on. */
import type { Dirent } from 'node:fs'
import { constants } from 'node:fs'
import { open, opendir } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import { crc32, inflateRaw } from 'node:zlib'
import * as yauzl from 'yauzl'
import { throwIfAborted } from '../../base/abort.ts'
import { DayflyError, messageOf } from '../../base/errors.ts'
import { WindowReader } from './window-reader.ts'

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

const unpack = promisify(inflateRaw)

const entryText = async (zip: yauzl.ZipFile, reader: WindowReader, entry: yauzl.Entry): Promise<string> => {
  const { compressedSize, uncompressedSize, compressionMethod } = entry
  if (uncompressedSize > mostBytes || compressedSize > mostBytes) throw new DayflyError('corrupt', `it is larger than ${mostBytes} bytes`)
  if (entry.isEncrypted() || (compressionMethod !== 0 && compressionMethod !== 8))
    throw new DayflyError('corrupt', 'it is encrypted, or packed in an unknown way')
  const { fileDataStart } = await zip.readLocalFileHeaderPromise(entry, { minimal: true })
  const packed = await reader.bytes(fileDataStart, compressedSize)
  // A bomb is stopped as soon as there is more than the directory says.
  const data = compressionMethod === 0 ? packed : await unpack(packed, { maxOutputLength: Math.max(uncompressedSize, 1) })
  if (data.length !== uncompressedSize || crc32(data) !== entry.crc32) throw new DayflyError('corrupt', 'it is damaged')
  return data.toString('utf8')
}

/** Throws `corrupt` for what is no zip; an entry that is damaged, too large or a bomb is a fault of its own. */
export async function* zipParts(path: string, signal: AbortSignal): AsyncGenerator<Part> {
  await using file = await open(path, 'r')
  const reader = new WindowReader(file)
  const { size } = await file.stat()
  const options = { autoClose: false, lazyEntries: true }
  const zip = await yauzl.fromRandomAccessReaderPromise(reader, size, options).catch((error: unknown) => {
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
        yield { name: entry.fileName, text: await entryText(zip, reader, entry) }
      } catch (error) {
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
