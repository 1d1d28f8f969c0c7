/** Where secrets of a known format are in a short text: what may be kept of a command line is everything but those. */
import { compileOwnRule } from './compile.ts'
import { createKeywordAutomaton } from './keywords.ts'
import type { Part } from './match.ts'
import { matchesOf } from './match.ts'
import type { Rule } from './rule.ts'
import { ownRules } from './rules/own.ts'

/** Bytes from `start` up to `end`. */
export interface SecretSpan {
  readonly start: number
  readonly end: number
}

export interface SpanSearch {
  /**
   * Of tokens that a provider's format tells from everything else, in rising order; they may overlap. undefined: the text has so many keywords in it that it would cost
   * more than `budget` (bytes, each as often as a rule looks at it) to know.
   */
  find(text: Buffer, budget: number): { readonly spans: readonly SecretSpan[]; readonly cost: number } | undefined
}

/** Findings of one rule in one text: more are not told apart, and the text is as good as one secret. */
const mostOfRule = 64

/** With Dayfly's own rules, those left out that guess by names or by how random something looks. */
export const createSpanSearch = (): SpanSearch => {
  const rules: readonly Rule[] = ownRules
    .filter(
      ({ generic, chosen, keywords, path, inFields }) =>
        generic !== true && chosen !== true && keywords.length > 0 && path === undefined && inFields !== false,
    )
    .map(compileOwnRule)
  const byKeyword = new Map<string, Rule[]>()
  for (const rule of rules) for (const keyword of rule.keywords) byKeyword.set(keyword, [...(byKeyword.get(keyword) ?? []), rule])
  const rulesOf = [...byKeyword.values()]
  const automaton = createKeywordAutomaton([...byKeyword.keys()])
  return {
    find: (text, budget) => {
      const asked = new Set<Rule>()
      automaton.search().push(text, keyword => {
        for (const rule of rulesOf[keyword] ?? []) asked.add(rule)
      })
      const cost = asked.size * text.length
      if (cost > budget) return undefined
      const spans: SecretSpan[] = []
      const part: Part = { bytes: text, start: 0, from: 0, to: text.length }
      for (const rule of asked) {
        let found = 0
        const all = matchesOf(rule, part, undefined, ({ start, end }) => {
          spans.push({ start, end })
          return ++found < mostOfRule
        })
        if (!all) return undefined
      }
      return { spans: spans.sort((left, right) => left.start - right.start || left.end - right.end), cost }
    },
  }
}
