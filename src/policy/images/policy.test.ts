import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Finding, SecretFinding, VulnerabilityFinding } from '../../model/finding.ts'
import { parse } from '../../model/parse.ts'
import type { AdmissionRequest, GivenSecrets, ImageEvidence } from '../decision.ts'
import { createImagePolicy } from './policy.ts'
import { imageName, isWithin } from './reference.ts'
import { ImageRules } from './settings.ts'

const day = 86_400_000
const now = Date.parse('2026-06-01T00:00:00Z')

const vulnerability = (given: Partial<VulnerabilityFinding> = {}): VulnerabilityFinding => ({
  ...{ kind: 'vulnerability', id: 'CVE-2026-1', severity: 'critical', title: 't', places: [], fingerprint: '0'.repeat(32) },
  ...{ package: { purl: 'pkg:deb/debian/openssl@3.0.11', name: 'openssl', version: '3.0.11' }, fixed: '3.0.13', aliases: [], ratings: [] },
  publishedAt: now - 100 * day,
  ...given,
})

const evidence = (given: Partial<ImageEvidence> = {}): ImageEvidence => ({
  ...{ name: 'registry.example.org/team/web:1', digest: `sha256:${'a'.repeat(64)}`, findings: [], problems: [] },
  ...{ labels: {}, signatures: [], dataFrom: now - day, ...given },
})

const request = (image: ImageEvidence | undefined): AdmissionRequest => ({
  object: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { containers: [{ name: 'web', image: image?.name ?? 'x' }] } },
  ...{
    operation: 'CREATE',
    namespace: 'n',
    namespaceLabels: {},
    userInfo: { username: 'u', groups: [] },
    instance: undefined,
    environment: undefined,
  },
  images: image === undefined ? {} : { web: image },
  now,
})

/** `action rule` of everything that is said, and until when. */
const judge = (rules: object, image: ImageEvidence | undefined, looking = true) => {
  const { rulings, validUntil } = createImagePolicy(parse(ImageRules, rules), looking).evaluate(request(image))
  return {
    said: rulings.map(({ action, objection }) => `${action} ${objection.rule}`),
    messages: rulings.map(one => one.objection.message),
    validUntil,
  }
}
const judgeFindings = (rules: object, ...findings: Finding[]) => judge(rules, evidence({ findings }))

test('what nobody has scanned is denied, whatever is asked; a pipeline without images may leave that out', () => {
  assert.deepEqual(judge({}, evidence({ findings: undefined, problems: ['the scan was killed'] })).said, ['deny scanned'])
  assert.match(judge({}, evidence({ findings: undefined, problems: ['the scan was killed'] })).messages[0] ?? '', /the scan was killed/)
  assert.deepEqual(judge({}, undefined).said, ['deny scanned'])
  assert.deepEqual(judge({}, undefined, false).said, [])
  assert.deepEqual(judge({ secrets: { action: 'deny', severity: 'low' } }, undefined, false).said, [])
})

test('vulnerabilities count from a severity on, with a fix, after their grace', () => {
  const rules = { vulnerabilities: { action: 'deny', severity: 'high', grace: { high: '30d' } } }
  assert.deepEqual(judgeFindings(rules, vulnerability()).said, ['deny vulnerabilities'])
  assert.deepEqual(judgeFindings(rules, vulnerability({ severity: 'medium' })).said, [])
  assert.deepEqual(judgeFindings(rules, vulnerability({ fixed: undefined })).said, [])
  assert.deepEqual(judgeFindings(rules, vulnerability({ vex: { status: 'not_affected' } })).said, [])
  assert.deepEqual(judgeFindings(rules, vulnerability({ vex: { status: 'under_investigation' } })).said, ['deny vulnerabilities'])
  assert.deepEqual(judgeFindings(rules, vulnerability({ severity: 'high' })).said, ['deny vulnerabilities'])
})

test('in its grace one is warned of, and the verdict holds until it ends', () => {
  const rules = { vulnerabilities: { action: 'deny', severity: 'high', grace: { high: '30d' } } }
  const young = judgeFindings(rules, vulnerability({ severity: 'high', publishedAt: now - 10 * day }))
  assert.deepEqual(young.said, ['warn vulnerabilities'])
  assert.equal(young.validUntil, now + 20 * day)
  assert.match(young.messages[0] ?? '', /from 20d from now on/)
  assert.deepEqual(
    judgeFindings(rules, vulnerability({ severity: 'high', publishedAt: undefined })).said,
    ['deny vulnerabilities'],
    'no date, no grace',
  )
  const ahead = vulnerability({ severity: 'high', publishedAt: now + 365 * day })
  assert.deepEqual(judgeFindings(rules, ahead).said, ['deny vulnerabilities'], 'nor for a date that is yet to come')
})

