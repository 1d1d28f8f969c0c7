import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import type { ImageEvidence, KubernetesObject } from '../../policy/decision.ts'
import { openSecretSearch } from '../../scan/secret-search.ts'
import { createGiven } from './given.ts'

const { inFields } = openSecretSearch({ salt: Buffer.alloc(16, 1) })
const secret = randomBytes(12).toString('hex')
const pod = (name: string, env: Readonly<Record<string, string>>): KubernetesObject => ({
  ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: `${name}-1` } },
  spec: { containers: [{ name, env: Object.entries(env).map(([key, value]) => ({ name: key, value })) }] },
})
const evidence = (findings: ImageEvidence['findings']): ImageEvidence => ({
  ...{ name: 'web:1', digest: '', findings, problems: [], labels: {}, signatures: [], dataFrom: undefined },
})

test('is searched once for the same words, whatever their environment is called, and the value is nowhere', () => {
  let searches = 0
  const given = createGiven(fields => {
    searches++
    return inFields(fields)
  })
  const found = given(pod('a', { API_TOKEN: secret }), evidence([]))
  assert.deepEqual(
    found.findings.map(({ id, severity, places }) => [id, severity, places[0]?.field]),
    [['named-secret', 'high', 'spec.containers[0].env.API_TOKEN']],
  )
  assert.ok(!JSON.stringify(found).includes(secret))
  const again = pod('a', { API_TOKEN: secret })
  given({ ...again, metadata: { name: 'b', namespace: 'other' } }, evidence([]))
  assert.equal(searches, 1)
  assert.deepEqual(given(pod('a', { API_TOKEN: '' }), evidence([])).findings, [])
  assert.equal(searches, 2)
})

test("what the image's own configuration brings is told of the image, not of who runs it", () => {
  const given = createGiven(inFields)
  const ofImage = inFields({ 'env.API_TOKEN': secret }).findings
  assert.equal(ofImage.length, 1)
  assert.deepEqual(given(pod('a', { API_TOKEN: secret }), evidence(ofImage)).findings, [])
  const inFile = ofImage.map(finding => ({ ...finding, places: [{ path: 'app/.env' }] }))
  assert.equal(given(pod('a', { API_TOKEN: secret }), evidence(inFile)).findings.length, 1, 'what a file has is another place')
  assert.equal(given(pod('a', { API_TOKEN: `${secret}1` }), evidence(ofImage)).findings.length, 1)
  assert.equal(given(pod('a', { API_TOKEN: secret }), evidence(undefined)).findings.length, 1)
})
