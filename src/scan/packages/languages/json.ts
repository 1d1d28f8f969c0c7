/** JSON of strangers: bounded in size, depth and number of values before anything is built from it. */
import { DayflyError } from '../../../base/errors.ts'
import type { Content } from '../../catalogue.ts'
import { Malformed } from '../system/collect.ts'

/** Bytes. What a manager keeps about all packages of one installation is some megabytes. */
export const mostJson = 16 * 1024 * 1024
const deepest = 128
/** Lists, objects and their items. An object takes some hundred bytes, however few it is written with; whoever scans has 160 MB. */
const mostValues = 750_000

const [quote, backslash, comma] = [0x22, 0x5c, 0x2c]
const isOpening = (byte: number): boolean => byte === 0x7b || byte === 0x5b
const isClosing = (byte: number): boolean => byte === 0x7d || byte === 0x5d

/** The place after the string's closing quote; `at` is after the opening one. */
const endOfString = (bytes: Buffer, at: number): number => {
  for (let from = at; ; ) {
    const end = bytes.indexOf(quote, from)
    if (end < 0) return bytes.length
    let slashes = 0
    while (end - 1 - slashes >= at && bytes[end - 1 - slashes] === backslash) slashes++
    if (slashes % 2 === 0) return end + 1
    from = end + 1
  }
}

const checkShape = (bytes: Buffer): void => {
  let depth = 0
  let values = 0
  for (let at = 0; at < bytes.length; ) {
    const byte = bytes[at++] ?? 0
    if (byte === quote) at = endOfString(bytes, at)
    else if (isOpening(byte)) {
      if (++depth > deepest) throw new Malformed(`is JSON nested deeper than ${deepest} levels`)
      values++
    } else if (isClosing(byte)) depth--
    else if (byte === comma) values++
    if (values > mostValues) throw new Malformed(`is JSON of more than ${mostValues} values`)
  }
}

/** Throws `Malformed`. */
export const parseJson = (bytes: Buffer): unknown => {
  checkShape(bytes)
  const text = bytes.toString('utf8')
  try {
    const value: unknown = JSON.parse(text.startsWith('\uFEFF') ? text.slice(1) : text)
    return value
  } catch {
    throw new Malformed('is not JSON')
  }
}

/** The whole file. Throws `Malformed` when it is larger than `most` bytes, or shorter than it says. */
export const wholeOf = async (content: Content, most: number): Promise<Buffer> => {
  if (content.size > most) throw new Malformed(`is larger than ${most} bytes`)
  const bytes = await content.whole(most)
  if (bytes.length < content.size) throw new DayflyError('corrupt', `it ends after ${bytes.length} of ${content.size} bytes`)
  return bytes
}

/** The file's value. Throws `Malformed`. */
export const readJson = async (content: Content, most = mostJson): Promise<unknown> => parseJson(await wholeOf(content, most))

export type JsonObject = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)

/** An object's own members; none of what is no object. */
export const objectOf = (value: unknown): JsonObject => (isObject(value) ? value : {})

/** The member, where it is the object's own: `constructor` is not. */
export const memberOf = (value: unknown, name: string): unknown => (isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined)

export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

export const textOf = (value: unknown, name: string): string | undefined => {
  const member = memberOf(value, name)
  return typeof member === 'string' ? member : undefined
}