test('what is exploited counts whatever its severity, by its own grace', () => {
  const rules = { vulnerabilities: { action: 'deny', severity: 'critical', grace: { critical: '90d' }, exploitedGrace: '3d' } }
  assert.deepEqual(judgeFindings(rules, vulnerability({ severity: 'low', exploited: true })).said, ['deny vulnerabilities'])
  assert.deepEqual(judgeFindings(rules, vulnerability({ exploited: true, publishedAt: now - day })).said, ['warn vulnerabilities'])
})

test('each finding is told by itself, a hundred at most, and what is left is a number', () => {
  const many = Array.from({ length: 130 }, (_, index) => vulnerability({ id: `CVE-2026-${1000 + index}` }))
  const { said, messages } = judgeFindings({ vulnerabilities: { action: 'deny', severity: 'low' } }, ...many)
  assert.equal(said.length, 101)
  assert.match(messages.at(-1) ?? '', /and 30 more/)
})

test('data may be so old; none at all is too old', () => {
  const rules = { dataAge: { action: 'deny', most: '7d' } }
  assert.equal(judge(rules, evidence()).validUntil, now - day + 7 * day + 1)
  assert.deepEqual(judge(rules, evidence({ dataFrom: now - 8 * day })).said, ['deny dataAge'])
  assert.deepEqual(judge(rules, evidence({ dataFrom: undefined })).said, ['deny dataAge'])
  assert.deepEqual(judge(rules, evidence({ dataFrom: now + 2 * day })).said, ['deny dataAge'], 'what is from the future never grows old')
})

test('a secret is told redacted, with its place', () => {
  const secret: Finding = {
    ...{ kind: 'secret', id: 'aws-access-key', severity: 'high', title: 'AWS access key', fingerprint: '1'.repeat(32) },
    ...{ redacted: 'AKIA…Q7', hash: 'h', places: [{ path: 'app/.env', hidden: true }] },
  }
  const { said, messages } = judgeFindings({ secrets: { action: 'deny', severity: 'high' } }, secret)
  assert.deepEqual(said, ['deny secrets'])
  assert.match(messages[0] ?? '', /AKIA…Q7 in app\/\.env \(of a layer below/)
  assert.deepEqual(judgeFindings({ secrets: { action: 'deny', severity: 'critical' } }, secret).said, [])
})

test('a secret in the words of a request is told by its field, also where nobody looks at images, and what was not searched counts as one', () => {
  const secret: SecretFinding = {
    ...{ kind: 'secret', id: 'named-secret', severity: 'high', title: 'Secret in the clear', fingerprint: '2'.repeat(32) },
    ...{ redacted: 'ab…yz', hash: 'h', places: [{ field: 'spec.containers[0].env.API_TOKEN' }] },
  }
  const said = (given: GivenSecrets, severity = 'high', looking = true) =>
    createImagePolicy(parse(ImageRules, { secrets: { action: 'deny', severity } }), looking)
      .evaluate({ ...request(evidence()), given })
      .rulings.map(({ action, objection }) => [action, objection.rule, objection.field, objection.message])
  const told = ['deny', 'secrets', 'spec.containers[0].env.API_TOKEN', 'a secret is given in the clear: Secret in the clear ab…yz in env.API_TOKEN']
  assert.deepEqual(said({ findings: [secret], problems: [] }), [told])
  assert.deepEqual(said({ findings: [secret], problems: [] }, 'high', false), [told])
  assert.deepEqual(said({ findings: [secret], problems: [] }, 'critical'), [])
  assert.deepEqual(
    said({ findings: [], problems: ['there is too much'] }).map(([action, rule]) => [action, rule]),
    [['deny', 'secrets']],
  )
  const many = said({ findings: Array.from({ length: 150 }, () => secret), problems: [] })
  assert.equal(many.length, 101)
  assert.match(many.at(-1)?.[3] ?? '', /and 50 more/)
})

test('each container is judged by what is known of its own image', () => {
  const pod = (...containers: { name: string; image: string }[]): AdmissionRequest => ({
    ...request(undefined),
    object: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { containers } },
  })
  const clean = evidence({ name: 'clean:1' })
  const evil = evidence({ name: 'evil:1', findings: [vulnerability()] })
  const rules = { vulnerabilities: { action: 'deny', severity: 'high' }, registries: { action: 'deny', allowed: ['docker.io/library/clean'] } }
  const said = (asked: AdmissionRequest, looking = true) =>
    createImagePolicy(parse(ImageRules, rules), looking)
      .evaluate(asked)
      .rulings.map(({ objection: { rule, field } }) => `${rule} ${field}`)
  const both = [
    { name: 'a', image: 'clean:1' },
    { name: 'b', image: 'evil:1' },
  ] as const
  const evils = ['vulnerabilities spec.containers[1].image', 'registries spec.containers[1].image']
  assert.deepEqual(said({ ...pod(...both), images: { a: clean, b: evil } }), evils)
  // What was looked at is another image than the one that is asked for, or both have one name.
  assert.deepEqual(said({ ...pod(...both), images: { a: clean, b: clean } }), ['scanned spec.containers[1].image', evils[1]])
  const twice = pod({ name: 'a', image: 'clean:1' }, { name: 'a', image: 'evil:1' })
  assert.deepEqual(said({ ...twice, images: { a: clean } }, false), [evils[1]])
  for (const name of ['constructor', '__proto__', 'toString']) {
    assert.deepEqual(said({ ...pod({ name, image: 'clean:1' }), images: { a: clean } }), ['scanned spec.containers[0].image'], name)
  }
})

