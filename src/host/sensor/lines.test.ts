import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createLineReader } from './lines.ts'
import { encodeFlags, encodePath } from './protocol.ts'

const cut = (whole: Buffer, places: readonly number[]): Buffer[] => {
  const sorted = [...new Set(places.map(place => Math.min(place, whole.length)))].sort((a, b) => a - b)
  return [0, ...sorted].map((start, index) => whole.subarray(start, sorted[index] ?? whole.length))
}

describe("the sensor's lines", () => {
  it('come as they were written, however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), fc.array(fc.nat(300)), (paths, places) => {
        const lines = paths.map(path => ({ type: 'open', path }))
        const stream = Buffer.from(lines.map(line => `${JSON.stringify(line)}\n`).join(''))
        const read: unknown[] = []
        const reader = createLineReader(batch => read.push(...batch))
        for (const chunk of cut(stream, places)) reader(chunk)
        assert.deepEqual(read, lines)
      }),
    )
  })

  it('of one chunk come together', () => {
    const batches: number[] = []
    const reader = createLineReader(batch => batches.push(batch.length))
    reader(Buffer.from('{"type":"exec"}\n{"type":"exit"}\n{"type":'))
    reader(Buffer.from('"exec"}\n'))
    assert.deepEqual(batches, [2, 1])
  })

  it('that are none end the stream', () => {
    const reader = () => createLineReader(() => assert.fail('nothing to tell'))
    assert.throws(() => reader()(Buffer.from('{"type":"exec"\n')), { code: 'host', message: /no JSON/ })
    assert.throws(() => reader()(Buffer.from('{}\n')), { code: 'host', message: /without a type/ })
    assert.throws(() => reader()(Buffer.from('null\n')), { code: 'host', message: /without a type/ })
    assert.throws(() => reader()(Buffer.alloc(2 * 1024 * 1024, 0x20)), { code: 'host', message: /more than/ })
  })
})

describe("the sensor's commands", () => {
  it('write paths as one word', () => {
    assert.equal(encodePath('/etc/shadow'), '/etc/shadow')
    assert.equal(encodePath('/a b/100%\n/ü'), '/a%20b/100%25%0A/%C3%BC')
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        const path = `/${text.replaceAll('\0', '').toWellFormed()}`
        const word = encodePath(path)
        assert.match(word, /^[\x21-\x7e]+$/)
        assert.equal(decodeURIComponent(word), path)
      }),
    )
    assert.throws(() => encodePath('etc'), { code: 'invalid', field: 'path' })
    assert.throws(() => encodePath('/\0'), { code: 'invalid', field: 'path' })
  })

  it('add flags up as PROTOCOL.md says', () => {
    assert.equal(encodeFlags({}), 0)
    assert.equal(encodeFlags({ allOpens: true, droppedBinaries: 'audit', connections: 'audit' }), 11)
    assert.equal(encodeFlags({ droppedBinaries: 'enforce', connections: 'enforce' }), 20)
    assert.equal(encodeFlags({ scripts: 'audit', listeners: 'enforce' }), 288)
    assert.equal(encodeFlags({ scripts: 'enforce', listeners: 'audit' }), 192)
  })
})
