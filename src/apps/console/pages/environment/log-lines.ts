/** Output of instances as lines. Pure. */
import type { LogEntry } from '../../../../api/schemas/environments.ts'

export interface LogLine {
  readonly key: number
  readonly time: number
  readonly stream: 'stdout' | 'stderr'
  /** Which instance said it. */
  readonly source: string
  readonly text: string
}

/** What moves a cursor or colours text is for terminals; other control characters are shown as such. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const escapes = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[PX^_][^\u001b]*(?:\u001b\\)?|[ -/]*[0-~])/g
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const controls = /[\u0000-\u0008\u000b-\u001f\u007f\u0080-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

export const readable = (text: string): string =>
  text
    .replace(escapes, '')
    .replace(/\r+$/, '')
    .replace(controls, character => {
      const code = character.charCodeAt(0)
      return code < 0x20 ? String.fromCharCode(0x2400 + code) : '\ufffd'
    })

/** Longer lines are cut off on screen. */
const longest = 8_192

const decoded = ({ data, encoding }: LogEntry): string => {
  if (encoding === 'utf-8') return data
  return new TextDecoder().decode(Uint8Array.from(atob(data), character => character.charCodeAt(0)))
}

export interface LineBuffer {
  /** Lines that are whole by this piece. */
  push(entry: LogEntry): LogLine[]
  /** What has no end yet. */
  rest(): LogLine[]
}

export const createLines = (source: string, nextKey: () => number): LineBuffer => {
  const open: Record<'stdout' | 'stderr', { text: string; time: number }> = { stdout: { text: '', time: 0 }, stderr: { text: '', time: 0 } }
  const line = (stream: 'stdout' | 'stderr', time: number, text: string): LogLine => ({
    ...{ key: nextKey(), time, stream, source },
    text: readable(text.length > longest ? `${text.slice(0, longest)} … ${text.length - longest} more characters` : text),
  })
  return {
    push: entry => {
      const { stream, time } = entry
      const parts = (open[stream].text + decoded(entry)).split('\n')
      const rest = parts.pop() ?? ''
      const whole = parts.map((text, index) => line(stream, index === 0 && open[stream].text !== '' ? open[stream].time : time, text))
      open[stream] = { text: rest, time }
      return whole
    },
    rest: () =>
      (['stdout', 'stderr'] as const).filter(stream => open[stream].text !== '').map(stream => line(stream, open[stream].time, open[stream].text)),
  }
}
