import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogRecord } from '../model/log.ts'
import { longestLooked, matchingLines } from './matching-lines.ts'

const of = (stream: 'stdout' | 'stderr', text: string): LogRecord => ({ stream, time: 1, data: Buffer.from(text) })
const found = async (records: readonly LogRecord[], word: string): Promise<string[]> => {
  const source = (async function* () {
    yield* records
  })()
  const matching = matchingLines(source, line => Buffer.from(line).includes(word))
  return (await Array.fromAsync(matching)).map(({ stream, data }) => `${stream} ${Buffer.from(data).toString()}`)
}

test('lines are whole, of whatever records and streams they come in', async () => {
  const records = [
    of('stdout', 'one err'),
    of('stderr', 'error\n'),
    of('stdout', 'or two\n'),
    of('stdout', 'three\n'),
    of('stderr', 'four'),
    of('stdout', 'last err'),
  ]
  assert.deepEqual(await found(records, 'error'), ['stderr error\n', 'stdout one err', 'stdout or two\n'])
  assert.deepEqual(await found(records, 'four'), ['stderr four'])
  assert.deepEqual(await found(records, 'last'), ['stdout last err'])
  assert.deepEqual(await found(records, '\n'), [], 'the newline is no part of a line')
})

test('a line that is longer than is looked at is decided by its beginning, and given whole', async () => {
  const piece = 'x'.repeat(16 * 1024)
  const long = (first: string, last: string) => [
    of('stdout', first),
    ...Array.from({ length: 6 }, () => of('stdout', piece)),
    of('stdout', `${last}\n`),
  ]
  const records = [...long('needle', ''), ...long('', 'needle'), of('stdout', 'after\n')]
  assert.ok(6 * piece.length > longestLooked)
  assert.equal((await found(records, 'needle')).join('').length, 'stdout '.length * 8 + 'needle'.length + 6 * piece.length + 1)
  assert.deepEqual(await found(records, 'after'), ['stdout after\n'])
})
