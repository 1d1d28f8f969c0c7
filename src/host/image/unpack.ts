/** `dayfly-unpack` as a child; see native/PROTOCOL.md. The bytes of a layer never come into this process. */
import type { Readable, Writable } from 'node:stream'
import { DayflyError } from '../../base/errors.ts'
import { run } from './process.ts'

export interface UnpackRequest {
  /** Empty folder. */
  readonly folder: string
  /** A tar stream, plain or compressed: a descriptor, another child's output, or bytes as they come. */
  readonly from: number | Readable | { readonly bytes: AsyncIterable<Uint8Array> }
  /** For messages: `layer sha256:…`. */
  readonly what: string
  readonly digest?: string
  readonly blobDigest?: string
  /** Not a layer: no whiteouts; more compressions. */
  readonly rootFileSystem?: boolean
  readonly signal?: AbortSignal | undefined
  /** Whoever is told what is written, and the file of keywords to look for. The pipe is the child's afterwards. */
  readonly tap?: { readonly keywords: string; readonly records: Writable }
  /** Bytes read of the (compressed) stream. */
  readonly onProgress?: (bytes: number) => void
}

export interface Unpacked {
  /** Of file content. */
  readonly bytes: number
  readonly entries: number
  readonly diffId: string
  readonly blobDigest: string
  /** Devices, sockets and attributes that were left out. */
  readonly ignored: number
  /** Of the uncompressed stream. */
  readonly streamBytes: number
  /** Folders that hide those of the layers below, '' being the layer itself. */
  readonly opaque: readonly string[]
  /** What was said of it while it was unpacked, if somebody looked. */
  readonly note?: unknown
}

export interface Unpacker {
  readonly binary: string
  readonly maximumBytes: number
  readonly maximumEntries: number
}

const donePattern = /^done (\d+) (\d+) (sha256:[0-9a-f]{64}) (sha256:[0-9a-f]{64}) (\d+) (\d+)$/

/** `%XX` are bytes; together they are UTF-8 in any sane layer. */
const decodeName = (text: string): string =>
  Buffer.from(
    text.replaceAll(/%([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  ).toString('utf8')

const inputOf = (from: UnpackRequest['from']) => (typeof from === 'object' && 'bytes' in from ? { input: from.bytes } : { stdin: from })

/** Rejects with `corrupt` (the archive is damaged, hostile or not what its digest says), `host`, or by the signal. */
export const unpack = async (unpacker: Unpacker, request: UnpackRequest): Promise<Unpacked> => {
  const opaque: string[] = []
  let done: Unpacked | undefined
  const args = [
    request.folder,
    ...(request.digest === undefined ? [] : ['--digest', request.digest]),
    ...(request.blobDigest === undefined ? [] : ['--blob-digest', request.blobDigest]),
    ...(request.rootFileSystem ? ['--root-file-system'] : []),
    '--max-bytes',
    String(unpacker.maximumBytes),
    '--max-entries',
    String(unpacker.maximumEntries),
    ...(request.tap === undefined ? [] : ['--scan', request.tap.keywords]),
  ]
  const onLine = (line: string): void => {
    if (line.startsWith('progress ')) request.onProgress?.(Number(line.slice('progress '.length)))
    else if (line.startsWith('opaque ')) opaque.push(decodeName(line.slice('opaque '.length)))
    else {
      const [, bytes, entries, diffId, blobDigest, ignored, streamBytes] = donePattern.exec(line) ?? []
      if (diffId === undefined || blobDigest === undefined) return
      done = {
        bytes: Number(bytes),
        entries: Number(entries),
        diffId,
        blobDigest,
        ignored: Number(ignored),
        streamBytes: Number(streamBytes),
        opaque,
      }
    }
  }
  const running = run(
    unpacker.binary,
    args,
    { ...inputOf(request.from), signal: request.signal, onLine, ...(request.tap === undefined ? {} : { descriptors: [request.tap.records] }) },
    'Build the native programs: make -C native',
  )
  request.tap?.records.destroy() // the child has it: its reader is to see the end
  const { code, signal, stderr } = await running
  if (code === 0 && done) return done
  const why = stderr.trim().split('\n').at(-1) ?? ''
  if (code === 1)
    throw new DayflyError('corrupt', `${request.what}: ${why}`, { remedy: 'The image or archive is damaged or hostile: build or push it again.' })
  if (/No space left on device|Disk quota exceeded/.test(why)) {
    throw new DayflyError('host', `${request.what}: the disk is full`, {
      remedy: 'Free some space: `dayfly image gc` removes images that nothing uses.',
    })
  }
  throw new DayflyError('host', `${request.what} cannot be unpacked: ${why || (signal ? `the unpacker was killed by ${signal}` : `exit ${code}`)}`)
}
