/** The example policy, written in CEL, against Kubernetes' own pods: the same verdicts as the standard itself. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import { z } from 'zod'
import { fixture } from '../../../test/fixtures.ts'
import type { AdmissionRequest } from '../decision.ts'
import { createPolicies } from '../policies.ts'
import { loadPolicies } from './load.ts'

const path = 'examples/policies/pod-security-restricted.yaml'
const { set } = loadPolicies([{ path, text: readFileSync(join(import.meta.dirname, '../../..', path), 'utf8') }])
const Pod = z.looseObject({ apiVersion: z.string(), kind: z.string(), metadata: z.record(z.string(), z.unknown()) })

const request = (object: unknown): AdmissionRequest => ({
  object: Pod.parse(object),
  operation: 'CREATE',
  namespace: 'default',
  namespaceLabels: {},
  userInfo: { username: 'test', groups: [] },
  instance: undefined,
  environment: undefined,
  images: {},
  now: 0,
})

const { path: pods, skip } = fixture('pod-security')

describe('the restricted standard in CEL', { skip }, () => {
  for (const [level, outcome] of [
    ['restricted', 'pass'],
    ['restricted', 'fail'],
    ['baseline', 'fail'],
  ] as const) {
    it(`decides the pods of ${level} that must ${outcome}`, async () => {
      await using policies = createPolicies({ documents: set })
      const folder = join(pods, level, 'v1.36', outcome)
      const files = readdirSync(folder)
      assert.ok(files.length > 10)
      for (const file of files) {
        const { verdict, denials } = await policies.decide(request(parse(readFileSync(join(folder, file), 'utf8'))))
        assert.equal(verdict, outcome === 'pass' ? 'allowed' : 'denied', `${file}: ${JSON.stringify(denials)}`)
        assert.ok(
          denials.every(({ message }) => !message.includes('resulted in error')),
          `${file}: ${JSON.stringify(denials)}`,
        )
      }
    })
  }
})
