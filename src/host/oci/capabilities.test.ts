import assert from 'node:assert/strict'
import { test } from 'node:test'
import { askedCapabilities, capabilitySets, minimumCapabilities } from './capabilities.ts'

const prefixed = (names: readonly string[]): string[] => names.map(name => `CAP_${name}`).sort()

test('root holds the minimum and what was asked for, and passes nothing on', () => {
  const sets = capabilitySets(0, ['NET_RAW'])
  assert.deepEqual(sets.effective, prefixed([...minimumCapabilities, 'NET_RAW']))
  assert.deepEqual(sets.bounding, sets.effective)
  assert.deepEqual(sets.ambient, [])
})

test('another user holds what was asked for and nothing of the minimum', () => {
  assert.deepEqual(capabilitySets(1000, []).effective, [])
  assert.deepEqual(capabilitySets(1000, ['NET_RAW']).ambient, ['CAP_NET_RAW'])
})

test('what was asked for can be read back, so that an exec as another user holds no more than its first process would', () => {
  assert.deepEqual(askedCapabilities(capabilitySets(0, ['NET_RAW']).bounding), ['NET_RAW'])
  assert.deepEqual(capabilitySets(1000, askedCapabilities(capabilitySets(1000, []).bounding)).effective, [])
})
