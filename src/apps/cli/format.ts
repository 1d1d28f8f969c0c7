import { DayflyError } from '../../base/errors.ts'
import type { Arguments } from './arguments.ts'

/** The value of `--format`, else json with `--json`, else the first of `formats`. Throws `invalid`. */
export const formatOf = <F extends string>(args: Arguments, json: boolean, formats: readonly [F, ...F[]]): F => {
  const text = args.text('format')
  if (text === undefined) return (json ? formats.find(format => format === 'json') : undefined) ?? formats[0]
  const found = formats.find(format => format === text)
  if (found !== undefined) return found
  throw new DayflyError('invalid', `--format: "${text}" is none of ${formats.join(', ')}`, {
    field: '--format',
    remedy: `Write it like --format ${formats[1] ?? formats[0]}.`,
  })
}
