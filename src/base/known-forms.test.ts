import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createKnownForms, formsOf, strikeSpans } from './known-forms.ts'

const mark = '[secret]'

describe('a known secret', () => {
  const secret = 'hunter2-of-the-shop?>~'
  const forms = createKnownForms([secret])

  it('is found encoded at any offset, whatever stands around it, in both alphabets', () => {
    for (const before of ['', 'a', 'ab', 'user:', 'Bearer ', 'x'.repeat(50)]) {
      for (const after of ['', '\n', 'z', '-and-more']) {
        for (const alphabet of ['base64', 'base64url'] as const) {
          const encoded = Buffer.from(`${before}${secret}${after}`).toString(alphabet)
          const clean = forms.strike(`x=${encoded}`, mark)
          const left = Buffer.from(clean.replace('x=', '').replace(mark, ''), alphabet).toString('latin1')
          assert.ok(clean.includes(mark), `${before}|${after}|${alphabet}: ${clean}`)
          assert.ok(clean.length <= encoded.length - Math.floor((secret.length * 4) / 3) + mark.length + 5, clean)
          assert.ok(!left.includes(secret.slice(2, 6)))
        }
      }
    }
  })

  it('is found wherever it stands, as often as it stands there; of overlapping ones nothing is left', () => {
    const both = createKnownForms(['abcdef', 'defghi', 'a longer secret of many words'])
    assert.equal(both.strike('abcdefghi', mark), mark)
    assert.equal(both.strike('abcdef abcdef-defghi', mark), `${mark} ${mark}-${mark}`)
    assert.equal(both.strike('x a longer secret of many words y', mark), `x ${mark} y`)
    assert.equal(both.strike('nothing of it', mark), 'nothing of it')
  })

  it('is found as plain search finds it, in any text', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c', ' '), minLength: 1, maxLength: 40 })
    fc.assert(
      fc.property(fc.array(word, { maxLength: 6 }), word, (secrets, text) => {
        const all = formsOf(secrets)
        const clean = createKnownForms(secrets).strike(text, '\u0000')
        for (const form of all) assert.ok(!clean.includes(form))
        assert.equal(clean === text, !all.some(form => text.includes(form)))
      }),
    )
  })

  it('of many lines counts by its first 256 long ones, and as a whole', () => {
    const lines = Array.from({ length: 1_000 }, (_, index) => `line number ${index} of a long key file ${index * 7919}`)
    const many = createKnownForms([lines.join('\n')])
    assert.ok(many.count < 256 * 16)
    assert.equal(many.strike(`x ${lines[255]} y`, mark), `x ${mark} y`)
    assert.equal(many.strike(`x ${lines.join('\n')} y`, mark), `x ${mark} y`)
  })

  it('is not there in part at the end of what was cut off, however it is encoded', () => {
    assert.equal(forms.strikeCut('x=hunter2-of-t', mark), `x=${mark}`)
    assert.equal(forms.strikeCut(`x=${Buffer.from(secret).toString('base64').slice(0, 11)}`, mark), `x=${mark}`)
    assert.equal(forms.strikeCut(`${secret} and hunt`, mark), `${mark} and ${mark}`)
    assert.equal(forms.strikeCut('a hun', mark), 'a hun')
  })
})

it('spans that meet are struck out as one', () => {
  const spans = [
    [0, 2],
    [1, 3],
    [3, 4],
    [6, 7],
  ] as const
  assert.equal(strikeSpans('0123456789', spans, '#'), '#45#789')
  assert.equal(strikeSpans('0123', [], '#'), '0123')
})
