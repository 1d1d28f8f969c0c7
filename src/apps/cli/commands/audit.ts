import { given } from '../../../base/given.ts'
import type { Command } from '../command.ts'
import { withDaemon } from '../daemon.ts'
import { painter, printable, table, timestamp } from '../output.ts'

export const command: Command = {
  name: 'audit',
  takes: [],
  summary: 'Say who has called what over the network, and what was refused.',
  details: [
    'Also calls about tokens and sessions over the socket. What else its owner changes is in the records: `dayfly events`.',
    'Entries are chained by their hashes. With --verify all are held against them; when one is not what was written, it is said, and the exit code is 1.',
  ],
  options: [
    { name: 'name', value: 'NAME', help: 'Of one caller, e.g. token:ci.' },
    { name: 'route', value: 'ROUTE', help: "Of one route, e.g. 'POST /v1/environments'." },
    { name: 'failed', help: 'Only what was refused or failed.' },
    { name: 'since', value: 'DURATION', help: 'Only of the time since then.' },
    { name: 'verify', help: 'Hold the whole log against its hashes.' },
    { name: 'limit', value: 'NUMBER', help: 'At most so many, the newest. Default: 100; up to 1000.' },
  ],
  examples: [
    ['dayfly audit --failed --since 1d', 'who was turned away'],
    ['dayfly audit --name token:ci', 'what a pipeline did'],
  ],
  run: async (context, args) => {
    const ago = args.duration('since')
    const since = ago === undefined ? undefined : Date.now() - ago
    const failed = args.flag('failed') ? true : undefined
    const asked = given({
      name: args.text('name'),
      route: args.text('route'),
      failed,
      since,
      limit: args.number('limit'),
      verify: args.flag('verify'),
    })
    const { entries, next, verified, broken } = await withDaemon(context, () => context.client.audit(asked))
    if (context.json) context.write(`${JSON.stringify({ entries, next, verified, broken })}\n`)
    else {
      const rows = entries
        .toReversed()
        .map(({ time, kind, name, address, route, ref, status, code, count }) =>
          [
            ...[timestamp(time), name === '' ? kind : name, address === '' ? '-' : address, route === '' ? '-' : route, ref === '' ? '-' : ref],
            ...[`${status}${code === undefined ? '' : ` ${code}`}`, String(count)],
          ].map(printable),
        )
      context.write(table(['TIME', 'WHO', 'FROM', 'ROUTE', 'WHAT', 'ANSWER', 'TIMES'], rows, painter(context.colour)))
      if (broken !== null) context.say(`dayfly: the audit log is not what was written, from entry ${broken} on`)
      else if (verified) context.say('dayfly: the whole audit log is what was written')
    }
    return broken === null ? 0 : 1
  },
}
