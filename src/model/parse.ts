import type { z } from 'zod'
import { DayflyError } from '../base/errors.ts'

/** `['workloads', 'main', 'limits', 'cpus']` → `workloads.main.limits.cpus`; a key with other characters is quoted. */
const pathOf = (prefix: string, path: readonly PropertyKey[]): string => {
  const rest = path
    .map(part => (typeof part === 'number' ? `[${part}]` : /^[\w-]+$/.test(String(part)) ? `.${String(part)}` : `[${JSON.stringify(String(part))}]`))
    .join('')
  return prefix === '' ? rest.replace(/^\./, '') : `${prefix}${rest}`
}

/** The value as its schema says, or an `invalid` error that names every field at fault. `prefix` is the name of the value itself, or empty. */
export const parse = <S extends z.ZodType>(schema: S, value: unknown, prefix = ''): z.output<S> => {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issues = result.error.issues.map(issue => ({ field: pathOf(prefix, issue.path), message: issue.message }))
  const first = issues[0]
  throw new DayflyError('invalid', issues.map(issue => (issue.field === '' ? issue.message : `${issue.field}: ${issue.message}`)).join('; '), {
    ...(first && first.field !== '' ? { field: first.field } : {}),
  })
}
