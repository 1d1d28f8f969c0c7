import { DayflyError } from '../../../base/errors.ts'
import { given } from '../../../base/given.ts'
import { Role } from '../../../model/principal.ts'
import type { Command } from '../command.ts'
import { withDaemon } from '../daemon.ts'
import { newTokenText } from '../token-text.ts'

const roleOf = (text: string | undefined): Role => {
  const found = Role.options.find(role => role === text)
  if (found !== undefined) return found
  throw new DayflyError('invalid', text === undefined ? '--role: it is missing' : `--role: "${text}" is no role`, {
    field: '--role',
    remedy: `Write ${Role.options.join(', ')}.`,
  })
}

export const command: Command = {
  name: 'token create',
  takes: ['NAME'],
  summary: 'Make a token, with which programs and people use the API over the network.',
  details: [
    'It is printed once and kept nowhere. Give it as DAYFLY_TOKEN, with DAYFLY_HOST and, for a certificate of its own, DAYFLY_CA.',
    'viewer reads what is of its teams; developer makes, changes and ends it too. operator, security and admin are of all teams: docs/access.md has who may what.',
  ],
  options: [
    { name: 'role', value: 'ROLE', help: 'viewer, developer, operator, security or admin.', completion: Role.options },
    { name: 'team', value: 'NAME', repeats: true, help: 'Of viewers and developers: whose environments. The first one is that of new ones.' },
    { name: 'expires', value: 'DURATION', help: 'How long it is good. Default: 90d; at most 366d.' },
  ],
  examples: [['dayfly token create ci --role developer --team shop --expires 30d', 'for a pipeline']],
  run: async (context, args) => {
    const [name = ''] = args.positionals
    const asked = { name, role: roleOf(args.text('role')), teams: [...args.list('team')], ...given({ expires: args.duration('expires') }) }
    const made = await withDaemon(context, () => context.client.createToken(asked))
    context.write(context.json ? `${JSON.stringify(made)}\n` : newTokenText(made))
    return 0
  },
}
