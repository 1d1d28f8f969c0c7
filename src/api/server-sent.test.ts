import assert from 'node:assert/strict'
import { test } from 'node:test'
import { beat, withBeats } from './server-sent.ts'

test('beats fill the silence between items, and lose none', async () => {
  const gates = [Promise.withResolvers<number>(), Promise.withResolvers<number>()]
  async function* items(): AsyncGenerator<number> {
    for (const { promise } of gates) yield await promise
  }
  const reader = withBeats(items(), 5)
  assert.equal((await reader.next()).value, beat)
  assert.equal((await reader.next()).value, beat)
  gates[0]?.resolve(1)
  assert.equal((await reader.next()).value, 1)
  assert.equal((await reader.next()).value, beat)
  gates[1]?.resolve(2)
  const rest: unknown[] = []
  for await (const item of reader) rest.push(item)
  assert.deepEqual(
    rest.filter(item => item !== beat),
    [2],
  )
})

test('an error passes; a reader that leaves ends the items; one that stalls asks for none', async () => {
  async function* broken(): AsyncGenerator<number> {
    yield 1
    throw new Error('torn')
  }
  await assert.rejects(Array.fromAsync(withBeats(broken(), 1000)), /torn/)

  let made = 0
  let over = false
  async function* endless(): AsyncGenerator<number> {
    try {
      for (;;) yield ++made
    } finally {
      over = true
    }
  }
  const reader = withBeats(endless(), 1000)
  await reader.next()
  await new Promise(resolve => setTimeout(resolve, 20))
  assert.equal(made, 1)
  await reader.return(undefined)
  assert.ok(over)
})
