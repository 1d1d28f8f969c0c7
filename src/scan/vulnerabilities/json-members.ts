/**
 * The members of one huge JSON object, one after the other, without ever holding it: Debian's tracker is 70 MB of packages, each with its CVEs. Bytes are
 * only counted here (strings, escapes, brackets); what is cut out is parsed by whoever gets it.
 */
import { DayflyError } from '../../base/errors.ts'

export interface Member {
  /** The keys that lead to it, as many as was asked for. */
  readonly keys: readonly string[]
  /** Its value as JSON. */
  readonly text: string
}

const [quote, backslash, opening, closing, bracket, unbracket, comma, colon] = [34, 92, 123, 125, 91, 93, 44, 58]
const longestKey = 4_096
const isSpace = (byte: number): boolean => byte === 32 || byte === 10 || byte === 13 || byte === 9

type State = 'before' | 'key' | 'in-key' | 'colon' | 'value' | 'in-value' | 'after' | 'end'
const initial = (): State => 'before'

const corrupt = (why: string): DayflyError => new DayflyError('corrupt', `the JSON cannot be read: ${why}`)

/** Collects bytes over chunks, at most `most` of them. */
const collector = (most: number) => {
  let parts: Buffer[] = []
  let length = 0
  return {
    add(part: Buffer): void {
      length += part.length
      if (length > most) throw corrupt(`a part of it is larger than ${most} bytes`)
      parts.push(part)
    },
    take(): string {
      const text = Buffer.concat(parts).toString('utf8')
      parts = []
      length = 0
      return text
    },
  }
}

const keyOf = (text: string): string => {
  try {
    const key: unknown = JSON.parse(text)
    if (typeof key === 'string') return key
  } catch {
    // Said below.
  }
  throw corrupt(`${text.slice(0, 40)} is no key`)
}

/**
 * The values `depth` objects deep: 1 gives the members of the outermost object, 2 those of its members, which must be objects too.
 * Throws `corrupt` for what is no such JSON, or has a value of more than `most` bytes.
 */
export async function* membersOf(chunks: AsyncIterable<Buffer>, depth: number, most: number): AsyncGenerator<Member> {
  const keys: string[] = []
  const key = collector(longestKey)
  const value = collector(most)
  /** How many of the outer objects are open; `inner` is how many brackets within a value. */
  let [outer, inner] = [0, 0]
  let state = initial()
  let [inString, escaped, scalar] = [false, false, false]
  for await (const chunk of chunks) {
    let start = 0
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0
      if (state === 'in-value') {
        if (inString) {
          if (escaped) escaped = false
          else if (byte === backslash) escaped = true
          else if (byte === quote) inString = false
          continue
        }
        if (byte === quote) inString = true
        else if (byte === opening || byte === bracket) inner++
        const ends = scalar && inner === 0 ? byte === comma || byte === closing : (byte === closing || byte === unbracket) && --inner === 0
        if (!ends) continue
        const stop = scalar ? at : at + 1
        value.add(chunk.subarray(start, stop))
        yield { keys: [...keys], text: value.take() }
        state = 'after'
        if (!scalar) continue
      }
      if (state === 'in-key') {
        if (escaped) escaped = false
        else if (byte === backslash) escaped = true
        else if (byte === quote) {
          key.add(chunk.subarray(start, at + 1))
          keys[outer - 1] = keyOf(key.take())
          state = 'colon'
        }
        continue
      }
      if (isSpace(byte)) continue
      if (state === 'before' && byte === opening) {
        outer = 1
        state = 'key'
      } else if (state === 'key' && byte === quote) {
        start = at
        state = 'in-key'
      } else if (state === 'colon' && byte === colon) state = 'value'
      else if (state === 'value' && outer < depth) {
        if (byte !== opening) throw corrupt(`${keys.join('.')} is no object`)
        outer++
        state = 'key'
      } else if (state === 'value') {
        start = at
        state = 'in-value'
        scalar = byte !== opening && byte !== bracket
        inString = byte === quote
        inner = scalar ? 0 : 1
      } else if (state === 'after' && byte === comma) state = 'key'
      else if ((state === 'after' || state === 'key') && byte === closing) {
        outer--
        keys.length = outer
        state = outer === 0 ? 'end' : 'after'
      } else throw corrupt(`unexpected "${String.fromCharCode(byte)}"`)
    }
    if (state === 'in-value') value.add(Buffer.from(chunk.subarray(start)))
    else if (state === 'in-key') key.add(Buffer.from(chunk.subarray(start)))
  }
  if (state !== 'end') throw corrupt('it ends in its middle')
}
