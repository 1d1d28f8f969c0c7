/** The file of `serve --prices`: what things cost here. */
import { readFileSync } from 'node:fs'
import { parse as parseYaml } from 'yaml'
import { z } from 'zod'
import { parseDuration } from '../../base/durations.ts'
import { DayflyError, messageOf } from '../../base/errors.ts'
import { parse } from '../../model/parse.ts'
import type { PriceTable } from '../../model/usage.ts'
import { PriceTable as PriceSchema } from '../../model/usage.ts'

const field = '--prices'
const remedy = 'See docs/cost.md for the file.'
/** Bytes of the file, at most. */
const most = 65_536

const Written = z.strictObject({ ...PriceSchema.shape, forgottenFor: z.string().default('24h') })

/** Throws `invalid` naming the field. */
export const readPrices = (path: string): PriceTable => {
  const fail = (message: string, cause?: unknown): DayflyError =>
    new DayflyError('invalid', `${field}: ${path}: ${message}`, { field, remedy, cause })
  const text = (() => {
    try {
      return readFileSync(path, 'utf8')
    } catch (error) {
      throw fail(`it cannot be read: ${messageOf(error)}`, error)
    }
  })()
  if (text.length > most) throw fail('it is too large')
  const document: unknown = (() => {
    try {
      return parseYaml(text, { maxAliasCount: 0 })
    } catch (error) {
      throw fail(messageOf(error), error)
    }
  })()
  const { forgottenFor, ...rest } = (() => {
    try {
      return parse(Written, document)
    } catch (error) {
      throw fail(messageOf(error), error)
    }
  })()
  return parse(PriceSchema, { ...rest, forgottenFor: parseDuration(forgottenFor, `${field}: forgottenFor`) }, field)
}
