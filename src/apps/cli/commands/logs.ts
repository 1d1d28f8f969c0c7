import { frameKind } from '../../../api/frames.ts'
import { fromErrorDocument } from '../../../api/problems.ts'
import { parseDuration } from '../../../base/durations.ts'
import type { Command } from '../command.ts'
import { momentOf } from '../values.ts'

export const command: Command = {
  name: 'logs',
  takes: ['REF'],
  summary: 'Show the output of an instance; stdout on stdout, stderr on stderr, byte for byte.',
  details: ['It is there from before the first instruction until its retention ends. Reading it is no activity.'],
  completion: 'instance',
  options: [
    { name: 'follow', short: 'f', help: 'Go on until the instance ends.' },
    { name: 'since', value: 'TIME', help: 'Only from then on: 10m (ago), or a date.' },
    { name: 'tail', short: 'n', value: 'LINES', help: 'Only the last lines of what is there already.' },
    { name: 'timestamps', short: 't', help: 'The time before each line.' },
    { name: 'stdout', help: 'Only stdout.' },
    { name: 'stderr', help: 'Only stderr.' },
  ],
  examples: [
    ['dayfly logs -f web', 'as it comes'],
    ['dayfly logs --since 10m --stderr web', 'recent complaints'],
  ],
  run: async (context, args) => {
    const [ref = ''] = args.positionals
    const since = args.text('since')
    const both = args.flag('stdout') === args.flag('stderr')
    const parameters = {
      follow: args.flag('follow'),
      since: since === undefined ? undefined : momentOf(since, '--since', parseDuration),
      tail: args.number('tail'),
      stdout: both || args.flag('stdout'),
      stderr: both || args.flag('stderr'),
    }
    if (context.json || args.flag('timestamps')) {
      const lineStarts = { stdout: true, stderr: true }
      for await (const entry of context.client.logEntries(ref, parameters)) {
        if (context.json) context.write(`${JSON.stringify(entry)}\n`)
        else {
          const data = Buffer.from(entry.data, entry.encoding === 'base64' ? 'base64' : 'utf8')
          const time = lineStarts[entry.stream] ? `${new Date(entry.time).toISOString()} ` : ''
          lineStarts[entry.stream] = data.at(-1) === 10
          process[entry.stream].write(Buffer.concat([Buffer.from(time), data]))
        }
      }
      return 0
    }
    for await (const { kind, payload } of context.client.logs(ref, parameters)) {
      if (kind === frameKind.error) throw fromErrorDocument(JSON.parse(payload.toString()))
      process[kind === frameKind.stderr ? 'stderr' : 'stdout'].write(payload)
    }
    return 0
  },
}
