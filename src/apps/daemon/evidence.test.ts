import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EvidenceParts, Matched } from './evidence.ts'
import { createEvidence } from './evidence.ts'
import type { DatedFacts } from './scanning.ts'

const digest = `sha256:${'a'.repeat(64)}`
const signal = new AbortController().signal

const facts = (given: Partial<DatedFacts> = {}): DatedFacts => ({
  ...{ scannerVersion: 1, secretRules: '', digest, packages: [], secrets: [], misconfigurations: [], problems: [], scannedAt: 0, failed: false },
  ...given,
})
const matched = (given: Partial<Matched> = {}): Matched => ({ findings: [], dataFrom: 1000, problems: [], ...given })

const evidenceBy = (parts: Partial<EvidenceParts>) =>
  createEvidence({
    facts: async () => facts(),
    labelsOf: async () => ({}),
    match: async () => matched(),
    version: () => 'one',
    vouch: async () => ({ signatures: [], lasts: undefined }),
    examined: () => {},
    ...parts,
  })

test('an image of which a layer could not be looked at has no findings, not fewer', async () => {
  const failed = await evidenceBy({ facts: async () => facts({ failed: true, problems: ['layer x: the layer could not be scanned: killed'] }) }).of(
    digest,
    'web:1',
    signal,
  )
  assert.equal(failed.findings, undefined)
  assert.deepEqual(failed.problems, ['layer x: the layer could not be scanned: killed'])
  const partly = await evidenceBy({ facts: async () => facts({ problems: ['a file is cut off'] }) }).of(digest, 'web:1', signal)
  assert.ok(partly.findings)
})

test('where there is no data about a part of an image, recent data about the rest is no recent data', async () => {
  const { dataFrom } = await evidenceBy({ match: async () => matched({ problems: ['there is no vulnerability data about evil 1'] }) }).of(
    digest,
    'web:1',
    signal,
  )
  assert.equal(dataFrom, undefined)
})

test('what its name says against it is found, too', async () => {
  const idsOf = async (name: string) => (await evidenceBy({}).of(digest, name, signal)).findings?.map(({ id }) => id)
  assert.deepEqual(await idsOf('web:latest'), ['image-tag-latest', 'image-without-digest'])
  assert.deepEqual(await idsOf(`web@${digest}`), [])
  assert.deepEqual(await idsOf(digest), [])
})

test('is the same object until other data comes, and one per image and name', async () => {
  let version = 'one'
  let dataFrom = 1
  const evidence = evidenceBy({ version: () => version, match: async () => matched({ dataFrom }) })
  const first = await evidence.of(digest, 'web:1', signal)
  assert.equal(await evidence.of(digest, 'web:1', signal), first)
  assert.equal((await evidence.of(digest, 'other', signal)).name, 'other')
  assert.equal((await evidence.of(`sha256:${'b'.repeat(64)}`, 'web:1', signal)).digest, `sha256:${'b'.repeat(64)}`)
  version = 'two'
  dataFrom = 2
  assert.equal((await evidence.of(digest, 'web:1', signal)).dataFrom, 2)
  const other = await evidence.of(digest, 'other', signal)
  evidence.renew(`sha256:${'b'.repeat(64)}`)
  assert.equal(await evidence.of(digest, 'other', signal), other)
  evidence.renew(digest)
  assert.notEqual(await evidence.of(digest, 'other', signal), other)
  evidence.renew()
  assert.notEqual(await evidence.of(digest, 'web:1', signal), first)
})

test('data that comes while an image is looked at makes it looked at again', async () => {
  let version = 'one'
  const evidence = evidenceBy({
    version: () => version,
    match: async () => {
      const found = matched({ dataFrom: version === 'one' ? 1 : 2 })
      version = 'two'
      return found
    },
  })
  assert.equal((await evidence.of(digest, 'web:1', signal)).dataFrom, 1)
  assert.equal((await evidence.of(digest, 'web:1', signal)).dataFrom, 2)
})

test('what could not be found out is not remembered', async () => {
  let fails = true
  const evidence = evidenceBy({
    facts: async () => {
      if (fails) throw new Error('the disk is gone')
      return facts()
    },
  })
  await assert.rejects(evidence.of(digest, 'web:1', signal), /the disk is gone/)
  fails = false
  assert.ok(await evidence.of(digest, 'web:1', signal))
})
