/** A file that is there whole or not at all. */
import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createZstdCompress } from 'node:zlib'
import { DayflyError, errnoOf, messageOf } from '../../base/errors.ts'

/** For its owner alone; compressed when its name says so (`.zst`). Replaces what is there. Throws `invalid` naming `field` for a place that cannot be written. */
export const writeFile = async (path: string, content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, field: string): Promise<void> => {
  const part = `${path}.part`
  try {
    const to = createWriteStream(part, { mode: 0o600 })
    if (path.endsWith('.zst')) await pipeline(Readable.from(content), createZstdCompress(), to)
    else await pipeline(Readable.from(content), to)
    await rename(part, path)
  } catch (error) {
    await rm(part, { force: true })
    if (errnoOf(error) === undefined || error instanceof DayflyError) throw error
    throw new DayflyError('invalid', `${field}: ${path} cannot be written: ${messageOf(error)}`, {
      field,
      remedy: 'Name a file in a folder that you may write.',
      cause: error,
    })
  }
}
