import type { Command } from '../command.ts'

export const command: Command = {
  name: 'resume',
  takes: ['REF...'],
  summary: 'Let paused environments go on.',

  completion: 'environment',
  options: [],
  examples: [['dayfly resume shop', 'at once']],
  run: async (context, args) => {
    const environments = await Promise.all(args.positionals.map(ref => context.client.resume(ref)))
    context.write(context.json ? `${JSON.stringify({ environments })}\n` : environments.map(({ id }) => `${id}\n`).join(''))
    return 0
  },
}
