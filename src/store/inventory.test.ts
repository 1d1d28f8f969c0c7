import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { exampleEnvironment, exampleInstance, exampleOrigin } from '../engine/store.suite.ts'
import type { Store } from '../engine/store.ts'
import type { VulnerabilityFinding } from '../model/finding.ts'
import type { Instance } from '../model/instance.ts'
import type { ImageKnowledge } from '../model/inventory.ts'
import { becomesNewsTo, isNewsTo } from '../model/inventory.ts'
import type { Package } from '../model/package.ts'
import { openStore } from './sqlite.ts'

const folder = mkdtempSync('/tmp/dayfly-inventory-')
after(() => rmSync(folder, { recursive: true, force: true }))
let files = 0
const clock = { wall: () => 50_000, boot: () => 0, bootId: 'boot' }
const open = (): Store => openStore({ path: join(folder, `${files++}.sqlite`), clock })

const digestOf = (name: string): string => `sha256:${createHash('sha256').update(name).digest('hex')}`

const deb = (name: string, version: string, source = name): Package => ({
  ...{ type: 'deb', name, version, purl: `pkg:deb/debian/${name}@${version}?arch=amd64`, licenses: [], paths: ['var/lib/dpkg/status'] },
  ...{ architecture: 'amd64', source: { name: source, version } },
})
const libssl = deb('libssl3', '3.0.11-1~deb12u2', 'openssl')
const lodash: Package = {
  ...{ type: 'npm', name: 'lodash', version: '4.17.20', purl: 'pkg:npm/lodash@4.17.20', licenses: ['MIT'], paths: ['app/package.json'] },
}

const finding = (id: string, of: Package, change: Partial<VulnerabilityFinding> = {}): VulnerabilityFinding => ({
  ...{ kind: 'vulnerability', id, severity: 'high', title: id, places: [], aliases: [], ratings: [] },
  fingerprint: createHash('sha256').update(`${id} ${of.purl}`).digest('hex').slice(0, 32),
  package: { purl: of.purl, name: of.name, version: of.version },
  ...change,
})

const knowledge = (image: string, change: Partial<ImageKnowledge> = {}): ImageKnowledge => ({
  ...{ digest: digestOf(image), names: [image], distribution: undefined, packages: [libssl, lodash], findings: [], problems: [] },
  ...{ scanner: '1', data: 'one', dataFrom: 1_000, scannedAt: 2_000 },
  ...change,
})

/** An environment with an instance that ran the image. */
const ran = (store: Store, name: string, image: string, change: Partial<Instance> = {}): string => {
  const environment = exampleEnvironment(name, { state: 'running' })
  store.putEnvironment(environment)
  store.putInstance(
    exampleInstance(environment.id, { state: 'running', startedAt: 10_000, origin: { ...exampleOrigin(1, 64), image: digestOf(image) }, ...change }),
  )
  return environment.id
}
const exited = (endedAt: number): Partial<Instance> => ({
  state: 'exited',
  exit: { code: 0, oom: false, cause: 'exit', endedAt, droppedBytes: 0, droppedLines: 0 },
})

const ask = { limit: 100 }
const namesOf = (store: Store, question: Parameters<Store['inventory']['who']>[0]): string[] =>
  store.inventory.who(question).rows.map(({ environment, package: of }) => `${environment.name}${of === undefined ? '' : ` ${of.name}`}`)

test('an image is remembered as it was told, but for paths and licences', () => {
  using store = open()
  const distribution = { id: 'debian', version: '12', like: [] }
  store.inventory.remember(knowledge('app:1', { distribution, problems: ['a jar is damaged'] }), 3_000)
  store.inventory.remember(knowledge('app:1', { distribution, problems: ['a jar is damaged'], names: ['other:2'] }), 4_000)
  assert.deepEqual(store.inventory.image(digestOf('app:1')), {
    ...{ digest: digestOf('app:1'), names: ['app:1', 'other:2'], distribution, problems: ['a jar is damaged'] },
    ...{ scannedAt: 2_000, matchedAt: 4_000, dataFrom: 1_000 },
  })
  assert.deepEqual(store.inventory.packages(digestOf('app:1')), [
    { ...libssl, paths: [] },
    { ...lodash, paths: [], licenses: [] },
  ])
  assert.equal(store.inventory.image(digestOf('none')), undefined)
  assert.deepEqual(store.inventory.packages(digestOf('none')), [])
})

