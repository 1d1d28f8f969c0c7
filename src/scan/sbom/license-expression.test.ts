import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parseLicenseExpression } from './license-expression.ts'
import { exceptionIds, licenseIds } from './license-ids.ts'

describe('a license expression', () => {
  it('is read and put right', () => {
    const known = {
      MIT: ['MIT', 'id'],
      mit: ['MIT', 'id'],
      '(MIT)': ['MIT', 'id'],
      'GPL-2.0+': ['GPL-2.0+', 'id'],
      'Apache-2.0+': ['Apache-2.0+', 'other'],
      'mit or apache-2.0': ['MIT OR Apache-2.0', 'compound'],
      '((MIT OR Zlib))': ['MIT OR Zlib', 'compound'],
      '(MIT OR Zlib) AND (ISC OR 0BSD)': ['(MIT OR Zlib) AND (ISC OR 0BSD)', 'compound'],
      'MIT AND(ISC OR 0BSD)': ['MIT AND (ISC OR 0BSD)', 'compound'],
      'MIT AND ISC OR 0BSD': ['MIT AND ISC OR 0BSD', 'compound'],
      'GPL-2.0-only with classpath-exception-2.0': ['GPL-2.0-only WITH Classpath-exception-2.0', 'other'],
      'GPL-3.0-or-later WITH GCC-exception-3.1 AND MIT': ['GPL-3.0-or-later WITH GCC-exception-3.1 AND MIT', 'compound'],
    }
    for (const [text, [canonical, shape]] of Object.entries(known)) assert.deepEqual(parseLicenseExpression(text), { text: canonical, shape }, text)
  })

  it('that is none is none', () => {
    const none = [
      '',
      ' ',
      'GPLv2+',
      'MIT OR',
      'OR MIT',
      'MIT ISC',
      '(MIT',
      'MIT)',
      '()',
      'MIT WITH',
      'MIT WITH MIT',
      'Public Domain',
      'LicenseRef-x',
      '+',
      'AND',
    ]
    for (const text of [...none, `${'('.repeat(100)}MIT${')'.repeat(100)}`, 'MIT OR '.repeat(10_000)]) {
      assert.equal(parseLicenseExpression(text), undefined, text.slice(0, 50))
    }
  })

  it('in its canonical form stays as it is', () => {
    const simple = fc.oneof(
      fc.constantFrom(...licenseIds),
      fc.tuple(fc.constantFrom(...licenseIds), fc.constantFrom(...exceptionIds)).map(([license, exception]) => `${license} WITH ${exception}`),
    )
    const { expression } = fc.letrec<{ expression: string }>(tie => ({
      expression: fc.oneof(
        { maxDepth: 4 },
        simple,
        fc
          .tuple(tie('expression'), fc.constantFrom('AND', 'OR', 'and', 'Or'), tie('expression'))
          .map(([left, operator, right]) => `(${left}) ${operator} (${right})`),
      ),
    }))
    fc.assert(
      fc.property(expression, text => {
        const parsed = parseLicenseExpression(text)
        assert.ok(parsed, text)
        assert.deepEqual(parseLicenseExpression(parsed.text), parsed)
      }),
    )
  })

  it('throws at nothing', () => {
    const token = fc.oneof(fc.constantFrom('MIT', 'AND', 'OR', 'WITH', '(', ')', '+', 'Zlib+'), fc.string())
    fc.assert(fc.property(fc.array(token), tokens => void parseLicenseExpression(tokens.join(' '))))
  })
})
