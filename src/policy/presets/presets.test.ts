import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fits } from '../../base/globs.ts'
import { minimumCapabilities } from '../../host/oci/capabilities.ts'
import type { AdmissionRequest, ImageEvidence, KubernetesObject } from '../decision.ts'
import type { Ruling } from '../policy.ts'
import type { PodSource } from '../workload-pod.ts'
import { podOfWorkload, rootCapabilities } from '../workload-pod.ts'
import { createExemptions, parseExemption } from './exemptions.ts'
import { builtInPolicies, presetSettings } from './presets.ts'
import type { PresetName } from './settings.ts'
import { parseSettings } from './settings.ts'

const now = Date.parse('2026-06-01T12:00:00Z')

const evidence: ImageEvidence = {
  ...{ name: `web@sha256:${'a'.repeat(64)}`, digest: `sha256:${'a'.repeat(64)}`, findings: [], problems: [], labels: {} },
  ...{ signatures: [], dataFrom: now - 1000 },
}

const source: PodSource = {
  ...{ image: evidence.name, command: ['web'], env: {}, user: '', uid: 0, workdir: '/', readOnly: false, capabilities: [] },
  ...{ limits: { cpus: 1, memory: 1 << 29 }, runtime: 'crun', tty: false, stdin: false, secrets: [], mounts: [], sysctls: {} },
  ...{ health: undefined, expose: [], labels: {} },
}

const requestOf = (object: KubernetesObject, own = true): AdmissionRequest => ({
  ...{ object, operation: 'CREATE', namespace: 'shop', namespaceLabels: {}, userInfo: { username: 'u', groups: [] } },
  ...{ instance: own ? {} : undefined, environment: own ? {} : undefined, images: { web: evidence }, now },
})
const request = (given: Partial<PodSource> = {}): AdmissionRequest =>
  requestOf(podOfWorkload({ name: 'shop', labels: {} }, 'web', { ...source, ...given }))

const judge = (preset: PresetName, asked: AdmissionRequest): Ruling[] =>
  builtInPolicies(presetSettings(preset), true).flatMap(policy => [...policy.evaluate(asked).rulings])
const denied = (preset: PresetName, asked: AdmissionRequest): string[] =>
  judge(preset, asked)
    .filter(({ action }) => action === 'deny')
    .map(({ objection }) => objection.rule)

test("a workload's pod has the capabilities that the backend grants", () => {
  assert.deepEqual([...rootCapabilities], [...minimumCapabilities])
})

test('what Dayfly runs by default passes the standard preset; as another user also the strict one', () => {
  assert.deepEqual(denied('standard', request()), [])
  assert.deepEqual(denied('strict', request()), ['capabilities_restricted'])
  assert.deepEqual(denied('strict', request({ uid: 1000, user: 'web' })), [])
  assert.deepEqual(denied('strict', request({ uid: 1000, capabilities: ['NET_RAW'] })), ['capabilities_restricted'])
})

test('a folder of the project may be mounted by what Dayfly runs, the system and a runtime socket by nobody', () => {
  const bind = (path: string) => request({ mounts: [{ type: 'bind', source: path, target: '/data', readOnly: true }] })
  assert.deepEqual(denied('standard', bind('/home/me/shop/data')), [])
  assert.deepEqual(denied('strict', bind('/home/me/shop/data')), ['capabilities_restricted', 'restrictedVolumes'])
  assert.deepEqual(denied('standard', bind('/etc')), ['5.5-sensitive-host-directories'])
  assert.deepEqual(denied('standard', bind('/srv/../var//run/docker.sock')), ['5.5-sensitive-host-directories', '5.31-runtime-socket'])
  assert.deepEqual(denied('standard', requestOf(bind('/home/me/shop/data').object, false)), ['hostPathVolumes'])
})

test('what could not be understood whole is denied, but where nothing is', () => {
  const partly = { ...request(), images: { web: { ...evidence, problems: ['var/lib/rpm/Packages is cut off'] } } }
  assert.deepEqual(denied('standard', partly), ['incompleteScan'])
  assert.ok(denied('strict', partly).includes('incompleteScan'))
  assert.deepEqual(denied('permissive', partly), [])
  const unseen = {
    ...request(),
    images: { web: { ...evidence, findings: undefined, problems: ['layer x: the layer could not be scanned: killed'] } },
  }
  for (const preset of ['permissive', 'standard', 'strict', 'baseline', 'restricted'] as const)
    assert.ok(denied(preset, unseen).includes('scanned'), preset)
})

