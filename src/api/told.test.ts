import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toldThen } from './told.ts'

const collect = async (lines: AsyncIterable<string>, into: string[] = []): Promise<string[]> => {
  for await (const line of lines) into.push(line)
  return into
}

test('each line, then the outcome', async () => {
  const work = async (tell: (line: string) => void): Promise<string> => {
    tell('one')
    await Promise.resolve()
    tell('two')
    return 'done'
  }
  assert.deepEqual(await collect(toldThen(work)), ['one', 'two', 'done'])
})

test('what is told before a failure is told, and then it is thrown', async () => {
  const lines: string[] = []
  const work = async (tell: (line: string) => void): Promise<string> => {
    tell('one')
    await Promise.resolve()
    throw new Error('broken')
  }
  await assert.rejects(collect(toldThen(work), lines), /broken/)
  assert.deepEqual(lines, ['one'])
})
