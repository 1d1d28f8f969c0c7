import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DayflyError } from '../../base/errors.ts'
import type { Detection, Priority } from '../detector.ts'
import type { PlacedDocument } from '../settings/read.ts'
import { readDetectionRules } from '../settings/read.ts'
import type { Accused } from './plan.ts'
import { isAsUrgent, planOf } from './plan.ts'

const now = Date.parse('2026-06-01T12:00:00Z')
const accused: Accused = { workload: 'web', environmentName: 'shop-1', image: `sha256:${'a'.repeat(64)}`, imageName: 'registry/shop:1', owner: 'eve' }

const detection = (rule: string, priority: Priority = 'warning', more: Partial<Detection> = {}): Detection => ({
  ...{ rule, priority, output: '', fields: {}, tags: ['mitre_execution'], source: 'syscall' },
  event: {
    ...{ type: 'exec', time: now, environment: 'e1', instance: 'i1', pid: 1, tid: 1, vpid: 1, start: 1, parentPid: 0, parentStart: 0 },
    ...{ uid: 0, euid: 0, gid: 0, name: 'sh', parentName: '', result: 0 },
  },
  ...more,
})

const document = (kind: string, spec: unknown, name = 'it'): PlacedDocument => ({
  ...{ file: 'policies.yaml', kind, name, value: { apiVersion: 'dayfly.dev/v1', kind, metadata: { name }, spec } },
  place: () => ({ line: 7 }),
})
const settings = (spec: unknown): PlacedDocument => document('DetectionSettings', spec)
const rules = (...documents: PlacedDocument[]) => readDetectionRules(documents, now)

const refused = (work: () => unknown, field: string, message = /./): void => {
  assert.throws(work, error => error instanceof DayflyError && error.code === 'invalid' && error.field === field && message.test(error.message))
}

test('without a document warnings are told to everybody, and nothing is touched', () => {
  const plan = planOf(rules(), detection('r'), accused, now)
  assert.deepEqual(plan, { alert: 'all', measures: [], forensics: false, audit: false, exemption: undefined })
  assert.deepEqual(planOf(rules(), detection('r', 'notice'), accused, now).alert, [])
})

test('the most urgent comes first', () => {
  assert.equal(isAsUrgent('critical', 'warning'), true)
  assert.equal(isAsUrgent('warning', 'warning'), true)
  assert.equal(isAsUrgent('notice', 'warning'), false)
})

test('all entries that match apply, and of what contradicts itself the strongest is done', () => {
  const entries = (...actions: string[][]) => rules(settings({ responses: actions.map(each => ({ match: {}, actions: each })) }))
  const measures = (...actions: string[][]) => planOf(entries(...actions), detection('r'), accused, now).measures
  assert.deepEqual(measures(['kill-process'], ['freeze']), ['freeze'])
  assert.deepEqual(measures(['freeze', 'end-instance'], ['kill-process']), ['end-instance'])
  assert.deepEqual(measures(['end-instance'], ['isolate']), ['isolate', 'end-instance'])
  assert.deepEqual(measures(['isolate', 'freeze'], ['end-environment', 'block-image']), ['block-image', 'end-environment'])
  assert.deepEqual(measures(['kill-process'], ['isolate']), ['isolate', 'kill-process'])
})

test('everything that an entry says must fit', () => {
  const match = (given: object) =>
    planOf(rules(settings({ responses: [{ match: given, actions: ['freeze'] }] })), detection('a b'), accused, now).measures
  for (const given of [
    { rules: ['a *'] },
    { tags: ['mitre_*'], minimumPriority: 'notice' },
    { workloads: ['w*'], environments: ['shop-*'], images: ['registry/*'] },
    { images: ['sha256:*'], owners: ['eve'], sources: ['syscall'] },
  ]) {
    assert.deepEqual(match(given), ['freeze'], JSON.stringify(given))
  }
  for (const given of [
    { rules: ['b*'] },
    { rules: ['a *'], minimumPriority: 'error' },
    { tags: ['network'] },
    { workloads: ['db'] },
    { environments: ['shop'] },
    { images: ['other/*'] },
    { owners: ['bob'] },
    { sources: ['sequence'] },
  ]) {
    assert.deepEqual(match(given), [], JSON.stringify(given))
  }
})

