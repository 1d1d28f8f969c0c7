import type { Command } from '../command.ts'

export const command: Command = {
  name: 'resume',
  takes: ['REF...'],
  summary: 'Let environments go on that are paused, or frozen because of what was detected in them.',
  details: [
    'What was frozen by a detection goes on by this alone: no request, and no end of a pause, thaws it. Look at it first: dayfly events, dayfly forensics.',
  ],

  completion: 'environment',
  options: [],
  examples: [['dayfly resume shop', 'at once']],
  run: async (context, args) => {
    const environments = await Promise.all(args.positionals.map(ref => context.client.resume(ref)))
    context.write(context.json ? `${JSON.stringify({ environments })}\n` : environments.map(({ id }) => `${id}\n`).join(''))
    return 0
  },
}
