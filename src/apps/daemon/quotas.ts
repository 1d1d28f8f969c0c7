/** The operator's quotas: a YAML or JSON file, read when the daemon starts. */
import { readFileSync } from 'node:fs'
import { parse as parseYaml } from 'yaml'
import { z } from 'zod'
import { parseBytes } from '../../base/bytes.ts'
import { DayflyError, messageOf } from '../../base/errors.ts'
import type { QuotaOptions } from '../../engine/quotas.ts'
import { parse } from '../../model/parse.ts'

const Bytes = z.union([z.int().min(0), z.string()]).transform((value, context) => {
  if (typeof value === 'number') return value
  try {
    return parseBytes(value, 'size')
  } catch {
    context.issues.push({ code: 'custom', message: 'a size like 512m or 4g', input: value })
    return z.NEVER
  }
})
const Count = z.int().min(0)
const Quota = z.strictObject({
  environments: Count.optional(),
  instances: Count.optional(),
  cpus: z.number().min(0).optional(),
  memory: Bytes.optional(),
  startsPerMinute: Count.optional(),
})
const File = z.strictObject({
  each: Quota.default({}),
  owners: z.record(z.string().min(1), Quota).default({}),
  reserve: z.strictObject({ memory: Bytes.default(0) }).prefault({}),
})

/** Bytes that can be had without taking them from anybody. */
const availableMemory = (): number => {
  const [, kilobytes = '0'] = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8')) ?? []
  return Number(kilobytes) * 1024
}

/**
 * ```yaml
 * each: { environments: 20, instances: 100, cpus: 16, memory: 8g, startsPerMinute: 600 }
 * owners: { ci: { environments: 100 } }   # in place of `each`
 * reserve: { memory: 1g }                 # of the host
 * ```
 * Throws `invalid` naming the file's member.
 */
export const readQuotas = (path: string): QuotaOptions => {
  const field = '--quotas'
  let content: unknown
  try {
    content = parseYaml(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new DayflyError('invalid', `${field}: ${path} cannot be read: ${messageOf(error)}`, {
      field,
      remedy: 'Name a YAML or JSON file.',
      cause: error,
    })
  }
  const { each, owners, reserve } = parse(File, content ?? {}, field)
  const given = (quota: z.output<typeof Quota>): QuotaOptions['each'] =>
    Object.fromEntries(Object.entries(quota).filter(([, limit]) => limit !== undefined))
  return {
    each: given(each),
    owners: Object.fromEntries(Object.entries(owners).map(([owner, quota]) => [owner, given(quota)])),
    reserve: reserve.memory,
    available: availableMemory,
  }
}
