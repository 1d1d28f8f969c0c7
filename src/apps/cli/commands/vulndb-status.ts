import type { Command } from '../command.ts'
import { painter } from '../output.ts'
import { dataOptions, statusOf, statusText } from '../vulnerability-data.ts'

export const command: Command = {
  name: 'vulndb status',
  takes: [],
  summary: 'Show what vulnerability data there is: its sources, what it is about, and its age.',
  options: [...dataOptions],
  examples: [
    ['dayfly vulndb status', "the daemon's"],
    ['dayfly vulndb status --db ./vulndb', 'that of a pipeline'],
  ],
  run: async (context, args) => {
    const status = await statusOf(context, args.text('db'))
    context.write(context.json ? `${JSON.stringify(status)}\n` : statusText(status, painter(context.colour)))
    return 0
  },
}