test('packages are found by name, by source, by what a distribution has made of their version, and by purl', () => {
  using store = open()
  ran(store, 'shop', 'app:1')
  store.inventory.remember(knowledge('app:1'), 3_000)
  const of = (name: string, version?: string): string[] => namesOf(store, { ...ask, package: { name, version } })
  for (const [name, version] of [['libssl3'], ['openssl'], ['openssl', '3.0.11'], ['libssl3', '3.0.11'], ['openssl', '3.0.11-1~deb12u2']] as const)
    assert.deepEqual(of(name, version), ['shop libssl3'], `${name} ${version}`)
  assert.deepEqual(of('lodash', '4.17.20'), ['shop lodash'])
  for (const [name, version] of [['openssl', '3.0.1'], ['openssl', '3.0'], ['ssl'], ['lodash', '4.17.2'], ["' OR 1=1 --"]] as const)
    assert.deepEqual(of(name, version), [], `${name} ${version}`)
  for (const purl of [libssl.purl, 'pkg:deb/debian/libssl3@3.0.11-1~deb12u2', 'pkg:deb/debian/libssl3']) {
    assert.deepEqual(namesOf(store, { ...ask, package: { purl } }), ['shop libssl3'], purl)
  }
  assert.deepEqual(namesOf(store, { ...ask, package: { purl: 'pkg:deb/debian/libssl' } }), [])
})

test('images are found by the names that users gave, and by digest', () => {
  using store = open()
  ran(store, 'shop', 'app')
  store.inventory.remember(knowledge('app', { names: ['registry.example:5000/team/app:1.2', 'docker.io/library/web:latest'] }), 3_000)
  for (const image of [
    'registry.example:5000/team/app:1.2',
    'team/app:1.2',
    'app:1.2',
    'web',
    'library/web',
    digestOf('app'),
    digestOf('app').slice(7, 19),
  ])
    assert.deepEqual(namesOf(store, { ...ask, image }), ['shop'], image)
  for (const image of ['app:1', 'pp:1.2', 'eb', digestOf('app').slice(7, 18), 'sha256:'])
    assert.deepEqual(namesOf(store, { ...ask, image }), [], image)
})

test('who says when, what runs first, and nothing of what only was to run', () => {
  using store = open()
  ran(store, 'old', 'app:1', exited(20_000))
  ran(store, 'living', 'app:1')
  ran(store, 'never', 'app:1', { state: 'failed', startedAt: undefined })
  ran(store, 'another', 'other')
  store.inventory.remember(knowledge('app:1'), 3_000)
  const question = { ...ask, package: { name: 'openssl', version: undefined } }
  const { rows, more, unknown } = store.inventory.who(question)
  assert.deepEqual(
    rows.map(({ environment, running, instances, from, until }) => [environment.name, running, instances, from, until]),
    [
      ['living', 1, 1, 10_000, undefined],
      ['old', 0, 1, 10_000, 20_000],
    ],
  )
  assert.deepEqual([more, unknown], [false, [digestOf('other')]])
  assert.deepEqual(namesOf(store, { ...question, running: true }), ['living libssl3'])
  assert.deepEqual(namesOf(store, { ...question, since: 20_000 }), ['living libssl3', 'old libssl3'])
  assert.deepEqual(namesOf(store, { ...question, since: 20_001 }), ['living libssl3'])
  const short = store.inventory.who({ ...question, limit: 1 })
  assert.deepEqual([short.rows.length, short.more], [1, true])
})

test('what becomes known is news once: not at first, not again to those who knew it before it was lost, not by another of its names', () => {
  using store = open()
  const { inventory } = store
  const remember = (now: number, ...findings: readonly VulnerabilityFinding[]): string[] =>
    inventory.remember(knowledge('app:1', { findings }), now).map(({ id }) => id)
  const [a, b] = [finding('CVE-1', libssl), finding('GHSA-2', lodash, { severity: 'critical' })]
  assert.deepEqual(remember(1_000, a), [])
  assert.deepEqual(remember(2_000, a, b), ['GHSA-2'])
  assert.deepEqual(remember(3_000, b), [])
  assert.deepEqual(
    inventory.vulnerabilities(digestOf('app:1')).map(({ id, since }) => [id, since]),
    [['GHSA-2', 2_000]],
  )
  // It came back: that is news to whoever began meanwhile.
  assert.deepEqual(remember(4_000, a, b), ['CVE-1'])
  assert.deepEqual(remember(4_500, a, b), [])
  const [, again] = inventory.vulnerabilities(digestOf('app:1'))
  assert.ok(again)
  assert.deepEqual(
    [2_999, 3_001, 4_001].map(from => becomesNewsTo(again, from, 4_000)),
    [false, true, false],
  )
  assert.deepEqual([again.id, again.since, again.back], ['CVE-1', undefined, { gone: 3_000, at: 4_000 }])
  assert.deepEqual(
    [2_999, 3_000, 3_001, 4_000, 4_001].map(from => isNewsTo(again, from)),
    [false, false, true, true, false],
  )
  assert.deepEqual(remember(5_000, a, finding('CVE-2', lodash, { aliases: ['GHSA-2'] })), [])
  assert.deepEqual(remember(6_000, a, finding('CVE-2', lodash, { aliases: ['GHSA-2'] }), finding('CVE-2', libssl)), ['CVE-2'])
  assert.deepEqual(
    inventory
      .vulnerabilities(digestOf('app:1'))
      .map(({ id, since, package: { name } }) => [id, name, since])
      .sort(),
    [
      ['CVE-1', 'libssl3', undefined],
      ['CVE-2', 'libssl3', 6_000],
      ['CVE-2', 'lodash', 2_000],
    ],
  )
})

