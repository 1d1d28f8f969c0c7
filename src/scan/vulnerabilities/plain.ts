/** One file of text, perhaps in gzip: opened as a stream whose length is bounded, whatever it says of itself. */
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { pipeline, Transform } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { throwIfAborted } from '../../base/abort.ts'
import { DayflyError } from '../../base/errors.ts'

/** Debian's tracker is 70 MB, EPSS 10 MB. */
const mostUnpacked = 4 * 1024 ** 3

const bounded = (path: string): Transform => {
  let total = 0
  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      total += chunk.length
      if (total > mostUnpacked) done(new DayflyError('corrupt', `${path} unpacks to more than ${mostUnpacked} bytes`))
      else done(null, chunk)
    },
  })
}

/** The first bytes, at most `length` of them. */
export const firstBytes = async (path: string, length: number): Promise<Buffer> => {
  await using file = await open(path, 'r')
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, 0)
  return buffer.subarray(0, bytesRead)
}

export const isGzip = (head: Buffer): boolean => head[0] === 0x1f && head[1] === 0x8b
export const isZip = (head: Buffer): boolean => head[0] === 0x50 && head[1] === 0x4b && (head[2] === 3 || head[2] === 5)

/** Its text as bytes. The iteration throws `corrupt` for damaged or boundless gzip; leaving it closes the file. */
export async function* plainChunks(path: string, signal: AbortSignal): AsyncGenerator<Buffer> {
  const packed = isGzip(await firstBytes(path, 2))
  const out = bounded(path)
  const ended = (): void => {}
  if (packed) pipeline(createReadStream(path), createGunzip(), out, ended)
  else pipeline(createReadStream(path), out, ended)
  try {
    for await (const chunk of out) {
      throwIfAborted(signal)
      if (Buffer.isBuffer(chunk)) yield chunk
    }
  } catch (error) {
    if (error instanceof DayflyError) throw error
    throw new DayflyError('corrupt', `${path} cannot be unpacked`, { remedy: 'Download it again.', cause: error })
  } finally {
    out.destroy()
  }
}

/** All of it, at most `most` bytes. */
export const plainText = async (path: string, most: number, signal: AbortSignal): Promise<string> => {
  const chunks: Buffer[] = []
  let total = 0
  for await (const chunk of plainChunks(path, signal)) {
    total += chunk.length
    if (total > most) throw new DayflyError('corrupt', `${path} is larger than ${most} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** Line by line, without the ends. A line of more than `most` bytes throws `corrupt`. */
export async function* plainLines(path: string, most: number, signal: AbortSignal): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of plainChunks(path, signal)) {
    const lines = (rest + chunk.toString('latin1')).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > most) throw new DayflyError('corrupt', `${path} has a line of more than ${most} bytes`)
    for (const line of lines) yield line.endsWith('\r') ? line.slice(0, -1) : line
  }
  if (rest !== '') yield rest
}
