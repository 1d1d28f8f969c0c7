/**
 * The daemon's own log: one line an entry, JSON when not for a terminal. What happens to environments belongs in the record, not here.
 */
import { DayflyError, errnoOf } from './errors.ts'

const levels = { debug: 10, info: 20, warn: 30, error: 40 } as const
export type LogLevel = keyof typeof levels
export const isLogLevel = (value: string): value is LogLevel => Object.hasOwn(levels, value)

export type LogFields = Readonly<Record<string, unknown>>

export interface Log {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** A log that adds these fields to every entry. */
  with(fields: LogFields): Log
}

export interface LogOptions {
  /** Gets whole lines, newline included. */
  readonly write: (line: string) => void
  readonly level: LogLevel
  /** JSON for machines; otherwise a line for people. */
  readonly json: boolean
  /** Wall clock, ms. */
  readonly now?: () => number
}

/** An error with its chain of causes, without stacks unless it is a bug of ours. */
const describe = (error: unknown, depth = 0): unknown => {
  if (!(error instanceof Error)) return error
  const code = error instanceof DayflyError ? error.code : errnoOf(error)
  const bug = code === undefined || code === 'internal'
  return {
    message: error.message,
    ...(code === undefined ? {} : { code }),
    ...(bug && error.stack !== undefined ? { stack: error.stack } : {}),
    ...(error.cause === undefined || depth > 4 ? {} : { cause: describe(error.cause, depth + 1) }),
  }
}

const plain = (value: unknown): unknown => {
  const described = describe(value)
  return typeof described === 'bigint' ? described.toString() : described
}

/** Text from outside may hold control characters: they must neither break the line nor reach a terminal. */
const printable = (text: string): string =>
  text.replaceAll(/[\p{Cc}\u2028\u2029]/gu, found => JSON.stringify(found).slice(1, -1).replace(found, '\ufffd'))

const forPeople = (value: unknown): string => {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value))
  return printable(typeof value === 'string' && /[\s"=]/.test(text) ? JSON.stringify(text) : text)
}

export const createLog = (options: LogOptions, fields: LogFields = {}): Log => {
  const now = options.now ?? Date.now
  const entry =
    (level: LogLevel) =>
    (message: string, more: LogFields = {}): void => {
      if (levels[level] < levels[options.level]) return
      const time = new Date(now()).toISOString()
      const all = Object.entries({ ...fields, ...more }).filter(([, value]) => value !== undefined)
      if (options.json) {
        options.write(`${JSON.stringify({ time, level, message, ...Object.fromEntries(all.map(([key, value]) => [key, plain(value)])) })}\n`)
      } else {
        const rest = all.map(([key, value]) => ` ${key}=${forPeople(plain(value))}`).join('')
        options.write(`${time.slice(11, 23)} ${level.padEnd(5)} ${printable(message)}${rest}\n`)
      }
    }
  return {
    debug: entry('debug'),
    info: entry('info'),
    warn: entry('warn'),
    error: entry('error'),
    with: more => createLog(options, { ...fields, ...more }),
  }
}

/** A log to standard error: lines for people on a terminal, JSON otherwise. */
export const stderrLog = (level: LogLevel): Log => createLog({ write: line => void process.stderr.write(line), level, json: !process.stderr.isTTY })

/** A log that keeps nothing. */
export const silentLog = (): Log => createLog({ write: () => {}, level: 'error', json: true })
