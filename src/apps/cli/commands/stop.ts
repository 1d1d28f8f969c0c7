import type { Command } from '../command.ts'

export const command: Command = {
  name: 'stop',
  takes: ['REF...'],
  summary: 'Stop instances: their stop signal first, SIGKILL after their grace.',
  completion: 'instance',
  options: [{ name: 'grace', value: 'DURATION', help: "From the stop signal to SIGKILL. Default: the workload's." }],
  examples: [['dayfly stop --grace 2s web', 'two seconds to finish']],
  run: async (context, args) => {
    const grace = args.duration('grace')
    const instances = await Promise.all(args.positionals.map(ref => context.client.stop(ref, grace)))
    context.write(context.json ? `${JSON.stringify({ instances })}\n` : instances.map(({ id }) => `${id}\n`).join(''))
    return 0
  },
}
