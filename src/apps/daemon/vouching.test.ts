import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { silentLog } from '../../base/log.ts'
import type { SignedDocument } from '../../scan/trust/documents.ts'
import type { SubjectDocument, Trust } from './trust.ts'
import { createVouching } from './vouching.ts'

const digest = `sha256:${'a'.repeat(64)}`
const signal = new AbortController().signal

const signing: SignedDocument = { kind: 'simple-signing', payload: Buffer.from('signed'), signature: 'sig' }
const attesting: SignedDocument = { kind: 'envelope', envelope: Buffer.from('attested') }

interface World extends Disposable {
  readonly folder: string
  readonly asked: string[]
  /** What the registry says; undefined: it does not answer. */
  says: SignedDocument[] | undefined
  keys: string[]
  vouch(): ReturnType<ReturnType<typeof createVouching>['vouch']>
}

/** A registry and a key `release`, which signs by simple signing and attests by envelopes. */
const createWorld = (): World => {
  const folder = mkdtempSync(join(tmpdir(), 'dayfly-vouching-'))
  const world: World = {
    ...{ folder, asked: [], says: [], keys: ['release'] },
    vouch: () => createVouching(folder, trust(), silentLog()).vouch(digest, 'registry.example.org/web:1', signal),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
  const trust = (): Trust => ({
    keys: world.keys,
    documentsOf: async ({ name, digest: of }) => {
      world.asked.push(name)
      if (world.says === undefined) throw new Error('it is down')
      return world.says.map(document => ({ subject: of, document }))
    },
    verify: documents => ({ signatures: signaturesOf(documents), problems: [] }),
  })
  const signaturesOf = (documents: readonly SubjectDocument[]) => {
    const mine = documents.filter(({ subject }) => subject === digest && world.keys.includes('release'))
    const signed = mine.some(({ document }) => document.kind === 'simple-signing')
    const attestations = mine.flatMap(({ document }) =>
      document.kind === 'envelope' ? [{ type: 't', predicate: document.envelope.toString() }] : [],
    )
    return mine.length === 0 ? [] : [{ key: 'release', signed, attestations }]
  }
  return world
}

test('a signature is asked for once and kept; without a trusted key nobody is asked', async () => {
  using world = createWorld()
  world.keys = []
  assert.deepEqual((await world.vouch()).signatures, [])
  assert.deepEqual(world.asked, [])
  world.keys = ['release']
  world.says = [signing]
  assert.equal((await world.vouch()).signatures?.[0]?.signed, true)
  world.says = undefined
  const kept = await world.vouch()
  assert.deepEqual([kept.signatures?.[0]?.signed, kept.lasts], [true, undefined])
  assert.equal(world.asked.length, 1)
})

test('what is kept counts only by the keys that are trusted now', async () => {
  using world = createWorld()
  world.says = [signing]
  await world.vouch()
  world.keys = ['another']
  assert.deepEqual((await world.vouch()).signatures, [])
})

test('who has only attested something may sign later: the registry is asked again, and what is known stays known where it is silent', async () => {
  using world = createWorld()
  world.says = [attesting]
  const first = await world.vouch()
  assert.equal(first.signatures?.[0]?.signed, false)
  assert.notEqual(first.lasts, undefined)
  world.says = undefined
  assert.equal((await world.vouch()).signatures?.[0]?.attestations.length, 1)
  world.says = [attesting, signing]
  assert.equal((await world.vouch()).signatures?.[0]?.signed, true)
})

test('a registry that is silent about an image of which nothing is known vouches for nothing, and is no registry that knows of nobody', async () => {
  using world = createWorld()
  world.says = undefined
  const { signatures, lasts } = await world.vouch()
  assert.equal(signatures, undefined)
  assert.notEqual(lasts, undefined)
})

test('a file that is damaged vouches for nothing', async () => {
  using world = createWorld()
  const path = join(world.folder, `${'a'.repeat(64)}.json`)
  for (const text of ['', '{', '[]', 'null', '[{"subject":1}]']) {
    writeFileSync(path, text)
    assert.deepEqual((await world.vouch()).signatures, [], text)
  }
})
