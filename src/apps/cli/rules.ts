/** Rule files, for the commands that look at rules without a daemon. */
import { DayflyError } from '../../base/errors.ts'
import { readRuleCases } from '../../detect/cases.ts'
import type { RuleBook, RuleFile } from '../../detect/create.ts'
import { readRuleBook } from '../../detect/create.ts'
import type { Arguments } from './arguments.ts'
import type { Option } from './option.ts'
import { documentFiles, readTextFile } from './paths.ts'

export const aloneOption: Option = { name: 'alone', help: "Without Dayfly's own rules, which come first otherwise: files may then not change them." }

export interface RuleReading {
  readonly files: readonly RuleFile[]
  readonly book: RuleBook
}

/** Throws `invalid` for a path without a rule file: silence would be taken for rules that never match. */
export const readRuleFiles = async (args: Arguments): Promise<readonly RuleFile[]> => await ruleFilesOf(args.positionals, 'FILE')

/** `field`: what named them. */
export const ruleFilesOf = async (paths: readonly string[], field: string): Promise<readonly RuleFile[]> => {
  const files: RuleFile[] = []
  for (const path of paths) {
    const found = await documentFiles(path, field)
    if (found.length === 0)
      throw new DayflyError('invalid', `${field}: there is no .yaml, .yml or .json in ${path}`, {
        field,
        remedy: 'Name a folder or file of rules.',
      })
    for (const each of found) files.push({ path: each, text: await readTextFile(each, field) })
  }
  return files
}

/** The rules among them: cases of tests may lie beside them. */
export const readRules = async (args: Arguments): Promise<RuleReading> => {
  const files = (await readRuleFiles(args)).filter(file => readRuleCases(file) === undefined)
  return { files, book: readRuleBook({ dayfly: !args.flag('alone'), files }) }
}
