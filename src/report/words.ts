/** Numbers and times as people read them. */
import { formatBytes } from '../base/bytes.ts'
import { formatDuration } from '../base/durations.ts'
import type { Html } from '../base/html.ts'
import { html } from '../base/html.ts'

export const moment = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`
/** Time of day with milliseconds: of what happened close together. */
export const clockTime = (ms: number): string => new Date(ms).toISOString().slice(11, 23)
export const span = (ms: number): string => (ms < 1000 ? `${Math.round(ms * 100) / 100} ms` : formatDuration(Math.round(ms)))
export const bytes = (count: number): string => formatBytes(Math.round(count))
export const money = (amount: number, currency: string): string =>
  `${amount === 0 ? '0' : amount < 0.01 ? amount.toPrecision(2) : amount.toFixed(2)} ${currency}`
export const number = (amount: number): string => (Number.isInteger(amount) ? String(amount) : amount < 1 ? amount.toPrecision(2) : amount.toFixed(1))

const longest = 480
/** What a workload wrote may be as long as it likes: all of it is in the record. */
export const shortened = (text: string): string => (text.length > longest ? `${text.slice(0, longest)}…` : text)

/** `sha256:0123456789ab…`, the whole of it on hover. */
export const digest = (text: string): Html =>
  html`<code title="${text}">${text.length > 24 ? `${text.slice(0, text.startsWith('sha256:') ? 19 : 12)}…` : text}</code>`

export const more = (left: number, what = 'more'): Html | undefined => (left === 0 ? undefined : html`<p class="more">and ${left} ${what}</p>`)
export const none = (text: string): Html => html`<p class="none">${text}</p>`

export interface Column {
  readonly title: string
  /** `n`: a number. `t`: a time. `w`: long text. */
  readonly kind?: 'n' | 't' | 'w'
}

/** `rows` have a cell for each column. */
export const table = (
  caption: string,
  columns: readonly Column[],
  rows: readonly (readonly (Html | string | number | undefined)[])[],
): Html => html`<div class="scroll"><table><caption>${caption}</caption>
<thead><tr>${columns.map(({ title, kind }) => html`<th scope="col"${kind === 'n' ? html` class="n"` : undefined}>${title}</th>`)}</tr></thead>
<tbody>${rows.map(row => html`<tr>${row.map((cell, index) => html`<td${columns[index]?.kind === undefined ? undefined : html` class="${columns[index]?.kind}"`}>${cell}</td>`)}</tr>\n`)}</tbody></table></div>`

const bad = /^(critical|high|emergency|alert|error|failed|denied|lost|broken|isolated)$/
const warning = /^(medium|warning|notice|withheld|frozen|audit|unproven)$/
const good = /^(running|allowed|whole|sealed|taken|ready)$/

export const badge = (word: string): Html =>
  html`<span class="badge ${bad.test(word) ? 'bad' : warning.test(word) ? 'warn' : good.test(word) ? 'ok' : ''}">${word}</span>`
