import type { Command } from '../command.ts'
import { freed, merged } from '../removed.ts'

export const command: Command = {
  name: 'image rm',
  takes: ['NAME...'],
  summary: 'Remove images: by name that name, and with its last one the image; by digest all of it.',
  completion: 'image',
  options: [],
  examples: [['dayfly image rm debian:12', 'and the layers that nothing else needs']],
  run: async (context, args) => {
    const removed = []
    for (const name of args.positionals) removed.push(await context.client.removeImage(name))
    const all = merged(removed)
    context.write(context.json ? `${JSON.stringify(all)}\n` : freed(all))
    return 0
  },
}
