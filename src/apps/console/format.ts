/** Numbers and times as people read them. */
import { formatBytes } from '../../base/bytes.ts'
import { formatDuration } from '../../base/durations.ts'

const two = (value: number): string => String(value).padStart(2, '0')

/** Time of day where the reader is: 14:03:27. */
export const clockTime = (ms: number): string => {
  const date = new Date(ms)
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}
export const preciseTime = (ms: number): string => `${clockTime(ms)}.${String(new Date(ms).getMilliseconds()).padStart(3, '0')}`

export const dateTime = (ms: number): string => {
  const date = new Date(ms)
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clockTime(ms)}`
}

/** `5.2 ms`, `3s`, `1h30m`. */
export const span = (ms: number): string => (ms < 1000 ? `${ms < 10 ? Math.round(ms * 10) / 10 : Math.round(ms)} ms` : formatDuration(ms))
export const bytes = (count: number): string => formatBytes(Math.round(count))
export const number = (value: number): string => value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 2 : 0 })
export const plural = (count: number, one: string, many = `${one}s`): string => `${number(count)} ${count === 1 ? one : many}`

/** A digest or an id as far as people tell it by: `sha256:0123456789ab`. */
export const shortDigest = (text: string): string => (text.startsWith('sha256:') ? text.slice(7, 19) : text.slice(0, 12))

/** `docker.io/library/nginx:1` → `nginx:1`. */
export const imageName = (name: string): string => name.replace(/^docker\.io\/(library\/)?/, '').replace(/^localhost\//, '')

/** A word as a shell takes it. */
export const shellWord = (word: string): string => (/^[A-Za-z0-9_./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)
export const shellLine = (words: readonly string[]): string => words.map(shellWord).join(' ')
