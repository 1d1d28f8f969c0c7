import assert from 'node:assert/strict'
import { test } from 'node:test'
import { coalesced } from './coalesced.ts'

test('whoever asks while it runs gets a run that begins later, together with the others', async () => {
  let runs = 0
  const gates: PromiseWithResolvers<void>[] = []
  const ask = coalesced(async () => {
    runs += 1
    const gate = Promise.withResolvers<void>()
    gates.push(gate)
    await gate.promise
  })
  const first = ask()
  const [second, third] = [ask(), ask()]
  assert.equal(runs, 1)
  gates[0]?.resolve()
  await first
  await new Promise(setImmediate)
  assert.equal(runs, 2)
  const fourth = ask()
  gates[1]?.resolve()
  await Promise.all([second, third])
  await new Promise(setImmediate)
  assert.equal(runs, 3)
  gates[2]?.resolve()
  await fourth
  assert.equal(runs, 3)
})

test('a run that fails fails those who asked for it only', async () => {
  let fail = true
  const ask = coalesced(async () => {
    await new Promise(setImmediate)
    if (fail) throw new Error('refused')
  })
  const first = ask()
  const second = ask()
  await assert.rejects(first, /refused/)
  fail = false
  await second
})
