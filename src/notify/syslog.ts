/** RFC 5424. */
import type { Notice } from './notice.ts'
import { facts, plain, urgencies } from './notice.ts'

const facilities: Readonly<Record<string, number>> = {
  ...{ user: 1, daemon: 3, auth: 4, authpriv: 10, local0: 16, local1: 17, local2: 18, local3: 19, local4: 20, local5: 21, local6: 22, local7: 23 },
}

/** Of the header: printable ASCII without blanks, so many at most; `-` is none. */
const word = (text: string, longest: number): string => text.replaceAll(/[^\x21-\x7e]/g, '_').slice(0, longest) || '-'

/** `"`, `\` and `]` are escaped within a value. */
const value = (text: string): string => text.replaceAll(/["\\\]]/g, '\\$&')

/** Datagrams that are longer are cut off or lost on their way. */
const longest = 8000

/**
 * One message, without a frame. The number after the `@` is the one that the RFCs keep for examples: Dayfly has none of its own at IANA. `process`: the daemon's.
 */
export const syslogMessage = (notice: Notice, { facility, process }: { facility: string; process: number }): string => {
  const severity = urgencies.indexOf(notice.priority)
  const head = `<${(facilities[facility] ?? 10) * 8 + severity}>1 ${new Date(notice.time).toISOString()} ${word(notice.host, 255)} dayfly ${process} ${notice.kind}`
  const data = `[dayfly@32473 id="${value(notice.id)}"${facts(notice)
    .map(([name, text]) => ` ${name}="${value(text.slice(0, 256))}"`)
    .join('')}]`
  const message = `${head} ${data} \ufeff${plain(notice.text)}`
  let bytes = Buffer.from(message)
  if (bytes.length > longest) {
    bytes = bytes.subarray(0, longest)
    // Not within a character.
    while (bytes.length > 0 && ((bytes.at(-1) ?? 0) & 0xc0) === 0x80) bytes = bytes.subarray(0, -1)
    if (((bytes.at(-1) ?? 0) & 0xc0) === 0xc0) bytes = bytes.subarray(0, -1)
  }
  return bytes.toString()
}

/** RFC 6587: how streams tell where a message ends. */
export const octetCounted = (message: string): string => `${Buffer.byteLength(message)} ${message}`
