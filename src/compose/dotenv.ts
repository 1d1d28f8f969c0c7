/**
 * `.env` files as docker compose reads them: `NAME=value`, `export NAME=value`, `NAME: value`, `NAME` alone (taken from the caller's environment),
 * comments, single quotes (literal), double quotes (escapes and variables), values in quotes over several lines.
 */

import type { Lookup } from './template.ts'
import { isFailure, substitute } from './template.ts'

export interface EnvironmentFile {
  readonly values: ReadonlyMap<string, string>
  /** Variables used in values that are not set. */
  readonly unset: readonly { readonly name: string; readonly line: number }[]
}

export interface EnvironmentFailure {
  readonly line: number
  readonly message: string
}

export const isEnvironmentFailure = (result: EnvironmentFile | EnvironmentFailure): result is EnvironmentFailure => 'message' in result

const blank = /[\t\v\f\r \u0085\u00a0]/

const escapes: Readonly<Record<string, string>> = { a: '\u0007', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '"': '"', '\\': '\\' }

/** Escapes in double quotes. `\$` becomes `$$`, which the variables' syntax then reads as a dollar sign. */
const withoutEscapes = (text: string): string =>
  text.replace(/\\(?:([abcfnrtv$"\\])|0([0-7]{3}))/g, (whole, character: string | undefined, octal: string | undefined) => {
    if (character === '$') return '$$'
    if (octal !== undefined) return Number.parseInt(octal, 8) < 256 ? String.fromCharCode(Number.parseInt(octal, 8)) : whole
    return escapes[character ?? ''] ?? whole
  })

class Reader {
  readonly #text: string
  readonly #lookup: Lookup
  readonly values: Map<string, string>
  readonly unset: { name: string; line: number }[] = []
  #index = 0
  line = 1

  /** `values` is what files before this one set: it can be used, and is added to. */
  constructor(text: string, lookup: Lookup, values: Map<string, string>) {
    this.#text = text
    this.#lookup = name => lookup(name) ?? values.get(name)
    this.values = values
  }

  #failure(message: string): EnvironmentFailure {
    return { line: this.line, message }
  }

  /** Passes blanks, line ends and comments; false at the end of the file. */
  #nextStatement(): boolean {
    for (;;) {
      const character = this.#text[this.#index]
      if (character === undefined) return false
      if (character === '\n') this.line++
      else if (character === '#') {
        const end = this.#text.indexOf('\n', this.#index)
        if (end < 0) return false
        this.#index = end
        continue
      } else if (!/\s/.test(character)) return true
      this.#index++
    }
  }

  #skipBlanks(): void {
    while (blank.test(this.#text[this.#index] ?? '')) this.#index++
  }

  /** The name, and whether a value follows. Leaves the index after the separator. */
  #name(): { name: string; given: boolean } | EnvironmentFailure {
    const exported = /^export[\t\v\f\r ]+/.exec(this.#text.slice(this.#index, this.#index + 64))
    if (exported) {
      this.#index += exported[0].length
      this.#skipBlanks()
    }
    const start = this.#index
    let end = start
    for (; end < this.#text.length; end++) {
      const character = this.#text[end] ?? ''
      if (character === '=' || character === ':' || character === '\n') break
      if (blank.test(character) || /[\p{L}\p{N}_.\-[\]]/u.test(character)) continue
      return this.#failure(`${JSON.stringify(character)} cannot be in the name of a variable`)
    }
    const name = this.#text.slice(start, end).trimEnd()
    const given = this.#text[end] === '=' || this.#text[end] === ':'
    this.#index = Math.min(end + (given ? 1 : 0), this.#text.length)
    if (/\s/.test(name)) return this.#failure('the name of a variable cannot have a space in it')
    return { name, given }
  }

  #expand(text: string, line: number): string | EnvironmentFailure {
    const result = substitute(text, this.#lookup)
    if (!isFailure(result)) {
      this.unset.push(...result.unset.map(name => ({ name, line })))
      return result.text
    }
    if (result.kind === 'malformed') return { line, message: 'this is no valid use of a variable; write $$ where a dollar sign is meant' }
    return { line, message: `the variable ${result.name} is required and has no value${result.message === '' ? '' : `: ${result.message}`}` }
  }

  #quoted(quote: string): string | EnvironmentFailure {
    const { line } = this
    const start = this.#index + 1
    let value = ''
    for (let index = start; index < this.#text.length; index++) {
      const character = this.#text[index] ?? ''
      if (character === '\n') this.line++
      if (character === '\\') {
        const next = this.#text[index + 1]
        if (next === undefined) break
        if (next === '\n') this.line++
        value += next === quote ? next : character + next
        index++
      } else if (character === quote) {
        this.#index = index + 1
        return quote === '"' ? this.#expand(withoutEscapes(value), line) : value
      } else value += character
    }
    return { line, message: 'the quote that begins here has no end' }
  }

  #value(): string | EnvironmentFailure {
    this.#skipBlanks()
    const first = this.#text[this.#index]
    if (first === '"' || first === "'") return this.#quoted(first)
    const end = this.#text.indexOf('\n', this.#index)
    const rest = this.#text.slice(this.#index, end < 0 ? this.#text.length : end)
    this.#index += rest.length
    const comment = rest.indexOf(' #')
    return this.#expand((comment < 0 ? rest : rest.slice(0, comment)).trimEnd(), this.line)
  }

  read(inherited: Lookup): EnvironmentFailure | undefined {
    while (this.#nextStatement()) {
      const found = this.#name()
      if ('message' in found) return found
      if (!found.given) {
        const value = inherited(found.name)
        if (value !== undefined) this.values.set(found.name, value)
        continue
      }
      const value = this.#value()
      if (typeof value !== 'string') return value
      this.values.set(found.name, value)
    }
    return undefined
  }
}

/**
 * The variables of a file. `lookup` knows the caller's environment, which goes before what the file says when a value uses a variable; `before`
 * holds what earlier files set, and is part of the result.
 */
export const parseDotenv = (text: string, lookup: Lookup, before: ReadonlyMap<string, string> = new Map()): EnvironmentFile | EnvironmentFailure => {
  const reader = new Reader(text.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n'), lookup, new Map(before))
  return reader.read(name => lookup(name) ?? undefined) ?? { values: reader.values, unset: reader.unset }
}

/** The `raw` format of env_file: `NAME=value` lines taken as they are, `NAME` alone from the caller's environment. */
export const parseRawEnvironment = (
  text: string,
  lookup: Lookup,
  before: ReadonlyMap<string, string> = new Map(),
): EnvironmentFile | EnvironmentFailure => {
  const values = new Map(before)
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .entries()) {
    const line = raw.replace(/\r$/, '').trimStart()
    if (line === '' || line.startsWith('#')) continue
    const equals = line.indexOf('=')
    const name = equals < 0 ? line : line.slice(0, equals)
    if (name === '' || /\s/.test(name)) return { line: index + 1, message: 'a line is NAME=value, and the name has no space in it' }
    const value = equals < 0 ? lookup(name) : line.slice(equals + 1)
    if (value !== undefined) values.set(name, value)
  }
  return { values, unset: [] }
}
