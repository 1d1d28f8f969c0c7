import type { Command } from '../command.ts'
import { painter, printable, table, timestamp } from '../output.ts'

export const command: Command = {
  name: 'image blocked',
  takes: [],
  summary: 'List images that are not admitted any more, and why.',
  options: [],
  examples: [['dayfly image blocked --json | jq -r .images[].digest', 'for programs']],
  run: async (context, _args) => {
    const images = await context.client.blockedImages()
    if (context.json) context.write(`${JSON.stringify({ images })}\n`)
    else {
      const rows = images.map(({ digest, name, since, actor, rule, reason }) =>
        [digest, name ?? '-', timestamp(since), rule ?? actor.name, reason].map(printable),
      )
      context.write(table(['DIGEST', 'NAME', 'SINCE', 'BY', 'REASON'], rows, painter(context.colour)))
    }
    return 0
  },
}
