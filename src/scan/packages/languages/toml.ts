/** Lock files that are TOML with a table for each package: Python's and Rust's. */
import { parse, TomlError } from 'smol-toml'
import type { Content } from '../../catalogue.ts'
import { Malformed } from '../system/collect.ts'
import type { JsonObject } from './json.ts'
import { listOf, memberOf, objectOf, wholeOf } from './json.ts'

/** Bytes. The largest have some megabytes. */
const mostToml = 8 * 1024 * 1024
const deepest = 100
/** Tables, keys and items, at most: each takes some hundred bytes. */
const mostValues = 300_000

/** What may begin one: `=`, `,`, `[` and `{`. Those in strings count too. */
const countValues = (bytes: Buffer): number => {
  let values = 0
  for (const byte of bytes) if (byte === 0x3d || byte === 0x2c || byte === 0x5b || byte === 0x7b) values++
  return values
}

/** The tables of the list `name`. Throws `Malformed`. */
export const readTables = async (content: Content, name: string): Promise<readonly JsonObject[]> => {
  const bytes = await wholeOf(content, mostToml)
  if (countValues(bytes) > mostValues) throw new Malformed(`is TOML of more than ${mostValues} values`)
  const text = bytes.toString('utf8')
  try {
    return listOf(memberOf(parse(text, { maxDepth: deepest }), name)).map(objectOf)
  } catch (error) {
    if (error instanceof TomlError || error instanceof RangeError) throw new Malformed('is not TOML')
    throw error
  }
}
