/** The daemon's own command line. `dayfly serve` writes it; it is checked all the same. */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { DayflyError, messageOf } from '../../base/errors.ts'
import type { LogLevel } from '../../base/log.ts'
import { isLogLevel } from '../../base/log.ts'

export interface DaemonOptions {
  readonly stateDir: string
  readonly runDir: string
  readonly backend: 'linux' | 'fake'
  /** Lets this group use the socket. */
  readonly group: string | undefined
  readonly logLevel: LogLevel
  /** Print this report as JSON instead of serving. */
  readonly check: 'host' | 'leaks' | undefined
}

const oneOf = <T extends string>(text: string, field: string, values: readonly T[]): T => {
  const found = values.find(value => value === text)
  if (found === undefined)
    throw new DayflyError('invalid', `${field}: "${text}" is not one of ${values.join(', ')}`, {
      field,
      remedy: `Write it like ${field} ${values[0]}.`,
    })
  return found
}

/** Throws `invalid` naming the option. */
export const parseOptions = (words: readonly string[]): DaemonOptions => {
  const { values } = (() => {
    try {
      return parseArgs({
        args: [...words],
        options: {
          'state-dir': { type: 'string', default: '/var/lib/dayfly' },
          'run-dir': { type: 'string', default: '/run/dayfly' },
          backend: { type: 'string', default: process.env['DAYFLY_BACKEND'] ?? 'linux' },
          group: { type: 'string' },
          'log-level': { type: 'string', default: 'info' },
          check: { type: 'string' },
        },
      })
    } catch (error) {
      throw new DayflyError('invalid', messageOf(error), { remedy: 'See `dayfly serve --help`.', cause: error })
    }
  })()
  const level = values['log-level']
  if (!isLogLevel(level))
    throw new DayflyError('invalid', `--log-level: "${level}" is no level`, { field: '--log-level', remedy: 'Write debug, info, warn or error.' })
  return {
    stateDir: resolve(values['state-dir']),
    runDir: resolve(values['run-dir']),
    backend: oneOf(values.backend, '--backend', ['linux', 'fake'] as const),
    group: values.group,
    logLevel: level,
    check: values.check === undefined ? undefined : oneOf(values.check, '--check', ['host', 'leaks'] as const),
  }
}
