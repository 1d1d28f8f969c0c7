/** That the inventory follows the data, on a real store and engine: what is news goes into the record of who runs the image, once. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openssl, vulnerability } from '../../../test/engine/known-images.ts'
import { forever } from '../../../test/engine/supervised.ts'
import type { World } from '../../../test/engine/world.ts'
import { openWorld } from '../../../test/engine/world.ts'
import { DayflyError } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import { silentLog } from '../../base/log.ts'
import type { VulnerabilityFinding } from '../../model/finding.ts'
import { scannerVersion } from '../../scan/facts.ts'
import type { Keeping, KeepingParts } from './keeping.ts'
import { createKeeping } from './keeping.ts'
import type { DatedFacts } from './scanning.ts'

const minute = 60_000

interface Site extends AsyncDisposable {
  readonly world: World
  readonly keeping: Keeping
  /** Digest of what runs. */
  readonly image: string
  readonly environment: string
  /** Images that were looked at. */
  readonly looked: string[]
  readonly warned: unknown[]
  data: string
  policies: object
  findings: VulnerabilityFinding[]
  problems: string[]
  facts: KeepingParts['facts']
  responses: number
  respond: () => Promise<void>
  raised(): string[]
}

const open = async (): Promise<Site> => {
  const world = await openWorld()
  const { id: environment } = await world.run(forever)
  const [image = ''] = world.store.inventory.running()
  const log: Log = { ...silentLog(), warn: (message, data) => site.warned.push([message, data]) }
  const site: Site = {
    ...{ world, image, environment, looked: [], warned: [], data: 'one', policies: {}, findings: [], problems: [], responses: 0 },
    facts: async digest => {
      site.looked.push(digest)
      return factsOf(digest, { problems: site.problems })
    },
    respond: async () => {},
    raised: () => world.store.events({ environment, types: ['finding.raised'] }).map(({ reason }) => reason),
    get keeping() {
      return keeping
    },
    [Symbol.asyncDispose]: async () => {
      await keeping[Symbol.asyncDispose]()
      await world[Symbol.asyncDispose]()
    },
  }
  const keeping = createKeeping({
    ...{ store: world.store, engine: world.engine, clock: world.clock, log },
    facts: (digest, signal) => site.facts(digest, signal),
    match: async ({ packages }) => ({ findings: packages.length === 0 ? [] : site.findings, dataFrom: 1_000, problems: [] }),
    version: () => site.data,
    policies: () => site.policies,
    respond: async () => {
      site.responses++
      await site.respond()
    },
  })
  return site
}

const factsOf = (digest: string, given: Partial<DatedFacts> = {}): DatedFacts => ({
  ...{ scannerVersion, secretRules: '', digest, packages: [openssl], secrets: [], misconfigurations: [], problems: [], scannedAt: 5, failed: false },
  ...given,
})

test('other data is held against what runs, and its news are raised in the record, once', async () => {
  await using site = await open()
  await site.keeping.look()
  assert.deepEqual(site.raised(), [], 'what is known from the first is no news')
  await site.world.advance(1000)
  site.data = 'two'
  site.findings = [vulnerability(1), vulnerability(2, { severity: 'low', exploited: true })]
  await site.keeping.look()
  assert.deepEqual(site.raised(), [
    'CVE-2099-1 (critical) in openssl 3.0.11 of main: fixed in 3.0.13',
    'CVE-2099-2 (low, exploited) in openssl 3.0.11 of main: fixed in 3.0.13',
  ])
  const [event] = site.world.store.events({ environment: site.environment, types: ['finding.raised'] })
  assert.deepEqual(event?.data, {
    ...{ workload: 'main', image: site.image, id: 'CVE-2099-1', severity: 'critical', package: openssl.purl },
    ...{ fingerprint: '1'.padStart(32, '0'), fixed: '3.0.13' },
  })
  await site.keeping.look()
  site.data = 'three'
  await site.keeping.look()
  assert.equal(site.raised().length, 2)
})

