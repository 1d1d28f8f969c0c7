import { resolve } from 'node:path'
import { reportHtml } from '../../../report/page.ts'
import type { Command } from '../command.ts'
import { writeFile } from '../write-file.ts'

export const command: Command = {
  name: 'report',
  takes: ['ENV'],
  summary: 'Make a page of the whole life of an environment.',
  details: [
    'What ran, from which image, who asked for it, what policy said, a timeline, processes, who talked to whom, findings and what was done about them, what it used and cost, and its seal. Of one ' +
      'that lives, as far as it has come.',
    'The page is one file that needs nothing else: no script, no other origin.',
  ],
  completion: 'environment',
  options: [
    {
      name: 'output',
      short: 'o',
      value: 'FILE',
      help: 'Where to; - is standard output. Default: ID.html in this folder, with --json standard output.',
      completion: 'file',
    },
  ],
  examples: [
    ['dayfly report web -o report.html', 'a page'],
    ["dayfly report web --json | jq '.findings.items[].message'", 'for programs'],
  ],
  run: async (context, args) => {
    const [ref = ''] = args.positionals
    const file = args.text('output') ?? (context.json ? '-' : undefined)
    const report = await context.client.report(ref)
    const text = context.json ? `${JSON.stringify(report)}\n` : reportHtml(report)
    if (file === '-') {
      context.write(text)
      return 0
    }
    const path = resolve(file ?? `${report.environment.id}.html`)
    await writeFile(path, [Buffer.from(text)], '--output')
    context.say(`the report is in ${path}`)
    return 0
  },
}
