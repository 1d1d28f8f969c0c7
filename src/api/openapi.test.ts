import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openapiText } from '../../scripts/openapi.ts'

const document = JSON.parse(openapiText())

test('docs/openapi.json is what the daemon serves (make docs)', () => {
  assert.equal(readFileSync(join(import.meta.dirname, '../../docs/openapi.json'), 'utf8'), openapiText())
})

test('every reference leads somewhere, and every component is referred to', () => {
  const references = new Set([...JSON.stringify(document).matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name))
  assert.deepEqual([...references].sort(), Object.keys(document.components.schemas).sort())
})

test('operations have names of their own, and every parameter of a path is described', () => {
  const ids: string[] = []
  for (const [path, operations] of Object.entries<Record<string, { operationId: string; parameters?: { name: string; in: string }[] }>>(
    document.paths,
  )) {
    for (const operation of Object.values(operations)) {
      ids.push(operation.operationId)
      const described = (operation.parameters ?? []).filter(parameter => parameter.in === 'path').map(({ name }) => name)
      assert.deepEqual(
        described,
        [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name),
      )
    }
  }
  assert.equal(new Set(ids).size, ids.length)
})
