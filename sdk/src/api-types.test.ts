import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { apiTypes } from '../../scripts/sdk-types.ts'

test('api-types.ts is what docs/openapi.json says (make docs)', async () => {
  const written = readFileSync(new URL('api-types.ts', import.meta.url), 'utf8')
  assert.ok(written === (await apiTypes()), 'run make docs')
})
