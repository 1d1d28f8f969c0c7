/** The option for users' own rules of what a secret is. */
import { readFileSync } from 'node:fs'
import type { GitleaksRules } from '../../../scan/secrets/gitleaks.ts'
import type { Option } from '../option.ts'
import { readTextFile } from '../paths.ts'

export const gitleaksOption: Option = {
  ...{ name: 'gitleaks', value: 'FILE', repeats: true, completion: 'file' },
  help: 'Rules for secrets in gitleaks’ TOML, beside Dayfly’s own.',
}

/** Rules in gitleaks' TOML; `warn` is told what of them cannot be honoured. Throws `invalid` naming file, rule and field. */
export const readGitleaks = async (files: readonly string[], warn: (message: string) => void): Promise<GitleaksRules[]> => {
  const read = (path: string): string | undefined => {
    try {
      return readFileSync(path, 'utf8')
    } catch {
      return undefined
    }
  }
  const { parseGitleaks } = await import('../../../scan/secrets/gitleaks.ts')
  const rules: GitleaksRules[] = []
  for (const name of files) rules.push(parseGitleaks({ name, text: await readTextFile(name, '--gitleaks'), read }))
  for (const warning of rules.flatMap(({ warnings }) => warnings)) warn(`dayfly: warning: ${warning}`)
  return rules
}
