/** Regular expressions, all of them on RE2: linear in the text whatever the pattern. */
import RE2 from 're2'
import { fn, method } from '../overloads.ts'
import type { Value } from '../values.ts'
import { CelError } from '../values.ts'

const known = new Map<string, RE2>()
const mostKnown = 500
const longestPattern = 10_000

/** Compiled patterns are kept; a policy has few of them. */
const compile = (pattern: string, flags: string): RE2 => {
  const key = `${flags}:${pattern}`
  const found = known.get(key)
  if (found) return found
  if (pattern.length > longestPattern) throw new CelError(`a pattern is at most ${longestPattern} characters long`)
  let made: RE2
  try {
    made = new RE2(pattern, flags)
  } catch (error) {
    throw new CelError(`the pattern is not RE2's: ${error instanceof Error ? error.message : String(error)}`)
  }
  if (known.size >= mostKnown) known.clear()
  known.set(key, made)
  return made
}

const checkPattern = (_text: Value | undefined, pattern: Value | undefined): void => {
  if (typeof pattern === 'string') compile(pattern, 'u')
}

/** As the API server counts: a tenth of the text times a quarter of the pattern. */
const cost = (text: Value, pattern: Value): number =>
  (1 + (typeof text === 'string' ? text.length / 10 : 0)) * Math.max(1, typeof pattern === 'string' ? pattern.length / 4 : 1)

const options = { cost, check: checkPattern }

const findAll = (text: string, pattern: string, limit: bigint): Value[] => {
  if (limit === 0n) return []
  const regex = compile(pattern, 'gu')
  regex.lastIndex = 0
  const found: string[] = []
  for (let match = regex.exec(text); match; match = regex.exec(text)) {
    found.push(match[0])
    if (limit > 0n && BigInt(found.length) >= limit) break
    if (match[0] === '')
      regex.lastIndex += text.codePointAt(regex.lastIndex) === undefined || (text.codePointAt(regex.lastIndex) ?? 0) < 0x10000 ? 1 : 2
  }
  return found
}

export const regexes = [
  fn('matches', ['string', 'string'], 'bool', (text, pattern) => compile(pattern, 'u').test(text), options),
  method('matches', ['string', 'string'], 'bool', (text, pattern) => compile(pattern, 'u').test(text), options),
  method('find', ['string', 'string'], 'string', (text, pattern) => compile(pattern, 'u').exec(text)?.[0] ?? '', options),
  method('findAll', ['string', 'string'], 'list<string>', (text, pattern) => findAll(text, pattern, -1n), options),
  method('findAll', ['string', 'string', 'int'], 'list<string>', findAll, options),
]
