/** What users write for environment variables, labels and secrets. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { DayflyError, messageOf } from '../../base/errors.ts'
import type { Context } from './command.ts'

type Variables = Readonly<Record<string, string | undefined>>

const invalid = (field: string, message: string, remedy: string): DayflyError => new DayflyError('invalid', `${field}: ${message}`, { field, remedy })

/** `NAME=VALUE`; `NAME` takes the caller's value, and is left out where the caller has none, as docker does. */
const variable = (text: string, own: Variables, field: string): [string, string][] => {
  const at = text.indexOf('=')
  const name = at < 0 ? text : text.slice(0, at)
  if (name === '' || /[\s\0]/.test(name))
    throw invalid(field, `"${name}" is not the name of a variable`, 'Write it like NAME=VALUE, or NAME for the value it has here.')
  const value = at < 0 ? own[name] : text.slice(at + 1)
  return value === undefined ? [] : [[name, value]]
}

const readText = (path: string, field: string): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path))
  } catch (error) {
    throw new DayflyError('invalid', `${field}: ${path} cannot be read: ${messageOf(error)}`, {
      field,
      remedy: 'Name a text file that you may read.',
      cause: error,
    })
  }
}

/** Lines of `NAME=VALUE` or `NAME`; empty ones and those that start with `#` are skipped. Values are taken as they are, quotes included. */
const envFile = (path: string, own: Variables): [string, string][] =>
  readText(path, '--env-file')
    .split('\n')
    .flatMap((line, index) => {
      const text = line.replace(/\r$/, '').trimStart()
      return text === '' || text.startsWith('#') ? [] : variable(text, own, `--env-file ${path}:${index + 1}`)
    })

/** Files first, then options; the later wins. */
export const environmentOf = (files: readonly string[], options: readonly string[], own: Variables): Record<string, string> =>
  Object.fromEntries([...files.flatMap(path => envFile(path, own)), ...options.flatMap(option => variable(option, own, '--env'))])

export const labelsOf = (options: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    options.map(option => {
      const at = option.indexOf('=')
      if (at < 1) throw invalid('--label', `"${option}" is not NAME=VALUE`, 'Write it like --label team=blue.')
      return [option.slice(0, at), option.slice(at + 1)]
    }),
  )

const secretRemedy = 'Write it like NAME, NAME=env:VARIABLE, NAME=file:PATH or NAME=cmd:COMMAND.'

const fromEnvironment = (name: string, own: Variables): Buffer => {
  const value = own[name]
  if (value === undefined) throw invalid('--secret', `the environment has no variable ${name}`, secretRemedy)
  return Buffer.from(value)
}

const fromFile = (path: string): Buffer => {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new DayflyError('invalid', `--secret: ${path} cannot be read: ${messageOf(error)}`, {
      field: '--secret',
      remedy: secretRemedy,
      cause: error,
    })
  }
}

/** Its standard output without the last newline. What it prints never gets into a message. */
const fromCommand = (name: string, command: string): Buffer => {
  try {
    const output = execFileSync('/bin/sh', ['-c', command], { stdio: ['inherit', 'pipe', 'inherit'], maxBuffer: 1024 * 1024 })
    return output.at(-1) === 10 ? output.subarray(0, -1) : output
  } catch (error) {
    const status = error instanceof Error && 'status' in error && typeof error.status === 'number' ? ` with exit code ${error.status}` : ''
    throw invalid('--secret', `the command for ${name} failed${status}`, 'It has to print the secret on standard output and exit with 0.')
  }
}

/** Contents by name, base64. */
export const secretsOf = (options: readonly string[], context: Pick<Context, 'env'>): Record<string, string> => {
  const secrets = options.map((option): [string, string] => {
    const at = option.indexOf('=')
    const name = at < 0 ? option : option.slice(0, at)
    const [, kind, rest] = /^(env|file|cmd):(.+)$/s.exec(at < 0 ? `env:${name}` : option.slice(at + 1)) ?? []
    if (name === '' || kind === undefined || rest === undefined)
      throw invalid('--secret', `${name === '' ? 'a name is missing' : `${name} does not say where it comes from`}`, secretRemedy)
    const content = kind === 'env' ? fromEnvironment(rest, context.env) : kind === 'file' ? fromFile(rest) : fromCommand(name, rest)
    return [name, content.toString('base64')]
  })
  const twice = secrets.find(([name], index) => secrets.findIndex(([other]) => other === name) < index)
  if (twice !== undefined) throw invalid('--secret', `${twice[0]} is given twice`, 'Give each secret a name of its own.')
  return Object.fromEntries(secrets)
}

/** Words of a shell-like string are not guessed at: an entry point is one word, or a JSON array of words. */
export const wordsOf = (text: string, field: string): string[] => {
  if (!text.startsWith('[')) return text === '' ? [] : [text]
  try {
    const parsed: unknown = JSON.parse(text)
    if (Array.isArray(parsed) && parsed.every(word => typeof word === 'string')) return parsed
  } catch {
    // Told below.
  }
  throw invalid(field, 'is not a JSON array of strings', `Write it like ${field} /bin/sh or ${field} '["/bin/sh","-c"]'.`)
}

/** A moment: `10m` means ten minutes ago, else a date. Wall clock, ms. */
export const momentOf = (text: string, field: string, parse: (text: string, field: string) => number): number => {
  const date = /^\d{4}-/.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(date)) return date
  try {
    return Date.now() - parse(text, field)
  } catch (error) {
    throw new DayflyError('invalid', `${field}: "${text}" is neither a duration nor a date`, {
      field,
      remedy: 'Write it like 10m (ago) or 2030-01-31T12:00:00Z.',
      cause: error,
    })
  }
}
