import type { Command } from '../command.ts'
import { withDaemon } from '../daemon.ts'

export const command: Command = {
  name: 'token revoke',
  takes: ['NAME...'],
  summary: 'Let tokens be good no more, at once, and with them the sessions that were opened by them.',
  options: [],
  examples: [['dayfly token revoke ci', 'by name, or by id']],
  run: async (context, args) => {
    const tokens = []
    for (const ref of args.positionals) tokens.push(await withDaemon(context, () => context.client.revokeToken(ref)))
    context.write(context.json ? `${JSON.stringify({ tokens })}\n` : tokens.map(({ name }) => `${name}\n`).join(''))
    return 0
  },
}
