// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the variables of compose files look like that
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isFailure, substitute } from './template.ts'

const variables: Readonly<Record<string, string>> = { SET: 'set', EMPTY: '', A: 'a', B: 'b', _x1: 'x' }
const result = (text: string) => substitute(text, name => variables[name])
const value = (text: string): string | undefined => {
  const found = result(text)
  return isFailure(found) ? undefined : found.text
}

describe('variables in text', () => {
  for (const [text, expected] of [
    ['plain', 'plain'],
    ['$SET', 'set'],
    ['${SET}', 'set'],
    ['${SET}x$SET.y', 'setxset.y'],
    ['$_x1', 'x'],
    ['$$SET $${SET} $$$SET', '$SET ${SET} $set'],
    ['$1 $ $. $', '$1 $ $. $'],
    ['${UNSET:-d}', 'd'],
    ['${UNSET-d}', 'd'],
    ['${EMPTY:-d}', 'd'],
    ['${EMPTY-d}', ''],
    ['${SET:-d}', 'set'],
    ['${SET:+d}', 'd'],
    ['${EMPTY:+d}', ''],
    ['${EMPTY+d}', 'd'],
    ['${UNSET+d}', ''],
    ['${SET:?e}', 'set'],
    ['${EMPTY?e}', ''],
    ['${UNSET:-${A}-${B}}', 'a-b'],
    ['${UNSET:-${ALSO:-${A}}}!', 'a!'],
    ['${UNSET:-{"a": {}}} ${A}', '{"a": {}} a'],
    ['${UNSET:-a:b-c?d+e}', 'a:b-c?d+e'],
    ['${UNSET:-}', ''],
    ['${UNSET:-$$}', '$'],
    ['${SET:-${bad-}', 'set'],
  ] as const) {
    it(`${text} is ${JSON.stringify(expected)}`, () => assert.equal(value(text), expected))
  }

  for (const text of ['${', '${}', '${1}', '${A', '${A.B}', '${A B}', '${A:-x', '${A:=x}', '${A:-a\nb}', '${-x}']) {
    it(`${JSON.stringify(text)} is malformed`, () => assert.deepEqual(result(text), { kind: 'malformed' }))
  }

  it('required: the message may have variables', () => {
    assert.deepEqual(result('${UNSET:?need ${A}}'), { kind: 'required', name: 'UNSET', message: 'need a' })
    assert.deepEqual(result('${EMPTY:?}'), { kind: 'required', name: 'EMPTY', message: '' })
  })

  it('says what is not set, and only where that matters', () => {
    assert.deepEqual(result('$X ${Y} ${Z:-1} ${V:-$W}'), { text: '  1 ', unset: ['X', 'Y', 'W'] })
  })

  it('is bounded in depth', () => {
    const deep = `${'${X:-'.repeat(10_000)}${'}'.repeat(10_000)}`
    assert.deepEqual(result(deep), { kind: 'malformed' })
  })

  it('a text without a dollar sign stays, and one with all of them doubled comes out as it was', () => {
    fc.assert(fc.property(fc.string(), text => value(text.replaceAll('$', '')) === text.replaceAll('$', '')))
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('$', '{', '}', 'A', ':', '-', '\n', 'é') }),
        text => value(text.replaceAll('$', '$$$$')) === text,
      ),
    )
  })

  it('never throws, and values are not expanded again', () => {
    const hostile = fc.string({ unit: fc.constantFrom('$', '{', '}', 'A', ':', '-', '?', '+', ' ') })
    fc.assert(fc.property(hostile, text => typeof substitute(text, () => '$A') === 'object'))
    fc.assert(
      fc.property(fc.string(), text => {
        const found = substitute('<${A}>', () => text)
        return !isFailure(found) && found.text === `<${text}>`
      }),
    )
  })
})
