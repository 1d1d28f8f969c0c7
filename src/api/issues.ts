/** What is wrong with a request, from zod's issues to one `invalid` that names the field, what was given and what would do. */
import type { z } from 'zod'
import { formatBytes } from '../base/bytes.ts'
import { formatDuration } from '../base/durations.ts'
import { DayflyError } from '../base/errors.ts'

const durations = new Set(['lease.ttl', 'lease.idle', 'lease.retention', 'grace', 'ttl'])
const sizes = new Set(['limits.memory', 'limits.io', 'logLimit'])

const remedies: ReadonlyMap<string, string> = new Map([
  ['lease.ttl', 'An environment is ephemeral: ask for 1s to 7d, and move its end later with `dayfly extend`.'],
  ['lease.idle', 'Ask for 1s to 7d.'],
  ['lease.retention', 'Ask for at most 365d.'],
  ['ttl', 'Ask for 1s to 7d from now.'],
  ['limits.cpus', 'Ask for 0.01 cores or more, e.g. 0.5.'],
  ['limits.memory', 'Ask for 4m or more, e.g. 512m.'],
  ['limits.pids', 'Ask for 1 or more; an ordinary service needs a few dozen.'],
  ['limits.io', 'Ask for 64k a second or more.'],
  ['name', 'Use lower-case letters, digits and inner hyphens, at most 63.'],
  ['hostname', 'Use a name like web or web.example.org, at most 64 characters.'],
  ['image', 'Name an image, e.g. debian:12, or a digest sha256:….'],
])

const show = (value: number | bigint, field: string): string => {
  if (durations.has(field)) return formatDuration(Number(value))
  return sizes.has(field) ? formatBytes(Number(value)) : String(value)
}

const fieldOf = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (field, part) => (typeof part === 'number' ? `${field}[${part}]` : field === '' ? String(part) : `${field}.${String(part)}`),
    '',
  )

const at = (input: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((value, part) => (typeof value === 'object' && value !== null ? Reflect.get(value, part) : undefined), input)

const article = (noun: string): string => (/^[aeiou]/.test(noun) ? `an ${noun}` : `a ${noun}`)

/** The fault as the rest of a sentence that begins with the field. Only numbers are repeated: text could be a secret. */
const fault = (issue: z.core.$ZodIssue, field: string, value: unknown): string => {
  const given = typeof value === 'number' ? `${show(value, field)} is ` : ''
  switch (issue.code) {
    case 'invalid_type':
      return value === undefined ? 'is required' : `must be ${article(issue.expected === 'record' ? 'object' : issue.expected)}`
    case 'too_small':
      if (issue.origin === 'array' || issue.origin === 'string') return issue.minimum === 1 ? 'must not be empty' : `needs at least ${issue.minimum}`
      return `${given}too little: at least ${show(issue.minimum, field)}`
    case 'too_big':
      if (issue.origin === 'string') return `is longer than ${issue.maximum} characters`
      if (issue.origin === 'array') return `has more than ${issue.maximum}`
      return `${given}too much: at most ${show(issue.maximum, field)}`
    case 'invalid_value':
      return `must be ${issue.values
        .map(String)
        .join(', ')
        .replace(/, ([^,]*)$/, ' or $1')}`
    case 'unrecognized_keys':
      return 'is not known'
    case 'invalid_key':
      return issue.issues[0]?.message ?? 'has a name that cannot be used'
    default:
      return issue.message
  }
}

/** Throws `invalid` for the first issue when `input` does not fit; returns it with its defaults filled in. `whole` names the input itself. */
export const parseInput = <T extends z.ZodType>(schema: T, input: unknown, whole: string): z.output<T> => {
  const result = schema.safeParse(input)
  if (result.success) return result.data
  const [issue] = result.error.issues
  if (issue === undefined) throw new DayflyError('internal', `${whole} does not fit, and its schema does not say why`)
  const path = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0] ?? ''] : issue.path
  const field = fieldOf(path)
  const named = field === '' ? whole : field
  const remedy = remedies.get(field)
  throw new DayflyError('invalid', `${named}: ${fault(issue, field, at(input, path))}`, { field: named, ...(remedy === undefined ? {} : { remedy }) })
}
