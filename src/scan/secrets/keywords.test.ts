import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createKeywordAutomaton } from './keywords.ts'

const hitsOf = (keywords: readonly string[], pieces: readonly Uint8Array[]): string[] => {
  const hits: string[] = []
  const search = createKeywordAutomaton(keywords).search()
  for (const piece of pieces) search.push(piece, (keyword, end) => hits.push(`${keywords[keyword]}@${end}`))
  return hits
}

describe('the search for keywords', () => {
  it('finds all, overlapping and within each other, in either case', () => {
    assert.deepEqual(hitsOf(['he', 'she', 'his', 'hers'], [Buffer.from('uSHErs hiS')]), ['she@4', 'he@4', 'hers@6', 'his@10'])
  })

  it('finds what is cut by the end of a piece', () => {
    assert.deepEqual(
      hitsOf(
        ['secret'],
        ['xs', 'ec', '', 'retse', 'cret'].map(text => Buffer.from(text)),
      ),
      ['secret@7', 'secret@13'],
    )
  })

  it('is not led astray by any bytes, and agrees with the obvious way', () => {
    const letter = fc.constantFrom('a', 'b', 'C', '_', '\u00e9')
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ unit: letter, minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 8 }),
        fc.string({ unit: letter, maxLength: 60 }),
        (words, text) => {
          const keywords = [...new Set(words.map(word => word.toLowerCase()))]
          const bytes = Buffer.from(text)
          const lower = Buffer.from(text.toLowerCase())
          const expected = keywords.flatMap(keyword => {
            const word = Buffer.from(keyword)
            return Array.from({ length: lower.length }, (_, at) => at)
              .filter(at => lower.subarray(at, at + word.length).equals(word))
              .map(at => `${keyword}@${at + word.length}`)
          })
          assert.deepEqual(hitsOf(keywords, [bytes]).toSorted(), expected.toSorted())
        },
      ),
    )
  })

  it('has states for its keywords only', () => {
    assert.equal(createKeywordAutomaton(['abc', 'abd']).states, 5)
    assert.deepEqual(hitsOf([], [Buffer.from('abc')]), [])
  })
})
