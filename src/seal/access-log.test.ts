import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import type { Event } from '../model/event.ts'
import { dayfly } from '../model/event.ts'
import { checkAccessLog } from './access-log.ts'
import { accessMarkType, sealedType } from './facts.ts'

const event = (sequence: number, type: string, data: Event['data']): Event => ({
  ...{ sequence, cursor: sequence, environment: 'e', time: sequence, type, actor: dayfly, reason: '', data, hash: '' },
})
const mark = (sequence: number, content: string): Event =>
  event(sequence, accessMarkType, {
    ...{ bytes: Buffer.byteLength(content), lines: content.split('\n').length - 1, dropped: 0 },
    sha256: createHash('sha256').update(content).digest('hex'),
  })
/** As a file is read: in chunks that end anywhere. */
const chunks = (content: string, length: number): Buffer[] => {
  const bytes = Buffer.from(content)
  return Array.from({ length: Math.ceil(bytes.length / length) }, (_, index) => bytes.subarray(index * length, (index + 1) * length))
}

const [first, second, third] = ['{"path":"/1"}\n{"path":"/2"}\n', '{"path":"/ü"}\n', '{"path":"/4"}\n{"path":"/5"}\n']
const whole = first + second + third
const other = event(2, 'gateway.traffic', { bytes: 7 })
const record = [event(1, 'environment.creating', {}), other, mark(3, first), mark(4, first), mark(5, first + second), mark(6, whole)]
const seal = event(7, sealedType, {})

describe('an access log', () => {
  for (const length of [1, 3, 14, 15, 1000]) {
    test(`that is what the record says agrees with it, read by ${length} bytes`, async () => {
      const verdict = await checkAccessLog([...record, seal], chunks(whole, length))
      assert.deepEqual(verdict, { bytes: Buffer.byteLength(whole), lines: 5, rest: 0, fault: undefined })
    })

    test(`whose lines were changed, swapped or taken out is found out, read by ${length} bytes`, async () => {
      const end = Buffer.byteLength(first)
      const cases: readonly [content: string, sequence: number, from: number][] = [
        [whole.replace('/1', '/9'), 3, 0],
        [whole.replace('/ü', '/é'), 5, end],
        [whole.replace('/5', '/9'), 6, Buffer.byteLength(first + second)],
        [whole.replace('{"path":"/2"}\n', ''), 3, 0],
        [whole.replace(second, ''), 5, end],
        [`${whole.slice(14, 28)}${whole.slice(0, 14)}${whole.slice(28)}`, 3, 0],
        [`{"path":"/0"}\n${whole}`, 3, 0],
      ]
      for (const [content, sequence, from] of cases) {
        const { fault, bytes } = await checkAccessLog([...record, seal], chunks(content, length))
        assert.deepEqual([fault?.what, fault?.sequence, fault?.from], ['changed', sequence, from], content)
        assert.equal(bytes, from)
      }
    })

    test(`that ends too early is found out, read by ${length} bytes`, async () => {
      for (const content of ['', first, first + second, whole.slice(0, -1)]) {
        const { fault } = await checkAccessLog([...record, seal], chunks(content, length))
        assert.equal(fault?.what, 'missing', content)
        assert.equal(fault.from, Buffer.byteLength(content))
      }
    })
  }

  test('goes on after its last mark while the environment lives, and not once the record is sealed', async () => {
    const longer = `${whole}{"path":"/6"}\n`
    assert.deepEqual(await checkAccessLog(record, [Buffer.from(longer)]), { bytes: 71, lines: 5, rest: 14, fault: undefined })
    assert.deepEqual((await checkAccessLog([...record, seal], [Buffer.from(longer)])).fault, { what: 'added', from: 71, to: 85, sequence: 6 })
    assert.deepEqual((await checkAccessLog([event(1, sealedType, {})], [Buffer.from(longer)])).fault, { what: 'added', from: 0, to: 85, sequence: 0 })
  })

  test('that there is not agrees with a record that has none', async () => {
    assert.deepEqual(await checkAccessLog([event(1, 'environment.creating', {}), event(2, sealedType, {})], []), {
      ...{ bytes: 0, lines: 0, rest: 0, fault: undefined },
    })
  })

  test('that was shortened while no daemon watched is found out although the next one went on from there', async () => {
    const { fault } = await checkAccessLog([mark(1, whole), mark(2, `${first}x\n`)], [Buffer.from(`${first}x\n`)])
    assert.equal(fault?.what, 'missing')
    const longer = `${first}${'{"path":"/x"}\n'.repeat(20)}`
    const changed = (await checkAccessLog([mark(1, whole), mark(2, first), mark(3, longer)], [Buffer.from(longer)])).fault
    assert.deepEqual([changed?.what, changed?.sequence], ['changed', 1])
  })

  test('agrees with no mark that cannot be read', async () => {
    const broken = event(2, accessMarkType, { bytes: 'many' })
    assert.equal((await checkAccessLog([mark(1, first), broken], [Buffer.from(first)])).fault?.sequence, 2)
    assert.equal((await checkAccessLog([event(1, accessMarkType, {})], [])).fault?.sequence, 1)
  })
})