test('permissive denies nothing but what nobody could look at', () => {
  const privileged = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p' },
    spec: { containers: [{ name: 'web', image: evidence.name, securityContext: { privileged: true } }] },
  }
  assert.deepEqual(denied('permissive', requestOf(privileged, false)), [])
  assert.ok(judge('permissive', requestOf(privileged, false)).some(({ action }) => action === 'warn'))
  assert.deepEqual(denied('permissive', { ...requestOf(privileged, false), images: {} }), ['scanned'])
})

test('settings change a preset by single rules, and null takes one away', () => {
  const document = (spec: object) => ({ apiVersion: 'dayfly.dev/v1', kind: 'AdmissionSettings', spec })
  const settings = parseSettings(
    document({ preset: 'strict', images: { digest: null, registries: { action: 'deny', allowed: ['docker.io'] } } }),
    presetSettings,
  )
  assert.equal(settings.images.digest, undefined)
  assert.deepEqual(settings.images.registries, { action: 'deny', allowed: ['docker.io'] })
  assert.deepEqual(settings.hardening, presetSettings('strict').hardening)
  assert.throws(() => parseSettings(document({ preset: 'lax' }), presetSettings), /spec\.preset/)
  assert.throws(() => parseSettings(document({ hardening: { '5.99': 'deny' } }), presetSettings), /spec\.hardening/)
  assert.throws(() => parseSettings(document({ images: { secrets: { action: 'deny' } } }), presetSettings), /spec\.images\.secrets\.severity/)
})

const exemption = (spec: object) => ({
  apiVersion: 'dayfly.dev/v1',
  kind: 'Exemption',
  metadata: { name: 'legacy' },
  spec: { policies: ['pod-security-*'], match: {}, owner: 'ops@example.org', reason: 'moves in June', until: '2026-06-30', ...spec },
})
const objection = { policy: 'pod-security-restricted', rule: 'capabilities_restricted', message: 'm' }

test('an exemption covers what it names until its day is over', () => {
  const covering = (spec: object, at = now) => createExemptions([parseExemption(exemption(spec), now)]).find(objection, { ...request(), now: at })
  assert.deepEqual(covering({}), { name: 'legacy', until: Date.parse('2026-07-01T00:00:00Z') })
  assert.equal(covering({}, Date.parse('2026-07-01T00:00:00Z')), undefined)
  assert.equal(covering({ from: '2026-06-02' }), undefined)
  assert.equal(covering({ policies: ['images'] }), undefined)
  assert.equal(covering({ rules: ['runAsNonRoot'] }), undefined)
  assert.equal(covering({ match: { namespaces: ['other'] } }), undefined)
  assert.ok(covering({ match: { namespaces: ['sho*'], names: ['web'], images: ['web@*'] } }))
  assert.equal(covering({ match: { findings: ['CVE-*'] } }), undefined, 'the objection is about no finding')
  const beside = { ...request(), images: { web: evidence, other: { ...evidence, name: 'other' } } }
  const forWeb = createExemptions([parseExemption(exemption({ match: { images: ['web@*'] } }), now)])
  assert.ok(forWeb.find(objection, request()))
  assert.equal(forWeb.find(objection, beside), undefined, 'the objection may be about the other image')
  assert.equal(forWeb.find(objection, { ...request(), images: {} }), undefined)
  const later = createExemptions([parseExemption(exemption({ from: '2026-06-10' }), now)])
  assert.equal(later.nextStart?.(now), Date.parse('2026-06-10T00:00:00Z'))
})

test('an exemption has an owner, a reason and an end within a year', () => {
  for (const field of ['owner', 'reason', 'until', 'policies']) {
    assert.throws(() => parseExemption(exemption({ [field]: undefined }), now), new RegExp(`spec\\.${field}`))
  }
  assert.throws(() => parseExemption(exemption({ until: '2028-01-01' }), now), /more than a year away/)
  assert.throws(() => parseExemption(exemption({ reason: '' }), now), /spec\.reason/)
})

test('a pattern is any run of characters for each star, and takes linear time', () => {
  assert.equal(fits('a*c', 'abc'), true)
  assert.equal(fits('a*c', 'abcd'), false)
  assert.equal(fits('*', ''), true)
  assert.equal(fits('ab*ba', 'aba'), false)
  assert.equal(fits('a*b*c', 'a-b-b-c'), true)
  assert.equal(fits('a*b*c', 'a-c-b'), false)
  assert.equal(fits(`${'*a'.repeat(100)}*b`, 'a'.repeat(100_000)), false)
})
