/** How things look to people. Nothing here is loaded by what prints only JSON or a container's output. */
import { formatDuration } from '../../base/durations.ts'

const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36 } as const
export type Style = keyof typeof codes
export type Paint = (style: Style, text: string) => string

export const painter =
  (colour: boolean): Paint =>
  (style, text) =>
    colour ? `\u001b[${codes[style]}m${text}\u001b[0m` : text

// biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point
const control = /[\u0000-\u001f\u007f-\u009f]/g

/** Names and reasons come from outside: what would steer the terminal is taken out. */
export const printable = (text: string): string => text.replaceAll(control, '\ufffd')

// biome-ignore lint/suspicious/noControlCharactersInRegex: it matches what `painter` adds
const visibleLength = (text: string): number => [...text.replaceAll(/\u001b\[\d+m/g, '')].length

/** Rows under a head, in columns as wide as their widest cell, two spaces apart. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[], paint: Paint): string => {
  const all = [head.map(title => paint('bold', title)), ...rows]
  const widths = head.map((_, column) => Math.max(...all.map(row => visibleLength(row[column] ?? ''))))
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => (column === row.length - 1 ? cell : cell + ' '.repeat((widths[column] ?? 0) - visibleLength(cell) + 2))).join('')
  return `${all.map(line).join('\n')}\n`
}

/** `name: value` lines, the values in one column. Nested ones are indented. */
export const fields = (pairs: readonly (readonly [string, string])[], paint: Paint, indent = ''): string => {
  const width = Math.max(...pairs.map(([name]) => name.length)) + 2
  return pairs.map(([name, value]) => `${indent}${paint('dim', name)}${' '.repeat(width - name.length)}${value}\n`).join('')
}

/** `12s ago`, `in 3m`. */
export const relative = (time: number, now: number): string =>
  time > now ? `in ${formatDuration(time - now)}` : `${formatDuration(coarse(now - time))} ago`

/** Ages under a second are of no interest, and jump from look to look. */
const coarse = (milliseconds: number): number => Math.max(1000, Math.floor(milliseconds / 1000) * 1000)

export const age = (since: number, now: number): string => formatDuration(coarse(now - since))

/** `sha256:0123456789ab`: as much of a digest as people can tell apart. */
export const shortDigest = (digest: string): string => digest.slice(0, 'sha256:'.length + 12)

/** Local time with its offset to nothing: ISO without the milliseconds. */
export const timestamp = (time: number): string => new Date(time).toISOString().replace(/\.\d+Z$/, 'Z')
