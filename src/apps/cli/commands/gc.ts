import { readFileSync } from 'node:fs'
import type { EnvironmentView } from '../../../api/schemas/environments.ts'
import { DayflyError, messageOf } from '../../../base/errors.ts'
import type { Command } from '../command.ts'
import { printable } from '../output.ts'
import { sourceLabel } from '../request.ts'

/** What is still open: a source (`URL@REF`) or a ref alone, one a line; empty lines and those that begin with `#` are skipped. */
const readOpen = (path: string): ReadonlySet<string> => {
  try {
    const lines = readFileSync(path === '-' ? 0 : path, 'utf8').split('\n')
    return new Set(lines.map(line => line.trim()).filter(line => line !== '' && !line.startsWith('#')))
  } catch (error) {
    throw new DayflyError('invalid', `--keep-open: ${path} cannot be read: ${messageOf(error)}`, {
      field: '--keep-open',
      remedy: 'Name a file with a source or ref on each line, or - for standard input.',
      cause: error,
    })
  }
}

const isOpen = (source: string, open: ReadonlySet<string>): boolean => {
  const at = source.lastIndexOf('@')
  return open.has(source) || (at >= 0 && open.has(source.slice(at + 1)))
}

export const command: Command = {
  name: 'gc',
  takes: [],
  summary: 'End environments whose source is gone.',
  details: ['Sources are what `dayfly up --source URL@REF` has said; environments without one stay.'],
  options: [
    { name: 'keep-open', value: 'FILE', help: 'What is still open: a source or ref on each line; - is standard input.', completion: 'file' },
    { name: 'dry-run', help: 'Only say what would end.' },
    { name: 'force', help: 'Without stop signals and their grace.' },
  ],
  examples: [['git ls-remote --heads origin | sed "s|.*refs/heads/||" | dayfly gc --keep-open -', 'ends previews of branches that are gone']],
  run: async (context, args) => {
    const path = args.text('keep-open')
    if (path === undefined)
      throw new DayflyError('invalid', '--keep-open: is missing', { field: '--keep-open', remedy: 'Name a file with what is still open.' })
    const open = readOpen(path)
    const sourceOf = ({ labels }: EnvironmentView): string => labels[sourceLabel] ?? ''
    const going = (await context.client.environments({})).filter(environment => sourceOf(environment) !== '' && !isOpen(sourceOf(environment), open))
    const line = (environment: EnvironmentView): string => `${environment.name}  ${printable(sourceOf(environment))}\n`
    if (args.flag('dry-run')) {
      context.write(context.json ? `${JSON.stringify({ environments: going })}\n` : going.map(line).join(''))
      return 0
    }
    const outcomes = await Promise.allSettled(going.map(({ id }) => context.client.end(id, { force: args.flag('force') })))
    const ended = outcomes.flatMap(outcome => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    context.write(context.json ? `${JSON.stringify({ environments: ended })}\n` : ended.map(line).join(''))
    const failed = outcomes.find(outcome => outcome.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    return 0
  },
}
