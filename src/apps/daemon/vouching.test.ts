import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { silentLog } from '../../base/log.ts'
import type { SignedDocument } from '../../scan/trust/documents.ts'
import type { SubjectDocument, Trust } from './trust.ts'
import type { Demanded, Vouching } from './vouching.ts'
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
  demanded: Demanded
  /** Boot ms. */
  now: number
  /** As by another daemon. */
  restart(): void
  renew(): void
  vouch(): ReturnType<Vouching['vouch']>
}

/** A registry and a key `release`, which signs by simple signing and attests by envelopes. */
const createWorld = (): World => {
  const folder = mkdtempSync(join(tmpdir(), 'dayfly-vouching-'))
  const world: World = {
    ...{ folder, asked: [], says: [], keys: ['release'], demanded: { keys: [], types: [] }, now: 0 },
    restart: () => {
      vouching = open()
    },
    renew: () => vouching.renew(digest),
    vouch: () => vouching.vouch(digest, 'registry.example.org/web:1', signal),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
  const trust = (): Trust => ({
    get keys() {
      return world.keys
    },
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
  const open = (): Vouching =>
    createVouching({ folder, trust: trust(), demanded: () => world.demanded, clock: { boot: () => world.now }, log: silentLog() })
  let vouching = open()
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
  world.restart()
  assert.equal((await world.vouch()).signatures?.[0]?.attestations.length, 1)
  world.says = [attesting, signing]
  world.restart()
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
    world.restart()
    assert.deepEqual((await world.vouch()).signatures, [], text)
  }
})

test('what policy demands and the image lacks is asked for again, ever more seldom; what it has is not', async () => {
  using world = createWorld()
  world.demanded = { keys: ['release'], types: ['t'] }
  world.says = [signing]
  assert.equal((await world.vouch()).lasts, 5_000)
  world.now = 4_999
  const early = await world.vouch()
  assert.deepEqual([early.lasts, early.signatures?.[0]?.signed, world.asked.length], [1, true, 1], 'what is known is known meanwhile')
  const waits: (number | undefined)[] = []
  for (let count = 0; count < 8; count++) {
    world.now += waits.at(-1) ?? 1
    waits.push((await world.vouch()).lasts)
  }
  assert.deepEqual(waits, [10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000])
  world.says = [signing, attesting]
  world.now += 300_000
  const found = await world.vouch()
  assert.deepEqual([found.lasts, found.signatures?.[0]?.attestations.length], [undefined, 1])
  const { length } = world.asked
  world.restart()
  await world.vouch()
  assert.equal(world.asked.length, length)
  world.demanded = { keys: ['another'], types: [] }
  await world.vouch()
  assert.equal(world.asked.length, length + 1, 'the key that policy asks for has not signed')
})

test('an image that is pulled anew is asked for again, whatever is kept and however long one would wait', async () => {
  using world = createWorld()
  world.says = [signing]
  assert.equal((await world.vouch()).lasts, undefined)
  world.says = [signing, attesting]
  assert.equal((await world.vouch()).signatures?.[0]?.attestations.length, 0)
  world.renew()
  assert.equal((await world.vouch()).signatures?.[0]?.attestations.length, 1)
  assert.equal((await world.vouch()).lasts, undefined)
  assert.equal(world.asked.length, 2)
  world.says = []
  world.renew()
  assert.equal((await world.vouch()).signatures?.[0]?.signed, true, 'a mirror that has nothing of it takes nothing away')
  world.says = undefined
  world.renew()
  const silent = await world.vouch()
  assert.deepEqual([silent.signatures?.[0]?.signed, silent.lasts], [true, 5_000])
  world.says = [signing]
  world.now += 5_000
  assert.equal((await world.vouch()).lasts, undefined)
  assert.equal(world.asked.length, 5)
  world.says = []
  world.demanded = { keys: ['another'], types: [] }
  await world.vouch()
  world.renew()
  await world.vouch()
  assert.equal(world.asked.length, 7)
})

test('while a registry is silent nothing is known, also to who asks in between', async () => {
  using world = createWorld()
  world.says = undefined
  await world.vouch()
  const { signatures, lasts } = await world.vouch()
  assert.deepEqual([signatures, lasts, world.asked.length], [undefined, 5_000, 1])
})
