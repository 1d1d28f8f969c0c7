/** From words to checked options and positionals. `parseArgs` splits the words; what is allowed and how faults are told is decided here. */
import { parseArgs } from 'node:util'
import { parseBytes } from '../../base/bytes.ts'
import { parseDuration } from '../../base/durations.ts'
import { DayflyError } from '../../base/errors.ts'
import { dockerOptions } from './docker-words.ts'
import type { Option } from './option.ts'
import { suggest } from './suggest.ts'

export interface Arguments {
  readonly positionals: readonly string[]
  has(name: string): boolean
  flag(name: string): boolean
  text(name: string): string | undefined
  list(name: string): readonly string[]
  /** Milliseconds. Throws `invalid` naming the option. */
  duration(name: string): number | undefined
  bytes(name: string): number | undefined
  number(name: string): number | undefined
  /** Of an option whose value is true or false. */
  boolean(name: string): boolean | undefined
}

export interface ParseOptions {
  readonly options: readonly Option[]
  /** The first positional ends the options, as with `run` and `exec`. */
  readonly passesOn: boolean
  /** How help for it is asked for, e.g. `dayfly run --help`. */
  readonly helpCommand: string
}

const written = (name: string): string => (name.length === 1 ? `-${name}` : `--${name}`)

const unknownOption = (raw: string, { options, helpCommand }: ParseOptions): DayflyError => {
  const [name = raw] = raw.split('=')
  // One letter is as near to any other.
  const near = name.startsWith('--')
    ? suggest(
        name,
        options.map(option => `--${option.name}`),
      )
    : undefined
  const instead = helpCommand === 'dayfly run --help' ? dockerOptions.get(name) : undefined
  const meant = instead !== undefined ? `${instead} ` : near === undefined ? '' : `Did you mean ${near}? `
  return new DayflyError('invalid', `${name}: there is no such option`, { field: name, remedy: `${meant}\`${helpCommand}\` lists them.` })
}

const missing = (name: string, value: string): DayflyError =>
  new DayflyError('invalid', `${name}: a value is missing`, { field: name, remedy: `Write it like ${name} ${value}.` })

const switchOf = (name: string, value: string | undefined): boolean => {
  if (value === undefined || value === 'true') return true
  if (value === 'false') return false
  throw new DayflyError('invalid', `${name}: "${value}" is not true or false`, { field: name, remedy: `Write ${name}, or nothing at all.` })
}

/** Throws `invalid` for an unknown option, a missing value, or an option that does not repeat given twice with different values. */
export const parseArguments = (words: readonly string[], parse: ParseOptions): Arguments => {
  const byName = new Map(parse.options.map(option => [option.name, option]))
  const { tokens } = parseArgs({
    args: [...words],
    options: Object.fromEntries(
      parse.options.map(
        ({ name, short, value }) => [name, { type: value === undefined ? 'boolean' : 'string', ...(short === undefined ? {} : { short }) }] as const,
      ),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  })

  const values = new Map<string, string[]>()
  const switches = new Map<string, boolean>()
  let positionals: string[] = []
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue
    if (token.kind === 'positional') {
      if (parse.passesOn) {
        positionals = words.slice(token.index)
        break
      }
      positionals.push(token.value)
      continue
    }
    const option = byName.get(token.name)
    if (option === undefined) throw unknownOption(token.rawName, parse)
    const name = token.rawName
    if (option.value === undefined) {
      switches.set(option.name, switchOf(name, token.value))
    } else {
      if (token.value === undefined) throw missing(name, option.value)
      const before = values.get(option.name) ?? []
      if (before.length > 0 && option.repeats !== true && before[0] !== token.value) {
        throw new DayflyError('invalid', `${name}: given twice, with "${before[0]}" and "${token.value}"`, { field: name, remedy: 'Give it once.' })
      }
      values.set(option.name, option.repeats === true ? [...before, token.value] : [token.value])
    }
  }

  const text = (name: string): string | undefined => values.get(name)?.at(-1)
  return {
    positionals,
    has: name => values.has(name) || switches.has(name),
    flag: name => switches.get(name) ?? false,
    text,
    list: name => values.get(name) ?? [],
    duration: name => {
      const given = text(name)
      return given === undefined ? undefined : parseDuration(given, written(name))
    },
    bytes: name => {
      const given = text(name)
      return given === undefined ? undefined : parseBytes(given, written(name))
    },
    number: name => {
      const given = text(name)
      if (given === undefined) return undefined
      if (!/^-?\d+(\.\d+)?$/.test(given)) {
        throw new DayflyError('invalid', `${written(name)}: "${given}" is not a number`, {
          field: written(name),
          remedy: `Write it like ${written(name)} 2.`,
        })
      }
      return Number(given)
    },
    boolean: name => {
      const given = text(name)
      return given === undefined ? undefined : switchOf(written(name), given)
    },
  }
}

/**
 * Checks the number of positionals against names like `['REF...']`: `NAME` is one, `NAME...` one or more, `[NAME]` none or one, `[NAME...]` any
 * number. Throws `invalid` for one that is missing or too many.
 */
export const checkPositionals = (positionals: readonly string[], takes: readonly string[], helpCommand: string): void => {
  const lacking = takes.filter(name => !name.startsWith('['))[positionals.length]
  const remedy = `\`${helpCommand}\` shows how it is used.`
  if (lacking !== undefined) {
    const name = lacking.replace('...', '')
    throw new DayflyError('invalid', `${name}: is missing`, { field: name, remedy })
  }
  const extra = takes.some(name => name.includes('...')) ? undefined : positionals[takes.length]
  if (extra !== undefined) throw new DayflyError('invalid', `"${extra}" is one argument too many`, { field: 'ARGUMENT', remedy })
}

/** The first positional and the words after it, without a `--` between them: `IMAGE -- COMMAND` and `IMAGE COMMAND` are the same. */
export const passedOn = (positionals: readonly string[]): { first: string; words: readonly string[] } => {
  const [first = '', ...rest] = positionals
  return { first, words: rest[0] === '--' ? rest.slice(1) : rest }
}
