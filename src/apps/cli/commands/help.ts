import { DayflyError } from '../../../base/errors.ts'
import type { Command } from '../command.ts'
import { commandHelp, overview } from '../help.ts'

export const command: Command = {
  name: 'help',
  takes: ['[COMMAND...]'],
  summary: 'Print help for Dayfly or for one command.',
  completion: 'command',
  options: [],
  examples: [['dayfly help image pull', 'the same as dayfly image pull --help']],
  run: async (context, args) => {
    const name = args.positionals.join(' ')
    const exact = context.commands.find(command => command.name === name)
    const members = name === '' ? [...context.commands] : context.commands.filter(command => command.name.startsWith(`${name} `))
    if (exact !== undefined) context.write(commandHelp((await exact.load()).command))
    else if (members.length > 0) context.write(overview(members, name))
    else throw new DayflyError('invalid', `${name}: there is no such command`, { field: name, remedy: '`dayfly help` lists them.' })
    return 0
  },
}
