import type { EnvironmentView } from '../../../api/schemas/environments.ts'
import { DayflyError } from '../../../base/errors.ts'
import { environmentName } from '../../../compose/draft.ts'
import type { Arguments } from '../arguments.ts'
import type { Command, Context } from '../command.ts'
import { loadProject, projectOptions } from '../project.ts'

/** Of the environment that the files of `-f` make. */
const nameOf = async (context: Context, args: Arguments): Promise<string[]> =>
  args.list('file').length === 0 ? [] : [environmentName((await loadProject(context, args, [])).project.name)]

export const command: Command = {
  name: 'down',
  takes: ['[REF...]'],
  summary: 'End environments; returns when nothing is left of them but their record.',
  completion: 'environment',
  options: [
    ...projectOptions,
    { name: 'all', help: 'All that live.' },
    { name: 'label', short: 'l', value: 'NAME=VALUE', repeats: true, help: 'With --all: only those with this label.' },
    { name: 'force', help: 'Without the stop signal and its grace.' },
  ],
  examples: [
    ['dayfly down web', 'politely'],
    ['dayfly down -f compose.yaml', 'the environment that `dayfly up` makes of it'],
    ['dayfly down --all --label pr=117 --force', 'everything of one pull request, at once'],
  ],
  run: async (context, args) => {
    const all = args.flag('all')
    const files = args.list('file')
    if (all === args.positionals.length + files.length > 0) {
      throw new DayflyError('invalid', all ? 'REF: --all already means every environment' : 'REF: is missing', {
        field: 'REF',
        remedy: 'Name environments, or the files of one with -f, or give --all.',
      })
    }
    const refs = all
      ? (await context.client.environments({ label: args.list('label') })).map(({ id }) => id)
      : [...args.positionals, ...(await nameOf(context, args))]
    const outcomes = await Promise.allSettled(refs.map(ref => context.client.end(ref, { force: args.flag('force') })))
    const ended = outcomes
      .filter((outcome): outcome is PromiseFulfilledResult<EnvironmentView> => outcome.status === 'fulfilled')
      .map(({ value }) => value)
    context.write(context.json ? `${JSON.stringify({ environments: ended })}\n` : ended.map(({ id }) => `${id}\n`).join(''))
    const failed = outcomes.find(outcome => outcome.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    return 0
  },
}
