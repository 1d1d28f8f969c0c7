import type { Command } from '../command.ts'
import { painter } from '../output.ts'
import { bringIn, dataOptions, formatOption, sourcesOf, statusText } from '../vulnerability-data.ts'

export const command: Command = {
  name: 'vulndb update',
  takes: [],
  summary: 'Fetch vulnerability data: all of the sources or, when one of them fails, none.',
  details: [
    'Without --source: those of before; the first time, the public ones: OSV of the usual ecosystems, the Debian security tracker, CISA KEV and EPSS.',
    'A source is a folder, zip or file of OSV records, the JSON of the Debian security tracker, an EPSS CSV, the KEV catalogue or an OpenVEX document; or an https:// URL of one. Without a network, a mirror: --source DIR.',
    'What runs and what is recorded is held against the new data at once: `dayfly events -f` shows finding.raised.',
  ],
  options: [
    {
      name: 'source',
      value: 'PLACE',
      repeats: true,
      help: 'A folder, a file or a URL. What came from the same place before is replaced.',
      completion: 'file',
    },
    formatOption,
    ...dataOptions,
  ],
  examples: [
    ['dayfly vulndb update', 'all that there was before, anew'],
    ['dayfly vulndb update --source https://mirror.example/osv/Debian.zip', 'one source'],
    ['dayfly vulndb update --source ./osv --db ./vulndb', 'for a pipeline, without a daemon'],
  ],
  run: async (context, args) => {
    const sources = sourcesOf(args.list('source'), '--source', args.text('format'))
    const status = await bringIn(context, sources, args.text('db'))
    context.write(context.json ? `${JSON.stringify(status)}\n` : statusText(status, painter(context.colour)))
    return 0
  },
}
