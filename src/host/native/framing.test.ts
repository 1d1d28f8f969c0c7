import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createFrameReader, decodeFields, encodeFields, maximumFrame } from './framing.ts'

const field = fc.string({ unit: 'binary' }).map(text => text.replaceAll('\0', '').toWellFormed())

const readAll = (chunks: readonly Buffer[]): string[][] => {
  const frames: string[][] = []
  const read = createFrameReader(payload => frames.push(decodeFields(payload)))
  for (const chunk of chunks) read(chunk)
  return frames
}

/** Cuts a buffer at the given places, which may be in any order and beyond its end. */
const cut = (whole: Buffer, places: readonly number[]): Buffer[] => {
  const sorted = [...new Set(places.map(place => Math.min(place, whole.length)))].sort((a, b) => a - b)
  return [0, ...sorted].map((start, index) => whole.subarray(start, sorted[index] ?? whole.length))
}

describe('framing', () => {
  it('gives the fields back however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.array(field, { minLength: 1 })), fc.array(fc.nat(300)), (frames, places) => {
        const stream = Buffer.concat(frames.map(encodeFields))
        assert.deepEqual(readAll(cut(stream, places)), frames)
      }),
    )
  })

  it('gives the fields back byte by byte, also when a frame is longer than a chunk', () => {
    const frames = [['1', 'ok', 'x'.repeat(5000)], ['2'], ['3', '', '', 'ü€😀']]
    const stream = Buffer.concat(frames.map(encodeFields))
    assert.deepEqual(readAll(Array.from(stream, byte => Buffer.of(byte))), frames)
  })

  it('writes what native/PROTOCOL.md says', () => {
    assert.deepEqual([...encodeFields(['7', 'hello'])], [8, 0, 0, 0, ...Buffer.from('7\0hello\0')])
  })

  it('takes the longest frame and refuses a longer one, in both directions', () => {
    const longest = encodeFields(['x'.repeat(maximumFrame - 1)])
    assert.equal(readAll([longest])[0]?.[0]?.length, maximumFrame - 1)
    assert.throws(() => encodeFields(['1', 'nft', 'x'.repeat(maximumFrame)]), { code: 'invalid', message: /nft: \d+ bytes do not fit/ })
    const header = Buffer.alloc(4)
    header.writeUInt32LE(maximumFrame + 1)
    assert.throws(() => readAll([header]), { code: 'host', message: /longer than/ })
  })

  it('refuses a field with a NUL byte instead of sending two', () => {
    assert.throws(() => encodeFields(['1', 'spawn', '/bin/true\0-x']), { code: 'invalid', message: /NUL/ })
  })

  it('refuses a payload whose last field does not end', () => {
    assert.throws(() => decodeFields(Buffer.from('1\0ok')), { code: 'host' })
    assert.throws(() => decodeFields(Buffer.alloc(0)), { code: 'host' })
  })

  it('passes an empty payload on', () => {
    let frames = 0
    createFrameReader(payload => {
      assert.equal(payload.length, 0)
      frames++
    })(Buffer.alloc(8))
    assert.equal(frames, 2)
  })
})
