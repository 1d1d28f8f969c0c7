/** Lock files that are TOML with a table for each package: Python's and Rust's. */
import { parse, TomlError } from 'smol-toml'
import type { Content } from '../../catalogue.ts'
import { Malformed } from '../system/collect.ts'
import type { JsonObject } from './json.ts'
import { listOf, memberOf, objectOf, wholeOf } from './json.ts'

/** Bytes. The largest have some megabytes. */
const mostToml = 8 * 1024 * 1024
const deepest = 100

/** The tables of the list `name`. Throws `Malformed`. */
export const readTables = async (content: Content, name: string): Promise<readonly JsonObject[]> => {
  const text = (await wholeOf(content, mostToml)).toString('utf8')
  try {
    return listOf(memberOf(parse(text, { maxDepth: deepest }), name)).map(objectOf)
  } catch (error) {
    if (error instanceof TomlError || error instanceof RangeError) throw new Malformed('is not TOML')
    throw error
  }
}
