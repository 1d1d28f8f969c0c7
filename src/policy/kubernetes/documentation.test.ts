/** What docs/policy-files.md shows is loaded, and its test passes. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { isCaseFile, readCases, runCases } from '../cases/cases.ts'
import { createPolicies } from '../policies.ts'
import { loadPolicies } from './load.ts'

it('the policy and the test of the documentation work', async () => {
  const text = readFileSync(join(import.meta.dirname, '../../../docs/policy-files.md'), 'utf8')
  const examples = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, example = ''], at) => ({ path: `example-${at}.yaml`, text: example }))
  const { set, own } = loadPolicies(examples)
  assert.equal(set.policies.length, 1)
  await using policies = createPolicies({ documents: set })
  const results = await runCases(
    own.filter(isCaseFile).flatMap(document => readCases(document, 0)),
    request => policies.decide(request),
  )
  assert.deepEqual(
    results.map(({ failures }) => failures),
    [[]],
  )
})
