/** The operator's quotas: a YAML or JSON file, read when the daemon starts; and what there is of the host. */
import { readFileSync, statfsSync, statSync } from 'node:fs'
import { totalmem } from 'node:os'
import { parse as parseYaml } from 'yaml'
import { z } from 'zod'
import { parseBytes } from '../../base/bytes.ts'
import { DayflyError, messageOf } from '../../base/errors.ts'
import type { HostRoom, Quota, QuotaRules } from '../../engine/quotas.ts'
import { quotaOf } from '../../engine/quotas.ts'
import { parse } from '../../model/parse.ts'
import { TeamName } from '../../model/principal.ts'

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
const OwnerQuota = z.strictObject({
  environments: Count.optional(),
  instances: Count.optional(),
  cpus: z.number().min(0).optional(),
  memory: Bytes.optional(),
  disk: Bytes.optional(),
  startsPerMinute: Count.optional(),
})
const File = z.strictObject({
  each: OwnerQuota.default({}),
  owners: z.record(z.string().min(1), OwnerQuota).default({}),
  eachTeam: OwnerQuota.default({}),
  teams: z.record(TeamName, OwnerQuota).default({}),
  reserve: z.strictObject({ memory: Bytes.default(0), disk: Bytes.default(0) }).prefault({}),
})

/** Bytes that can be had without taking them from anybody. */
const availableMemory = (): number => {
  const [, kilobytes = '0'] = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8')) ?? []
  return Number(kilobytes) * 1024
}

/**
 * ```yaml
 * each: { environments: 20, instances: 100, cpus: 16, memory: 8g, disk: 20g, startsPerMinute: 600 }
 * owners: { ci: { environments: 100 } }   # in place of `each`
 * eachTeam: { memory: 32g }               # of all owners of a team together
 * teams: { shop: { memory: 64g } }        # in place of `eachTeam`
 * reserve: { memory: 1g, disk: 10g }      # of the host
 * ```
 * Throws `invalid` naming the file's member.
 */
export const readQuotas = (path: string): QuotaRules => {
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
  const { each, owners, eachTeam, teams, reserve } = parse(File, content ?? {}, field)
  const given = (quota: z.output<typeof OwnerQuota>): Quota => Object.fromEntries(Object.entries(quota).filter(([, limit]) => limit !== undefined))
  return {
    each: given(each),
    owners: Object.fromEntries(Object.entries(owners).map(([owner, quota]) => [owner, given(quota)])),
    eachTeam: given(eachTeam),
    teams: Object.fromEntries(Object.entries(teams).map(([team, quota]) => [team, given(quota)])),
    reserve,
  }
}

/** File systems that several folders share are one. */
export const hostRoom = (folders: readonly string[]): HostRoom => {
  const places = folders.filter((folder, index) => folders.findIndex(other => statSync(other).dev === statSync(folder).dev) === index)
  return {
    memory: availableMemory,
    size: totalmem(),
    disks: () =>
      places.map(name => {
        const { bavail, blocks, bsize } = statfsSync(name)
        return { name, free: bavail * bsize, size: blocks * bsize }
      }),
  }
}

/** Whether what the owner, or the team, has on disk has to be counted. */
export const hasDiskQuota = (rules: QuotaRules, holder: string): boolean => quotaOf(rules, holder).disk !== undefined
