import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Frame } from './frames.ts'
import { decodeFrames, decodeResize, encodeFrame, encodeJson, encodeOutput, encodeResize, frameKind, maximumPayload } from './frames.ts'

async function* pieces(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  let at = 0
  for (const size of sizes) {
    yield bytes.subarray(at, at + size)
    at += size
  }
  yield bytes.subarray(at)
}

const collect = async (source: AsyncIterable<Uint8Array>): Promise<Frame[]> => await Array.fromAsync(decodeFrames(source))

test('frames come out as they went in, however the bytes are cut', async () => {
  const kinds = fc.constantFrom(...Object.values(frameKind))
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(kinds, fc.uint8Array({ maxLength: 300 }))), fc.array(fc.nat(50), { maxLength: 40 }), async (frames, sizes) => {
      const bytes = Buffer.concat(frames.map(([kind, payload]) => encodeFrame(kind, payload)))
      const decoded = await collect(pieces(bytes, sizes))
      assert.deepEqual(
        decoded.map(({ kind, payload }) => [kind, [...payload]]),
        frames.map(([kind, payload]) => [kind, [...payload]]),
      )
    }),
  )
})

test('long output is several frames, and none is longer than the limit', async () => {
  const data = Buffer.alloc(2 * maximumPayload + 5, 'x')
  const frames = encodeOutput(frameKind.stdout, data)
  assert.deepEqual(
    frames.map(({ length }) => length - 5),
    [maximumPayload, maximumPayload, 5],
  )
  assert.throws(() => encodeFrame(frameKind.stdout, data), { code: 'internal' })
})

test('what is no frame is refused', async () => {
  const zero = Buffer.alloc(5)
  await assert.rejects(collect(pieces(zero, [])), { code: 'invalid' })
  const huge = Buffer.from([0xff, 0xff, 0xff, 0xff, 1])
  await assert.rejects(collect(pieces(huge, [])), { code: 'invalid' })
  const torn = encodeJson(frameKind.exit, { code: 0 }).subarray(0, -1)
  await assert.rejects(collect(pieces(torn, [])), { code: 'disconnected' })
})

test('a resize carries rows and columns, at most what 16 bits hold', async () => {
  const [frame] = await collect(pieces(encodeResize(50, 70_000), []))
  assert.deepEqual(decodeResize(frame?.payload ?? Buffer.alloc(0)), { rows: 50, columns: 65_535 })
  assert.throws(() => decodeResize(Buffer.alloc(3)), { code: 'invalid' })
})
