/** What policy does about what becomes known while it runs, on a real store and engine. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openssl, vulnerability } from '../../../test/engine/known-images.ts'
import { forever } from '../../../test/engine/supervised.ts'
import type { World } from '../../../test/engine/world.ts'
import { never, openWorld } from '../../../test/engine/world.ts'
import { silentLog } from '../../base/log.ts'
import type { VulnerabilityFinding } from '../../model/finding.ts'
import { assemble } from '../../policy/assemble.ts'
import { createResponding } from './responding.ts'

const settings = (whileRunning: object): object => ({
  apiVersion: 'dayfly.dev/v1',
  kind: 'AdmissionSettings',
  spec: { preset: 'baseline', whileRunning },
})
const exemption = (until: number, spec: object): object => ({
  ...{ apiVersion: 'dayfly.dev/v1', kind: 'Exemption', metadata: { name: 'let-it' } },
  spec: { owner: 'platform@example.org', reason: 'it is not reached', until: new Date(until).toISOString(), match: {}, ...spec },
})

/** An environment that runs an image of which, since then, `findings` have become known. */
const open = async (...findings: VulnerabilityFinding[]) => {
  const world = await openWorld()
  const { id } = await world.run(forever, { name: 'shop' }, { imageName: 'registry.example.org/web:1' })
  const [digest = ''] = world.store.inventory.running()
  const learn = (known: readonly VulnerabilityFinding[], data: string): void => {
    const about = { digest, names: [], distribution: undefined, packages: [openssl], problems: [], scanner: '1', dataFrom: 1, scannedAt: 1 }
    world.engine.noteFindings(() => {
      world.store.inventory.remember({ ...about, findings: known, data }, world.clock.wall())
      return []
    })
  }
  learn([vulnerability(1000)], 'one')
  await world.advance(1000)
  learn([vulnerability(1000), ...findings], 'two')
  return { world, id, learn, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() }
}

const respond = async ({ store, engine, clock }: World, ...documents: object[]): Promise<void> => {
  const files = documents.map((document, at) => ({ path: `${at}.yaml`, text: JSON.stringify(document) }))
  const assembly = assemble(files, { preset: undefined, looking: true, now: clock.wall() })
  await using policies = assembly.enforce()
  const policy = { assembly: () => assembly, current: () => policies }
  await createResponding({ store, engine, policies: policy, clock, log: silentLog() })(never())
}
const eventsOf = ({ store }: World, environment: string, type: string) => store.events({ environment, types: [type] })

test('what is warned of is warned of once, however often it is asked, and only what has become known since', async () => {
  await using site = await open(vulnerability(1), vulnerability(2, { severity: 'high' }), vulnerability(3, { fixed: undefined }))
  const { world, id } = site
  const rules = settings({ action: 'warn' })
  await respond(world, rules)
  await respond(world, rules)
  const [event, ...more] = eventsOf(world, id, 'finding.warned')
  assert.ok(event && more.length === 0)
  assert.equal(event.reason, 'policy warns of CVE-2099-1 (critical) in openssl 3.0.11')
  assert.deepEqual(event.data['ids'], ['CVE-2099-1'])
  await respond(world, settings({ action: 'warn', severity: 'high', fixable: false }))
  assert.deepEqual(
    eventsOf(world, id, 'finding.warned').map(({ data }) => data['ids']),
    [['CVE-2099-1'], ['CVE-2099-3', 'CVE-2099-2']],
  )
  assert.equal(world.store.environment(id)?.state, 'running')
})

test('many are warned of fifty at a time', async () => {
  await using site = await open(...Array.from({ length: 120 }, (_, at) => vulnerability(at)))
  await respond(site.world, settings({ action: 'warn' }))
  const named = eventsOf(site.world, site.id, 'finding.warned').map(({ data }) => (Array.isArray(data['ids']) ? data['ids'].length : 0))
  assert.deepEqual(named, [50, 50, 20])
})

test('an environment is isolated once, and says for what', async () => {
  await using site = await open(vulnerability(1), vulnerability(2))
  const { world, id } = site
  await respond(world, settings({ action: 'isolate' }))
  await respond(world, settings({ action: 'isolate' }))
  assert.equal(world.engine.isIsolated(id), true)
  const [event, ...more] = eventsOf(world, id, 'environment.isolated')
  assert.ok(event && more.length === 0)
  assert.match(event.reason, /isolated by policy: CVE-2099-\d \(critical\) in openssl 3\.0\.11 and 1 more/)
  assert.equal(world.store.environment(id)?.state, 'running')
})

test('an environment is ended by policy', async () => {
  await using site = await open(vulnerability(1))
  await respond(site.world, settings({ action: 'end' }))
  for (let turns = 0; site.world.store.environment(site.id)?.state !== 'ended'; turns++) {
    assert.ok(turns < 1000)
    await site.world.advance(100)
  }
  const ended = await site.world.assertGone(site.id)
  assert.deepEqual([ended.cause, /ended by policy: CVE-2099-1/.test(ended.reason ?? '')], ['policy', true], ended.reason)
})

test('nothing follows where nothing is to, where all was known before, or is exempted or settled', async () => {
  const nothing = async (findings: VulnerabilityFinding[], rules: object, exempted?: object): Promise<void> => {
    await using site = await open(...findings)
    const until = site.world.clock.wall() + 86_400_000
    await respond(site.world, rules, ...(exempted === undefined ? [] : [exemption(until, exempted)]))
    assert.equal(site.world.engine.isIsolated(site.id), false)
    assert.deepEqual(eventsOf(site.world, site.id, 'environment.isolated'), [])
  }
  const isolate = settings({ action: 'isolate' })
  await nothing([vulnerability(1)], settings({ action: 'none' }))
  await nothing([], isolate)
  await nothing([vulnerability(1, { vex: { status: 'not_affected' } })], isolate)
  await nothing([vulnerability(1)], isolate, { policies: ['while-running'] })
  await nothing([vulnerability(1)], isolate, { policies: ['images'], match: { images: ['registry.example.org/*'], findings: ['CVE-2099-1'] } })
  await nothing([vulnerability(1, { id: 'GHSA-1', aliases: ['CVE-2099-1'] })], isolate, { policies: ['images'], match: { findings: ['CVE-2099-1'] } })
})

test('an exemption covers what it names, not what else is known, nor other images', async () => {
  for (const match of [{ findings: ['CVE-2099-1'] }, { images: ['registry.example.org/other*'] }]) {
    await using site = await open(vulnerability(1), vulnerability(2))
    await respond(site.world, settings({ action: 'isolate' }), exemption(site.world.clock.wall() + 86_400_000, { policies: ['images'], match }))
    assert.equal(site.world.engine.isIsolated(site.id), true, JSON.stringify(match))
  }
})
