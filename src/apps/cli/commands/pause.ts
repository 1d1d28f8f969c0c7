import type { Command } from '../command.ts'

export const command: Command = {
  name: 'pause',
  takes: ['REF...'],
  summary: 'Freeze environments: nothing of them runs, and nothing is lost.',
  details: ['A request, an exec or `dayfly resume` wakes one. Its ttl runs on.'],
  completion: 'environment',
  options: [],
  examples: [['dayfly pause shop', 'nothing runs until somebody comes']],
  run: async (context, args) => {
    const environments = await Promise.all(args.positionals.map(ref => context.client.pause(ref)))
    context.write(context.json ? `${JSON.stringify({ environments })}\n` : environments.map(({ id }) => `${id}\n`).join(''))
    return 0
  },
}
