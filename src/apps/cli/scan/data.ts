/** The vulnerability data that a scan without a daemon matches against. SQLite is loaded only when there are packages. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DayflyError, messageOf } from '../../../base/errors.ts'
import type { VulnerabilityFinding } from '../../../model/finding.ts'
import type { Distribution, Package } from '../../../model/package.ts'
import { packagesText } from '../../../scan/report/report.ts'
import type { VexStatement } from '../../../scan/vulnerabilities/vex.ts'
import type { Context } from '../command.ts'
import { readTextFile } from '../paths.ts'

/** `$XDG_CACHE_HOME/dayfly/vulndb`: what `--db` is where nobody says. */
export const ownData = (env: Context['env']): string => {
  const cache = env['XDG_CACHE_HOME']
  if (cache?.startsWith('/')) return join(cache, 'dayfly/vulndb')
  return join(env['HOME'] ?? '/root', '.cache/dayfly/vulndb')
}

/** The folder of `--db`; without it the user's own data, or else the daemon's where it may be read. */
export const dataFolder = (db: string | undefined, { env, stateDir }: Pick<Context, 'env' | 'stateDir'>): string => {
  if (db !== undefined) return db
  const own = ownData(env)
  const daemons = join(stateDir, 'vulnerabilities')
  return !existsSync(own) && existsSync(daemons) ? daemons : own
}

export interface Matched {
  readonly findings: readonly VulnerabilityFinding[]
  readonly dataFrom: number | undefined
  readonly problems: readonly string[]
}

export interface MatchRequest {
  readonly packages: readonly Package[]
  readonly distribution: Distribution | undefined
  /** Of the data. */
  readonly folder: string
  readonly vex: readonly VexStatement[]
  /** Wall ms. */
  readonly now: number
}

/** Without any data that is one problem, which names all kinds of packages. */
export const matchVulnerabilities = async ({ packages, distribution, folder, vex, now }: MatchRequest): Promise<Matched> => {
  if (packages.length === 0) return { findings: [], dataFrom: undefined, problems: [] }
  const { openVulnerabilities } = await import('../../../scan/vulnerabilities/vulnerabilities.ts')
  using data = openVulnerabilities(folder)
  if (data.version === undefined) {
    const types = [...new Set(packages.map(({ type }) => type))].sort()
    const text = `there is no vulnerability data in ${folder}: ${packagesText(packages.length)} (${types.join(', ')}) not judged; \`dayfly vulndb update --db ${folder}\` fetches some`
    return { findings: [], dataFrom: undefined, problems: [text] }
  }
  return data.match(packages, distribution, now, { vex })
}

/** OpenVEX documents. Throws `invalid` naming file and fault. */
export const readVex = async (files: readonly string[]): Promise<VexStatement[]> => {
  if (files.length === 0) return []
  const { vexStatements } = await import('../../../scan/vulnerabilities/vex.ts')
  const statements: VexStatement[] = []
  for (const file of files) {
    const text = await readTextFile(file, '--vex')
    try {
      if (text.length > 16 * 1024 * 1024) throw new Error('it is longer than 16 MiB')
      statements.push(...vexStatements(JSON.parse(text)))
    } catch (error) {
      throw new DayflyError('invalid', `--vex: ${file}: ${messageOf(error)}`, {
        field: '--vex',
        remedy: 'Name a JSON document by the OpenVEX specification.',
        cause: error,
      })
    }
  }
  return statements
}
