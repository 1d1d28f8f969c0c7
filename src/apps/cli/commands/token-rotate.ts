import { given } from '../../../base/given.ts'
import type { Command } from '../command.ts'
import { withDaemon } from '../daemon.ts'
import { newTokenText } from '../token-text.ts'

export const command: Command = {
  name: 'token rotate',
  takes: ['NAME'],
  summary: 'Give a token another secret; the one before stays good for a while.',
  options: [
    { name: 'overlap', value: 'DURATION', help: 'How long the one before stays good. Default: 1h; at most 7d; 0s: not at all.' },
    { name: 'expires', value: 'DURATION', help: 'How long the token is good from now. Default: as before.' },
  ],
  examples: [['dayfly token rotate ci --overlap 1d', 'a day to bring the new one where it is used']],
  run: async (context, args) => {
    const [name = ''] = args.positionals
    const asked = given({ overlap: args.duration('overlap'), expires: args.duration('expires') })
    const made = await withDaemon(context, () => context.client.rotateToken(name, asked))
    context.write(context.json ? `${JSON.stringify(made)}\n` : newTokenText(made))
    return 0
  },
}
