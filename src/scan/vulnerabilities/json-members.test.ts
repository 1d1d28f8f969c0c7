import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { DayflyError } from '../../base/errors.ts'
import { parseJson } from './json.ts'
import { membersOf } from './json-members.ts'

async function* chunksOf(text: string, size: number): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text)
  // One buffer is used for all, as streams may: nothing may be kept of it.
  const shared = Buffer.alloc(size)
  for (let at = 0; at < bytes.length; at += size) {
    const length = bytes.copy(shared, 0, at, at + size)
    yield shared.subarray(0, length)
  }
}

const collect = async (text: string, depth: number, size = 7, most = 1_000_000): Promise<[string, unknown][]> => {
  const found: [string, unknown][] = []
  for await (const { keys, text: value } of membersOf(chunksOf(text, size), depth, most)) found.push([JSON.stringify(keys), JSON.parse(value)])
  return found
}

describe('the members of a huge object', () => {
  it('are those that JSON.parse finds, wherever the chunks end', async () => {
    const member = fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 4 })
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.string(), member, { maxKeys: 4 }),
        fc.integer({ min: 1, max: 40 }),
        fc.boolean(),
        async (object, size, pretty) => {
          const text = JSON.stringify(object, null, pretty ? 2 : 0)
          const parsed: typeof object = JSON.parse(text)
          assert.deepEqual(
            await collect(text, 1, size),
            Object.entries(parsed).map(([key, value]) => [JSON.stringify([key]), value]),
          )
          assert.deepEqual(
            await collect(text, 2, size),
            Object.entries(parsed).flatMap(([key, value]) => Object.entries(value).map(([inner, deep]) => [JSON.stringify([key, inner]), deep])),
          )
        },
      ),
    )
  })

  it('are refused when it is no such JSON, ends early, or has a part that is too large', async () => {
    const corrupt = (error: unknown): boolean => error instanceof DayflyError && error.code === 'corrupt'
    for (const text of ['', '[', '{', '{"a"', '{"a":', '{"a":1', '{"a":{', '{"a":{"b":[1,2', '{"a":{}}x', '{a:1}', '{"a" 1}', '{"a":{"b":1}'])
      await assert.rejects(collect(text, 2), corrupt, text)
    await assert.rejects(collect('{"a":[1]}', 2), corrupt, 'no object where one must be')
    await assert.rejects(collect(`{"a":{"b":"${'x'.repeat(200)}"}}`, 2, 7, 100), corrupt)
    await assert.rejects(collect(`{"${'x'.repeat(5_000)}":{}}`, 2), corrupt)
    await assert.rejects(collect(`{"a":{"b":${'['.repeat(5_000)}`, 2, 7, 1_000), corrupt)
  })
})

describe('JSON from outside', () => {
  it('is what JSON.parse says, unless it is too deep', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.json({ maxDepth: 6 }), fc.string({ unit: fc.constantFrom('"', '\\', '[', ']', '{', '}', 'a', ':', ',', '1') })),
        text => {
          const outcome = (parse: (text: string) => unknown): unknown => {
            try {
              return parse(text)
            } catch {
              return 'no JSON'
            }
          }
          assert.deepEqual(outcome(parseJson), outcome(JSON.parse))
        },
      ),
    )
    const nested = (depth: number): string => `{"a":"]]\\\\\\"[[","b":${'['.repeat(depth)}${']'.repeat(depth)}}`
    assert.deepEqual(parseJson(nested(63)), JSON.parse(nested(63)))
    assert.throws(() => parseJson(nested(64)), /more than 64 deep/)
    assert.throws(() => parseJson('['.repeat(16 * 1024 * 1024)), /more than 64 deep/)
    assert.throws(() => parseJson(`[${'[],'.repeat(1_000_001)}0]`), /more than 1000000 objects/)
    assert.throws(() => parseJson(`"${'\\\\'.repeat(1_000_000)}`), SyntaxError)
  })
})
