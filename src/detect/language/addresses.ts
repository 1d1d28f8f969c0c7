/** IP addresses as 16-bit words: two for IPv4, eight for IPv6. An IPv4 address in IPv6's clothes (`::ffff:1.2.3.4`) is the IPv4 one. */
import { isIPv4, isIPv6 } from 'node:net'

export type Words = readonly number[]

const wordsOfIPv4 = (text: string): number[] => {
  const [a = 0, b = 0, c = 0, d = 0] = text.split('.').map(Number)
  return [a * 256 + b, c * 256 + d]
}

const wordsOfIPv6 = (text: string): Words => {
  const halves = text
    .split('::')
    .map(half => (half === '' ? [] : half.split(':').flatMap(part => (part.includes('.') ? wordsOfIPv4(part) : [Number.parseInt(part, 16)]))))
  const [head = [], tail = []] = halves
  const words = [...head, ...Array.from({ length: halves.length === 2 ? 8 - head.length - tail.length : 0 }, () => 0), ...tail]
  const isMapped = words.slice(0, 5).every(word => word === 0) && words[5] === 0xffff
  return isMapped ? words.slice(6) : words
}

/** Undefined for what is no address. A zone (`%eth0`) is not told apart. */
export const parseAddress = (text: string): Words | undefined => {
  if (isIPv4(text)) return wordsOfIPv4(text)
  return isIPv6(text) ? wordsOfIPv6(text.split('%')[0] ?? '') : undefined
}

const known = new Map<string, Words | undefined>()
const mostKnown = 4096

/** The same, kept for those that come again. */
export const addressWords = (text: string): Words | undefined => {
  const found = known.get(text)
  if (found !== undefined || known.has(text)) return found
  if (known.size >= mostKnown) known.clear()
  const words = parseAddress(text)
  known.set(text, words)
  return words
}

export interface Network {
  readonly words: Words
  /** How many bits at the front count. */
  readonly prefix: number
}

/** `10.0.0.0/8`, `fd00::/8`. Undefined for what is none. */
export const parseNetwork = (text: string): Network | undefined => {
  const [, address = '', prefix = ''] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? []
  const words = parseAddress(address)
  // Not as the words of what it may be mapped to: a prefix counts the bits as they are written.
  if (!words || Number(prefix) > words.length * 16 || (words.length === 2 && address.includes(':'))) return undefined
  return { words, prefix: Number(prefix) }
}

export const isWithin = (address: Words, { words, prefix }: Network): boolean => {
  if (address.length !== words.length) return false
  for (let index = 0, left = prefix; left > 0; index++, left -= 16) {
    const mask = left >= 16 ? 0xffff : (0xffff << (16 - left)) & 0xffff
    if ((((address[index] ?? 0) ^ (words[index] ?? 0)) & mask) !== 0) return false
  }
  return true
}