test('nothing is looked at while the data is the same; everything is, each minute, that is out of date', async () => {
  await using site = await open()
  await site.keeping.look()
  await site.keeping.look()
  assert.deepEqual(site.looked, [site.image])
  await site.world.advance(minute)
  await site.keeping.look()
  assert.deepEqual(site.looked, [site.image], 'it is up to date')
  site.problems = ['a jar is damaged']
  site.data = 'two'
  await site.keeping.look()
  assert.equal(site.looked.length, 2)
  await site.world.advance(9 * minute)
  await site.keeping.look()
  assert.equal(site.looked.length, 2)
  await site.world.advance(minute)
  await site.keeping.look()
  assert.equal(site.looked.length, 3, 'what could not be understood whole is looked at again after ten minutes')
})

test('of an image that is gone, what is remembered is held against the data', async () => {
  await using site = await open()
  await site.keeping.look()
  site.facts = async () => {
    throw new DayflyError('not_found', 'there is no such image')
  }
  await site.world.advance(1000)
  site.data = 'two'
  site.findings = [vulnerability(1)]
  await site.keeping.look()
  assert.equal(site.raised().length, 1)
  assert.equal(site.warned.length, 0)
})

test('an image that cannot be looked at does not keep others from it, and is tried again', async () => {
  await using site = await open()
  const other = `sha256:${'9'.repeat(64)}`
  await site.world.run(forever, {}, { image: other })
  const works = site.facts
  site.facts = async (digest, signal) => {
    if (digest === site.image) throw new Error('the disk is slow')
    return await works(digest, signal)
  }
  await site.keeping.look()
  assert.deepEqual(site.looked, [other])
  assert.match(JSON.stringify(site.warned), /tried again.*the disk is slow/)
  site.facts = works
  await site.world.advance(minute)
  await site.keeping.look()
  assert.deepEqual(site.looked, [other, site.image])
})

test('of very many news the record has so many, and the number of the others', async () => {
  await using site = await open()
  await site.keeping.look()
  await site.world.advance(1000)
  site.data = 'two'
  site.findings = Array.from({ length: 503 }, (_, at) => vulnerability(at))
  await site.keeping.look()
  assert.deepEqual([site.raised().length, site.raised().at(-1)], [501, '3 more have become known of main'])
})

test('what starts found out is written when it is asked for, when it is looked at, and at the end', async () => {
  await using site = await open()
  const note = (name: string): void =>
    site.keeping.note({ name, facts: factsOf(site.image), matched: { findings: [], dataFrom: 1, problems: [] }, data: 'one' })
  const names = () => site.world.store.inventory.image(site.image)?.names
  note('web:1')
  note('web:2')
  assert.equal(names(), undefined)
  site.keeping.flush()
  assert.deepEqual(names(), ['web:1', 'web:2'])
  note('web:3')
  await site.keeping.look()
  assert.deepEqual(names(), ['web:1', 'web:2', 'web:3'])
  assert.deepEqual(site.looked, [], 'it is known: nobody looks again')
  note('web:4')
  await site.keeping[Symbol.asyncDispose]()
  assert.deepEqual(names(), ['web:1', 'web:2', 'web:3', 'web:4'])
})

test('policy is asked when data or policies are others, and each minute; when it fails, again', async () => {
  await using site = await open()
  await site.keeping.look()
  await site.keeping.look()
  assert.equal(site.responses, 1)
  site.data = 'two'
  await site.keeping.look()
  assert.equal(site.responses, 2)
  site.policies = {}
  site.respond = async () => {
    throw new Error('the helper is gone')
  }
  await assert.rejects(site.keeping.look(), /the helper is gone/)
  site.respond = async () => {}
  await site.keeping.look()
  await site.keeping.look()
  assert.equal(site.responses, 4)
  await site.world.advance(minute)
  await site.keeping.look()
  assert.equal(site.responses, 5)
})
