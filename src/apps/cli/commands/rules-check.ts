import { formatDiagnostic } from '../../../detect/language/diagnostic.ts'
import type { Command } from '../command.ts'
import { printable } from '../output.ts'
import { aloneOption, readRules } from '../rules.ts'

const counted = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`

export const command: Command = {
  name: 'rules check',
  takes: ['FILE...'],
  summary: 'Load rule files and say what is wrong with them.',
  details: [
    "Files are in the language of Falco's rules; docs/rules.md has it. Everything that is wrong is told at once, with file, line and column. Warnings say what is doubtful, and which rules ask for what Dayfly has not: these are loaded, and never match.",
    'Exit code 0: they can be used. 2: they cannot.',
  ],
  completion: 'file',
  options: [aloneOption],
  examples: [['dayfly rules check rules/', 'before the daemon gets them']],
  run: async (context, args) => {
    const { files, book } = await readRules(args)
    const names = new Set(files.map(({ path }) => path))
    const isTheirs = ({ place }: { readonly place: { readonly file: string } }): boolean => names.has(place.file)
    const { loaded, profiles } = book
    // Dayfly's own are right by themselves; an error in them comes of what the files have changed.
    const { errors } = loaded
    const warnings = loaded.warnings.filter(isTheirs)
    const rules = loaded.rules.filter(isTheirs)
    const patterns = loaded.patterns.filter(isTheirs)
    const inert = rules.filter(({ isInert }) => isInert)
    const code = errors.length > 0 ? 2 : 0
    if (context.json) {
      const told = rules.map(({ name, lacking, isInert }) => ({ name, lacking, inert: isInert }))
      context.write(
        `${JSON.stringify({ files: files.length, rules: told, patterns: patterns.length, profiles: profiles.length, errors, warnings })}\n`,
      )
      return code
    }
    for (const error of errors) context.say(`dayfly: error: ${printable(formatDiagnostic(error))}`)
    for (const warning of warnings) context.say(`dayfly: warning: ${printable(formatDiagnostic(warning))}`)
    const parts = [
      counted(rules.length, 'rule'),
      ...(patterns.length > 0 ? [counted(patterns.length, 'pattern')] : []),
      ...(profiles.length > 0 ? [counted(profiles.length, 'profile')] : []),
    ]
    const never = inert.length > 0 ? `, ${inert.length} of them never ${inert.length === 1 ? 'matches' : 'match'} here` : ''
    const faults = errors.length > 0 ? counted(errors.length, 'error') : 'nothing is wrong'
    context.write(`${counted(files.length, 'file')}: ${parts.join(', ')}${never}; ${faults}, ${counted(warnings.length, 'warning')}\n`)
    return code
  },
}