test('vulnerabilities are found by each name, of what has them now', () => {
  using store = open()
  ran(store, 'shop', 'app:1')
  const named = finding('CVE-1', libssl, { aliases: ['GHSA-1'], fixed: '3.0.15', exploited: true })
  const settled = finding('CVE-9', lodash, { vex: { status: 'not_affected' } })
  store.inventory.remember(knowledge('app:1', { findings: [named, settled] }), 1_000)
  for (const vulnerability of ['CVE-1', 'GHSA-1']) {
    const [row, ...others] = store.inventory.who({ ...ask, vulnerability }).rows
    assert.equal(others.length, 0)
    assert.equal(row?.package?.name, 'libssl3')
    assert.deepEqual(
      row.vulnerabilities.map(({ id, fixed, exploited, settled: is }) => [id, fixed, exploited, is]),
      [['CVE-1', '3.0.15', true, false]],
    )
  }
  assert.equal(store.inventory.who({ ...ask, vulnerability: 'CVE-9' }).rows[0]?.vulnerabilities[0]?.settled, true)
  assert.deepEqual(namesOf(store, { ...ask, vulnerability: 'CVE-1', package: { name: 'lodash', version: undefined } }), [])
  assert.deepEqual(namesOf(store, { ...ask, vulnerability: 'CVE-9', package: { name: 'lodash', version: undefined } }), ['shop lodash'])
  store.inventory.remember(knowledge('app:1'), 2_000)
  assert.deepEqual(namesOf(store, { ...ask, vulnerability: 'CVE-1' }), [])
})

test('what is out of date is what records speak of; what runs comes first', () => {
  using store = open()
  const { inventory } = store
  ran(store, 'old', 'app:1', exited(20_000))
  ran(store, 'living', 'app:2')
  ran(store, 'never', 'app:3', { state: 'failed', startedAt: undefined })
  const [one, two] = [digestOf('app:1'), digestOf('app:2')]
  const stale = (scanner: string, data: string | undefined, now = 5_000, limit = 10): string[] => inventory.stale(scanner, data, now, limit)
  assert.deepEqual(stale('1', 'one'), [two, one])
  assert.deepEqual(stale('1', 'one', 5_000, 1), [two])
  inventory.remember(knowledge('app:1'), 1_000)
  inventory.remember(knowledge('app:2', { data: undefined }), 1_000, 9_000)
  assert.deepEqual([stale('1', 'one'), stale('1', undefined), stale('2', 'one')], [[two], [one], [two, one]])
  inventory.remember(knowledge('app:2'), 1_000, 9_000)
  assert.deepEqual([stale('1', 'one', 8_999), stale('1', 'one', 9_000)], [[], [two]])
})

test('an image is forgotten with the last record that speaks of it, and its packages with the last image that has them', () => {
  using store = open()
  const { inventory } = store
  const id = ran(store, 'shop', 'app:1', exited(20_000))
  ran(store, 'other', 'app:2')
  inventory.remember(knowledge('app:1', { findings: [finding('CVE-1', libssl)] }), 3_000)
  inventory.remember(knowledge('app:1', { packages: [lodash] }), 4_000) // CVE-1 is history, and speaks of a package that is not there any more.
  inventory.remember(knowledge('app:2', { packages: [lodash] }), 3_000)
  assert.equal(inventory.prune(10_000), 0)
  const environment = store.environment(id)
  assert.ok(environment)
  store.putEnvironment({ ...environment, state: 'ended', endedAt: 30_000 })
  store.purge(id)
  assert.equal(inventory.prune(3_500), 0, 'it was looked at just now: its record may be to come')
  assert.equal(inventory.prune(10_000), 1)
  assert.equal(inventory.image(digestOf('app:1')), undefined)
  assert.deepEqual(
    inventory.packages(digestOf('app:2')).map(({ name }) => name),
    ['lodash'],
  )
  assert.deepEqual(namesOf(store, { ...ask, package: { name: 'openssl', version: undefined } }), [])
})

test('what is too much is left out and said', () => {
  using store = open()
  const packages = Array.from({ length: 50_002 }, (_, index): Package => ({ ...lodash, name: `p${index}`, purl: `pkg:npm/p${index}@1` }))
  store.inventory.remember(knowledge('app:1', { packages }), 1_000)
  assert.equal(store.inventory.packages(digestOf('app:1')).length, 50_000)
  assert.deepEqual(store.inventory.image(digestOf('app:1'))?.problems, ['2 more packages or vulnerabilities than are remembered'])
})

test('a change that fails half-way changes nothing', () => {
  using store = open()
  store.inventory.remember(knowledge('app:1'), 1_000)
  assert.throws(() =>
    store.transaction(() => {
      store.inventory.remember(knowledge('app:1', { packages: [] }), 2_000)
      throw new Error('the disk is full')
    }),
  )
  assert.equal(store.inventory.packages(digestOf('app:1')).length, 2)
})
