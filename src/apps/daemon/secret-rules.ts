/** The operator's own secret rules: gitleaks' files in a folder below the state folder, as they are. Read when the daemon starts. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DayflyError, errnoOf } from '../../base/errors.ts'
import type { RuleFile } from '../../scan/secret-search.ts'

const mostFiles = 100

/** Every `.toml`, in the order of their names. A folder that is not there holds none. What a file extends is looked for in the same folder. */
export const readSecretRules = (folder: string): RuleFile[] => {
  const names = ((): string[] => {
    try {
      return readdirSync(folder).filter(name => name.endsWith('.toml'))
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return []
      throw new DayflyError('host', `the secret rules in ${folder} cannot be read`, { cause: error })
    }
  })()
  if (names.length > mostFiles)
    throw new DayflyError('invalid', `${folder} has ${names.length} files of secret rules, more than ${mostFiles}`, { field: folder })
  const texts = Object.fromEntries(names.sort().map(name => [name, readFileSync(join(folder, name), 'utf8')]))
  return Object.entries(texts).map(([name, text]) => ({ name: join(folder, name), text, extended: texts }))
}
