import type { Command } from '../command.ts'
import { painter, printable, table } from '../output.ts'

export const command: Command = {
  name: 'notify deliveries',
  takes: [],
  summary: 'List what was sent to those who are told, the oldest first.',
  details: ['Of each target the last 1,000 are kept. `dayfly notify replay` sends them again.'],
  options: [{ name: 'target', value: 'NAME', help: 'Only of this one.' }],
  examples: [['dayfly notify deliveries --target hook', 'of one target']],
  run: async (context, args) => {
    const target = args.text('target')
    const { deliveries } = await context.client.notifyDeliveries(target)
    if (context.json) context.write(`${JSON.stringify({ deliveries })}\n`)
    else {
      const rows = deliveries.map(({ target, id, at, outcome, text }) => [new Date(at).toISOString(), target, id, outcome, text].map(printable))
      context.write(table(['AT', 'TARGET', 'ID', 'OUTCOME', 'TEXT'], rows, painter(context.colour)))
    }
    return 0
  },
}
