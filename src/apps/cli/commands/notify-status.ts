import type { Command } from '../command.ts'
import { painter, printable, table } from '../output.ts'

export const command: Command = {
  name: 'notify status',
  takes: [],
  summary: 'Show what waits for those who are told of detections, and what does not arrive.',
  options: [],
  examples: [['dayfly notify status', 'by target']],
  run: async (context, _args) => {
    const { targets } = await context.client.notifyState()
    if (context.json) context.write(`${JSON.stringify({ targets })}\n`)
    else {
      const rows = targets.map(({ name, type, waiting, delivered, lost, failure }) =>
        [name, type, String(waiting), String(delivered), String(lost), failure ?? '-'].map(printable),
      )
      context.write(table(['TARGET', 'TYPE', 'WAITING', 'DELIVERED', 'LEFT OUT', 'FAILURE'], rows, painter(context.colour)))
    }
    return 0
  },
}
