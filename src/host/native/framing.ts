/**
 * The wire format of native/PROTOCOL.md: a little-endian u32 length, then that many bytes. Requests, replies and events are fields that each end in
 * a NUL byte; sessions are a kind byte and raw bytes.
 */
import { DayflyError } from '../../base/errors.ts'

/** Longest payload either side accepts, in bytes. */
export const maximumFrame = 1024 * 1024

/** One frame of NUL-ended fields. Throws `invalid` for a field with a NUL byte in it or a payload that is too long. */
export const encodeFields = (fields: readonly string[]): Buffer => {
  let length = fields.length
  for (const field of fields) {
    if (field.includes('\0')) throw new DayflyError('invalid', `a NUL byte in "${field.replaceAll('\0', '\\0').slice(0, 80)}"`)
    length += Buffer.byteLength(field)
  }
  if (length > maximumFrame) {
    throw new DayflyError('invalid', `${fields[1] ?? 'request'}: ${length} bytes do not fit into one message of at most ${maximumFrame}`)
  }
  const frame = Buffer.allocUnsafe(4 + length)
  let offset = frame.writeUInt32LE(length)
  for (const field of fields) {
    offset += frame.write(field, offset)
    frame[offset++] = 0
  }
  return frame
}

/** The fields of a payload. Throws `host` when its last field does not end. */
export const decodeFields = (payload: Buffer): string[] => {
  if (payload.length === 0 || payload[payload.length - 1] !== 0)
    throw new DayflyError('host', 'a message without the NUL byte that ends its last field')
  return payload.toString('utf8', 0, payload.length - 1).split('\0')
}

/**
 * Cuts a byte stream into payloads: returns the function that takes the stream's chunks and calls `onFrame` once per complete payload. A payload may
 * share memory with the chunk it came in. Throws `host` on a length above `maximumFrame`: the stream cannot be followed any further.
 */
export const createFrameReader = (onFrame: (payload: Buffer) => void): ((chunk: Buffer) => void) => {
  const header = Buffer.alloc(4)
  let headerBytes = 0
  let body: Buffer | undefined
  let bodyBytes = 0

  return chunk => {
    let offset = 0
    while (offset < chunk.length) {
      if (body === undefined) {
        const taken = chunk.copy(header, headerBytes, offset, offset + 4 - headerBytes)
        headerBytes += taken
        offset += taken
        if (headerBytes < 4) return
        headerBytes = 0
        const length = header.readUInt32LE()
        if (length > maximumFrame) throw new DayflyError('host', `a message of ${length} bytes, longer than the ${maximumFrame} allowed`)
        if (chunk.length - offset >= length) {
          offset += length
          onFrame(chunk.subarray(offset - length, offset))
          continue
        }
        body = Buffer.allocUnsafe(length)
        bodyBytes = 0
      }
      const taken = chunk.copy(body, bodyBytes, offset)
      bodyBytes += taken
      offset += taken
      if (bodyBytes === body.length) {
        const complete = body
        body = undefined
        onFrame(complete)
      }
    }
  }
}