test('signatures and attestations are by trusted keys', () => {
  const attestations = [{ type: 'https://slsa.dev/provenance/v1', predicate: {} }]
  const signed = evidence({ signatures: [{ key: 'release', signed: true, attestations }] })
  assert.deepEqual(judge({ signature: { action: 'deny' } }, evidence()).said, ['deny signature'])
  assert.deepEqual(judge({ signature: { action: 'deny' } }, evidence({ signatures: undefined })).said, ['deny signature'])
  assert.deepEqual(judge({ signature: { action: 'deny', keys: ['other'] } }, signed).said, ['deny signature'])
  const attested = evidence({ signatures: [{ key: 'scanner', signed: false, attestations }] })
  assert.deepEqual(judge({ signature: { action: 'deny' } }, attested).said, ['deny signature'], 'who attests something does not sign')
  assert.deepEqual(judge({ attestations: { action: 'deny', types: ['https://slsa.dev/provenance/v1'] } }, attested).said, [])
  assert.deepEqual(judge({ signature: { action: 'deny', keys: ['release'] } }, signed).said, [])
  assert.deepEqual(judge({ attestations: { action: 'warn', types: ['https://slsa.dev/provenance/v1', 'x'] } }, signed).said, ['warn attestations'])
})

test('registries are compared at the boundaries of names, docker.io written out', () => {
  assert.equal(isWithin(imageName('alpine'), 'docker.io/library'), true)
  assert.equal(isWithin(imageName('alpine:3.20@sha256:x'), 'docker.io/library/alpine'), true)
  assert.equal(isWithin(imageName('registry.example.org.evil.net/team/web'), 'registry.example.org'), false)
  assert.equal(isWithin(imageName('registry.example.org/teamster/web'), 'registry.example.org/team'), false)
  assert.equal(isWithin(imageName('localhost:5000/web:1'), 'localhost:5000'), true)
  assert.deepEqual(judge({ registries: { action: 'deny', allowed: ['registry.example.org/team/*'] } }, evidence()).said, [])
  assert.deepEqual(judge({ registries: { action: 'deny', allowed: ['docker.io'] } }, evidence(), false).said, ['deny registries'])
  for (const name of [`sha256:${'a'.repeat(64)}`, 'a'.repeat(64), 'abcdef012345', 'cafe']) {
    const { said } = judge({ registries: { action: 'deny', allowed: ['docker.io'] } }, evidence({ name }))
    assert.deepEqual(said, ['deny registries'], `${name} names no registry`)
  }
})

test('a name without a digest is none that was judged', () => {
  assert.deepEqual(judge({ digest: { action: 'deny' } }, evidence()).said, ['deny digest'])
  assert.deepEqual(judge({ digest: { action: 'deny' } }, evidence({ name: `web@sha256:${'b'.repeat(64)}` })).said, [])
})

test('settings with a mistake name the field', () => {
  assert.throws(
    () => parse(ImageRules, { vulnerabilities: { action: 'no', severity: 'high' } }, 'spec.images'),
    /spec\.images\.vulnerabilities\.action/,
  )
  assert.throws(() => parse(ImageRules, { dataAge: { action: 'deny', most: 'soon' } }, 'spec.images'), /spec\.images\.dataAge\.most/)
  assert.throws(() => parse(ImageRules, { misconfigurations: { 'image-root-usr': 'deny' } }, 'spec.images'), /spec\.images\.misconfigurations/)
  assert.throws(() => parse(ImageRules, { vulnerabilties: {} }, 'spec.images'), /vulnerabilties/)
})
