/** A bundle's bytes, compressed or not, verified. */
import { Readable } from 'node:stream'
import { constants, createZstdDecompress } from 'node:zlib'
import { DayflyError } from '../base/errors.ts'
import type { Verification } from '../model/seal.ts'
import { readTar } from './tar.ts'
import type { VerifyOptions } from './verify.ts'
import { verifyMembers } from './verify.ts'

const zstd = Buffer.from([0x28, 0xb5, 0x2f, 0xfd])
/** log2 of the most bytes that an archive may make its reader hold. */
const window = 27

/** What was compressed with zstd as it was before; anything else as it is. Memory is bounded by the window, whatever it comes to. Throws `corrupt`. */
export async function* plainBytes(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const iterator = bytes[Symbol.asyncIterator]()
  let start: Buffer = Buffer.alloc(0)
  let over = false
  while (start.length < zstd.length && !over) {
    const { value, done } = await iterator.next()
    if (done === true) over = true
    else start = Buffer.concat([start, value])
  }
  const all = async function* (): AsyncGenerator<Uint8Array> {
    yield start
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value
  }
  if (!start.subarray(0, zstd.length).equals(zstd)) return yield* all()
  const source = Readable.from(all())
  const plain = createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: window } })
  source.on('error', error => plain.destroy(error))
  source.pipe(plain)
  try {
    yield* plain
  } catch (error) {
    if (error instanceof DayflyError) throw error
    throw new DayflyError('corrupt', 'the bundle is no whole zstd archive', { cause: error })
  } finally {
    source.destroy()
    plain.destroy()
  }
}

/** See verifyMembers. */
export const verifyBundle = (bytes: AsyncIterable<Uint8Array>, options: Omit<VerifyOptions, 'expects'>): Promise<Verification> =>
  verifyMembers(readTar(plainBytes(bytes)), { ...options, expects: { what: 'bundle' } })