test('an alert goes to the targets that are named, and to all where one entry names none', () => {
  const notify = ['soc', 'chat'].map(name => ({ name, type: 'syslog', address: 'udp://127.0.0.1:514' }))
  const told = (...responses: object[]) => planOf(rules(settings({ notify, responses })), detection('r'), accused, now).alert
  assert.deepEqual(told({ match: {}, actions: ['alert'], notify: ['soc'] }, { match: {}, actions: ['alert'], notify: ['soc', 'chat'] }), [
    'soc',
    'chat',
  ])
  assert.equal(told({ match: {}, actions: ['alert'], notify: ['soc'] }, { match: {}, actions: ['alert'] }), 'all')
  assert.deepEqual(told({ match: {}, actions: ['freeze'] }), [])
})

test('an exemption keeps everything from following, as long as it lasts', () => {
  const exemption = (match: object, until = '2026-07-01') =>
    document('DetectionExemption', { rules: ['shell*'], match, owner: 'ops', reason: 'debugging', until }, 'debug')
  const all = settings({ responses: [{ match: {}, actions: ['alert', 'freeze'], forensics: true }] })
  const plan = (documents: PlacedDocument[], at = now) => planOf(rules(all, ...documents), detection('shell in it'), accused, at)
  const exempted = plan([exemption({ workloads: ['web'], environments: ['shop-*'] })])
  assert.deepEqual(exempted, { alert: [], measures: [], forensics: false, audit: false, exemption: 'debug' })
  assert.equal(plan([exemption({ workloads: ['db'] })]).exemption, undefined)
  assert.deepEqual(plan([exemption({ owners: ['eve'] })], Date.parse('2026-07-02T00:00:00Z')).measures, ['freeze'])
  refused(() => rules(exemption({})), 'spec.match', /policies\.yaml:7: DetectionExemption debug: .*say what it is about/)
  refused(() => rules(exemption({ workloads: ['*'] }, '2028-01-01')), 'spec.until', /more than a year/)
  refused(() => rules(exemption({ workloads: ['a'] }), exemption({ workloads: ['b'] })), 'metadata.name', /two called debug/)
})

test('what is wrong with settings is said with its field', () => {
  refused(() => rules(settings({ responses: [{ match: {}, actions: ['explode'] }] })), 'spec.responses[0].actions[0]')
  refused(() => rules(settings({ responses: [{ match: { rule: 'x' }, actions: ['alert'] }] })), 'spec.responses[0].match')
  refused(
    () => rules(settings({ responses: [{ match: {}, actions: ['freeze'], notify: ['soc'] }] })),
    'spec.responses[0].notify',
    /add it to actions/,
  )
  refused(
    () => rules(settings({ responses: [{ match: {}, actions: ['alert'], notify: ['soc'] }] })),
    'spec.responses[0].notify[0]',
    /no target called soc/,
  )
  refused(() => rules(settings({ sensor: { droppedBinaries: 'deny' } })), 'spec.sensor.droppedBinaries')
  refused(() => rules(settings({ sensor: { sensitivePaths: ['etc/shadow'] } })), 'spec.sensor.sensitivePaths[0]', /absolute/)
  refused(() => rules(settings({ sensor: { writePaths: ['/etc/../root'] } })), 'spec.sensor.writePaths[0]')
  const target = (given: object) => rules(settings({ notify: [{ name: 'soc', ...given }] }))
  const webhook = { type: 'webhook', url: 'https://soc.example/', secretFile: '/etc/dayfly/key' }
  assert.equal(target(webhook).settings.notify[0]?.name, 'soc')
  refused(() => target({ ...webhook, secretFile: 'key' }), 'spec.notify[0].secretFile')
  refused(() => target({ ...webhook, url: 'file:///etc/passwd' }), 'spec.notify[0].url')
  refused(() => target({ ...webhook, url: 'https://user:password@soc.example/' }), 'spec.notify[0].url', /headersFrom/)
  refused(() => target({ type: 'syslog', address: 'udp://soc.example' }), 'spec.notify[0].address')
  refused(() => target({ type: 'pigeon' }), 'spec.notify[0].type')
  refused(() => rules(settings({ notify: [webhook, webhook].map(each => ({ name: 'soc', ...each })) })), 'spec.notify[1].name', /two targets/)
  refused(() => rules(settings({}), settings({})), 'kind', /DetectionSettings in policies\.yaml too/)
})
