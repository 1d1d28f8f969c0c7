import type { Command } from '../command.ts'
import { painter } from '../output.ts'
import { bringIn, dataOptions, formatOption, sourcesOf, statusText } from '../vulnerability-data.ts'

export const command: Command = {
  name: 'vulndb import',
  takes: ['FILE...'],
  summary: 'Bring in vulnerability data from files of this host: all of them, or none.',
  details: ['As `dayfly vulndb update --source`, for what was downloaded elsewhere, and for OpenVEX documents of your own.'],
  completion: 'file',
  options: [formatOption, ...dataOptions],
  examples: [
    ['dayfly vulndb import Debian.zip kev.json epss.csv.gz', 'without a network'],
    ['dayfly vulndb import app.openvex.json', 'what does no harm in your images'],
  ],
  run: async (context, args) => {
    const sources = sourcesOf(args.positionals, 'FILE', args.text('format'))
    const status = await bringIn(context, sources, args.text('db'))
    context.write(context.json ? `${JSON.stringify(status)}\n` : statusText(status, painter(context.colour)))
    return 0
  },
}
