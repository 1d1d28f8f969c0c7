/** A word with the colour of what it means. The colour says nothing that the word does not. */
export type Tone = 'good' | 'bad' | 'warn' | 'info' | 'quiet'

const bad = /^(critical|high|emergency|alert|error|failed|denied|lost|broken|isolated|unhealthy|fail)$/
const warn = /^(medium|warning|warn|notice|withheld|frozen|audit|unproven|paused|ending|starting|waiting|outdated)$/
const good = /^(running|allowed|whole|sealed|taken|ready|healthy|ok|live|completed)$/
const info = /^(creating|created|pending|informational|debug|idle)$/

export const toneOf = (word: string): Tone =>
  bad.test(word) ? 'bad' : warn.test(word) ? 'warn' : good.test(word) ? 'good' : info.test(word) ? 'info' : 'quiet'

export const Badge = ({ word, tone = toneOf(word) }: { readonly word: string; readonly tone?: Tone }) => (
  <span className={`badge badge-${tone}`}>{word}</span>
)
