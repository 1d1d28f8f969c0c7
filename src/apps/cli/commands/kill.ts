import type { Command } from '../command.ts'

export const command: Command = {
  name: 'kill',
  takes: ['REF...'],
  summary: 'Send a signal to the first process of instances.',
  completion: 'instance',
  options: [{ name: 'signal', short: 's', value: 'SIGNAL', help: 'Default: SIGKILL.' }],
  examples: [['dayfly kill -s HUP web', 'have it read its configuration again']],
  run: async (context, args) => {
    const name = `SIG${(args.text('signal') ?? 'KILL').toUpperCase().replace(/^SIG/, '')}`
    const instances = await Promise.all(args.positionals.map(ref => context.client.kill(ref, name)))
    context.write(context.json ? `${JSON.stringify({ instances })}\n` : instances.map(({ id }) => `${id}\n`).join(''))
    return 0
  },
}
