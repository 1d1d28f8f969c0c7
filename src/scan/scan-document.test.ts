import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { scanDocument } from './scan-document.ts'
import { createSecretRules } from './secrets/scanner.ts'

const rules = createSecretRules({ salt: Buffer.alloc(16) })
const scan = (text: string) => scanDocument('c.yaml', text, rules)
const password = 'w8Fq-zT3.kLm9pXr'

describe('a document', () => {
  it('has secrets with the line of their field, whatever way it is written', () => {
    const text = `# first
services:
  web:
    environment:
      DB_PASSWORD: ${password}
  list:
    environment:
    - A=1
    - DB_PASSWORD=${password}1
  dotted.name:
    environment: { API_TOKEN: ${password}2 }
---
spec:
  containers:
  - env:
    - { name: DB_PASSWORD, value: ${password}3 }
`
    const found = scan(text).findings.flatMap(({ places }) => places.map(({ path, line, field }) => [path, line, field]))
    assert.deepEqual(found, [
      ['c.yaml', 5, 'services.web.environment.DB_PASSWORD'],
      ['c.yaml', 9, 'services.list.environment.DB_PASSWORD'],
      ['c.yaml', 11, 'services.dotted.name.environment.API_TOKEN'],
      ['c.yaml', 16, 'spec.containers[0].env.DB_PASSWORD'],
    ])
  })

  it('is searched as text, too: comments are read by everybody, and each secret is told once', () => {
    const token = `AKIA${'Q3EGRIYH5WBL7TDZ'}`
    const { findings } = scan(`# aws_access_key_id = ${token}\na: 1\nDB_PASSWORD: ${password}\n`)
    assert.deepEqual(findings.map(({ places: [place] }) => place?.line).toSorted(), [1, 3])
    assert.equal(JSON.stringify(findings).includes(token), false)
  })

  it('that is none is searched all the same, and says what could not be', () => {
    for (const text of ['{', '['.repeat(50_000), 'a: *nowhere', '\t- x', `key: [\nDB_PASSWORD: "${password}"`]) assert.doesNotThrow(() => scan(text))
    const levels = Array.from({ length: 12 }, (_, at) => `a${at + 1}: &a${at + 1} [${Array.from({ length: 10 }, () => `*a${at}`).join(', ')}]`)
    assert.match(scan(`a0: &a0 [x]\n${levels.join('\n')}\n`).problems.join('\n'), /^c\.yaml: its fields cannot be read: .*alias/i)
  })

  it('never makes it throw', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 500 }), fc.json()), text => {
        for (const { places } of scan(text).findings) for (const { line } of places) assert.ok(line === undefined || line >= 1)
      }),
      { numRuns: 200 },
    )
  })
})
