import type { Command } from '../command.ts'
import { withDaemon } from '../daemon.ts'
import { painter, printable, relative, table } from '../output.ts'

export const command: Command = {
  name: 'token ls',
  takes: [],
  summary: 'List tokens; those that were revoked or have expired too, for 90 days.',
  options: [],
  examples: [['dayfly token ls', 'who may come in, and when each was used last']],
  run: async (context, _args) => {
    const tokens = await withDaemon(context, () => context.client.tokens())
    if (context.json) context.write(`${JSON.stringify({ tokens })}\n`)
    else {
      const now = Date.now()
      const rows = tokens.map(({ id, name, role, teams, state, expiresAt, usedAt, usedFrom }) =>
        [
          ...[name, id, role, teams === 'all' ? 'all' : teams.join(','), state, state === 'active' ? relative(expiresAt, now) : '-'],
          usedAt === null ? 'never' : `${relative(usedAt, now)} from ${usedFrom ?? '?'}`,
        ].map(printable),
      )
      context.write(table(['NAME', 'ID', 'ROLE', 'TEAMS', 'STATE', 'EXPIRES', 'USED'], rows, painter(context.colour)))
    }
    return 0
  },
}
