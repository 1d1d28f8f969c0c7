import type { Command } from '../command.ts'
import { freed } from '../removed.ts'

export const command: Command = {
  name: 'image gc',
  takes: [],
  summary: 'Remove images without a name, and layers that nothing needs. What a living environment uses stays.',
  options: [{ name: 'all', short: 'a', help: 'Also images that have a name.' }],
  examples: [['dayfly image gc --all', 'everything that nothing uses now']],
  run: async (context, args) => {
    const removed = await context.client.collectImages(args.flag('all'))
    context.write(context.json ? `${JSON.stringify(removed)}\n` : freed(removed))
    return 0
  },
}
