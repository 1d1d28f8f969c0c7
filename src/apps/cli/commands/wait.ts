import type { Command } from '../command.ts'

export const command: Command = {
  name: 'wait',
  takes: ['REF...'],
  summary: 'Wait until instances end, and print their exit codes.',
  completion: 'instance',
  options: [],
  examples: [['dayfly wait batch', 'prints e.g. 0']],
  run: async (context, args) => {
    const instances = await Promise.all(args.positionals.map(ref => context.client.wait(ref)))
    if (context.json) context.write(`${JSON.stringify({ instances })}\n`)
    else context.write(instances.map(({ exit }) => `${exit?.code ?? 'unknown'}\n`).join(''))
    return 0
  },
}
