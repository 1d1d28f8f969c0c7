import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DayflyError } from '../../base/errors.ts'
import { loadPolicies } from '../kubernetes/load.ts'
import { createPolicies } from '../policies.ts'
import { isCaseFile, readCases, runCases } from './cases.ts'
import { junit } from './junit.ts'

const text = `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: { name: registries }
spec:
  matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods] }] }
  validations:
  - expression: object.spec.containers.all(c, c.image.startsWith('registry.example.com/'))
    message: not from our registry
  - expression: images.all(name, image, image.findings.all(f, f.severity != 'critical'))
    message: critical findings
---
apiVersion: dayfly.dev/v1
kind: PolicyTest
metadata: { name: registries <&> }
cases:
- name: ours is fine
  object: { apiVersion: v1, kind: Pod, metadata: { name: web }, spec: { containers: [{ name: main, image: registry.example.com/web }] } }
  images: { main: { name: web, findings: [{ severity: low }] } }
  expect: { verdict: allowed }
- name: another is refused
  object: { apiVersion: v1, kind: Pod, spec: { containers: [{ name: main, image: evil/web }] } }
  expect: { verdict: denied, denials: [{ policy: registries, rule: 'validations[0]', message: our registry }] }
- name: not scanned is refused
  object: { apiVersion: v1, kind: Pod, spec: { containers: [] } }
  images: { main: { name: web } }
  expect: { verdict: denied, denials: [{ message: 'no such key: findings' }] }
- name: this one is wrong
  object: { apiVersion: v1, kind: Pod, spec: { containers: [{ name: main, image: evil/web }] } }
  expect: { verdict: allowed, warnings: [{ policy: nobody }] }
`

describe('policy tests', () => {
  it('run, and say what is not as expected', async () => {
    const { set, own } = loadPolicies([{ path: 'p.yaml', text }])
    await using policies = createPolicies({ documents: set })
    const results = await runCases(
      own.filter(isCaseFile).flatMap(document => readCases(document, 0)),
      request => policies.decide(request),
    )
    assert.deepEqual(
      results.map(({ failures }) => failures.length),
      [0, 0, 0, 2],
    )
    assert.equal(results[3]?.line, text.split('\n').findIndex(line => line.includes('this one is wrong')) + 1)
    assert.match(
      results[3]?.failures[0] ?? '',
      /expected it to be allowed, it was denied; there was registries\/validations\[0\]: not from our registry/,
    )
    const xml = junit(results)
    assert.match(xml, /<testsuites name="dayfly policy" tests="4" failures="1" errors="0"/)
    assert.match(xml, /<testsuite name="registries &lt;&amp;&gt;" tests="4" failures="1"/)
    assert.match(
      xml,
      /<testcase name="this one is wrong" classname="registries &lt;&amp;&gt;" file="p.yaml" line="\d+" time="[\d.]+">\n {6}<failure message="expected it to be allowed/,
    )
  })

  it('are refused with the place of the fault', () => {
    const { own } = loadPolicies([{ path: 'p.yaml', text: text.replace('verdict: allowed }', 'verdict: maybe }') }])
    assert.throws(
      () => readCases(own[0] ?? assert.fail(), 0),
      (error: unknown) => error instanceof DayflyError && /^p\.yaml:\d+:\d+: cases\.0\.expect\.verdict: /.test(error.message),
    )
  })

  it('are written as XML whatever their text', () => {
    const xml = junit([{ suite: 's', name: '\u0000\u001b]0;"<\ud800', file: 'f', line: 1, milliseconds: 1, failures: ['a\nb & c'] }])
    assert.match(xml, /name="\]0;&quot;&lt;"/)
    assert.match(xml, /message="a&#10;b &amp; c"/)
  })
})
