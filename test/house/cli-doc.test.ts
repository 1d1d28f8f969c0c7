import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { cliDocument } from '../../scripts/cli-doc.ts'

test('docs/cli.md is what the command line says of itself (make docs)', async () => {
  const written = readFileSync(join(resolve(import.meta.dirname, '../..'), 'docs/cli.md'), 'utf8')
  assert.equal(written, await cliDocument())
})
