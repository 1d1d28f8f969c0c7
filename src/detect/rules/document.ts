/** Dayfly's own rules as a table for docs/rules.md; a test compares the two. */
import { loadRules } from '../language/load.ts'
import { ownRules } from './own.ts'

/** Of every rule its number, as its tags have it: `DFY-101`. */
export const numberOf = (tags: readonly string[]): string => tags.find(tag => tag.startsWith('DFY-')) ?? ''

const firstSentence = (text: string): string => (/^.*?[.:](?= |$)/s.exec(text)?.[0] ?? text).replaceAll(/\s+/g, ' ').replace(/[.:]$/, '')

export const rulesDocument = (): string => {
  const { rules, patterns } = loadRules(ownRules())
  const all = [...rules, ...patterns].toSorted((left, right) => (numberOf(left.tags) < numberOf(right.tags) ? -1 : 1))
  return [
    '| | rule | priority | ATT&CK | what it is about |',
    '|---|---|---|---|---|',
    ...all.map(({ name, priority, tags, description }) => {
      const techniques = tags.filter(tag => /^T\d/.test(tag)).join(' ')
      return `| ${numberOf(tags)} | ${name} | ${priority} | ${techniques} | ${firstSentence(description)} |`
    }),
    '',
  ].join('\n')
}
