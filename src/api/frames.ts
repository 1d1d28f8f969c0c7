/**
 * The frames of a stream that carries a process: `u32 length (little-endian, of what follows), u8 kind, payload`. Used after an upgrade to
 * `dayfly-frames` (run, exec, attach), both ways, and as the body of a log read as `application/vnd.dayfly.frames`, one way.
 *
 * | kind | name | way | payload |
 * |---|---|---|---|
 * | 0 | stdin | to the daemon | bytes; empty: end of stdin |
 * | 1, 2 | stdout, stderr | to the client | bytes |
 * | 3 | resize | to the daemon | `u16 rows, u16 columns`, little-endian |
 * | 4 | signal | to the daemon | name, e.g. `SIGINT` |
 * | 5 | exit | to the client | JSON: `ExitFrame`, after the last output |
 * | 6 | error | to the client | JSON: `Problem`; the last frame |
 * | 7 | progress | to the client | JSON: `PullProgress`, while an image is pulled |
 * | 8 | started | to the client | JSON: `StartedView` |
 * | 9 | ended | to the client | JSON: `EnvironmentView`; nothing of it is left on the host; the last frame |
 * | 10 | queued | to the client | JSON: `QueuedView`, at each change of its place in line, before it begins |
 */
import { DayflyError } from '../base/errors.ts'

export const frameKind = {
  ...{ stdin: 0, stdout: 1, stderr: 2, resize: 3, signal: 4, exit: 5, error: 6, progress: 7, started: 8, ended: 9, queued: 10 },
} as const
export type FrameKind = (typeof frameKind)[keyof typeof frameKind]

/** The protocol's name in `Upgrade:` and the media type of a body of frames. */
export const framesProtocol = 'dayfly-frames'
export const framesMediaType = 'application/vnd.dayfly.frames'

/** Payloads are at most this long; larger output is sent as several frames. */
export const maximumPayload = 1024 * 1024

export interface Frame {
  readonly kind: number
  readonly payload: Buffer
}

export const encodeFrame = (kind: FrameKind, payload: Uint8Array): Buffer => {
  if (payload.length > maximumPayload) throw new DayflyError('internal', `a frame of ${payload.length} bytes is longer than ${maximumPayload}`)
  const frame = Buffer.allocUnsafe(5 + payload.length)
  frame.writeUInt32LE(1 + payload.length)
  frame[4] = kind
  frame.set(payload, 5)
  return frame
}

/** Output of any length as frames. */
export const encodeOutput = (kind: typeof frameKind.stdin | typeof frameKind.stdout | typeof frameKind.stderr, data: Uint8Array): Buffer[] => {
  const frames: Buffer[] = []
  for (let offset = 0; offset < data.length; offset += maximumPayload) frames.push(encodeFrame(kind, data.subarray(offset, offset + maximumPayload)))
  return frames
}

export const encodeJson = (kind: FrameKind, document: unknown): Buffer => encodeFrame(kind, Buffer.from(JSON.stringify(document)))

export const encodeResize = (rows: number, columns: number): Buffer => {
  const payload = Buffer.allocUnsafe(4)
  payload.writeUInt16LE(Math.min(rows, 65_535), 0)
  payload.writeUInt16LE(Math.min(columns, 65_535), 2)
  return encodeFrame(frameKind.resize, payload)
}

/** Rows and columns of a resize frame. Throws `invalid` when it is not 4 bytes. */
export const decodeResize = (payload: Buffer): { rows: number; columns: number } => {
  if (payload.length !== 4) throw new DayflyError('invalid', `a resize frame of ${payload.length} bytes; it has 4`)
  return { rows: payload.readUInt16LE(0), columns: payload.readUInt16LE(2) }
}

/** Splits a byte stream into frames. Throws `invalid` for a frame that is too long, `disconnected` when the stream ends inside one. */
export async function* decodeFrames(source: AsyncIterable<Uint8Array>): AsyncGenerator<Frame> {
  let pending: Buffer = Buffer.alloc(0)
  for await (const chunk of source) {
    pending = pending.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength) : Buffer.concat([pending, chunk])
    while (pending.length >= 5) {
      const length = pending.readUInt32LE(0)
      if (length < 1 || length > maximumPayload + 1) throw new DayflyError('invalid', `a frame that says it is ${length} bytes long`)
      if (pending.length < 4 + length) break
      yield { kind: pending[4] ?? 0, payload: pending.subarray(5, 4 + length) }
      pending = pending.subarray(4 + length)
    }
  }
  if (pending.length > 0) throw new DayflyError('disconnected', 'the connection ended in the middle of a frame')
}
