import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chained, environment, sha256, story } from '../../test/seal/bundle.ts'
import { entryText } from '../model/record.ts'
import { createRecordReader } from './facts.ts'

test('an entry whose time is none is a fault, whoever has computed its hash', () => {
  const [first] = chained(story)
  assert.ok(first)
  for (const time of [1e300, -1e300, 8_640_000_000_000_001]) {
    const reader = createRecordReader(environment)
    const { hash: _, ...entry } = { ...first, time }
    const before = sha256(`dayfly record of ${environment}`)
    reader.push({ ...entry, hash: sha256(before + entryText(entry)) })
    assert.deepEqual(reader.fault, { member: 'record.ndjson', sequence: 1, message: 'its time is none' })
    assert.equal(reader.facts(), undefined)
  }
})
