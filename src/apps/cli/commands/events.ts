import { parseDuration } from '../../../base/durations.ts'
import type { Event } from '../../../model/event.ts'
import type { Command } from '../command.ts'
import type { Paint } from '../output.ts'
import { painter, printable } from '../output.ts'
import { momentOf } from '../values.ts'

const lineOf = (event: Event, paint: Paint): string => {
  const about = event.instance === undefined ? event.environment : `${event.environment}/${event.instance}`
  const actor = event.actor.kind === 'user' ? ` by ${event.actor.name}` : ''
  return `${paint('dim', new Date(event.time).toISOString())}  ${event.type.padEnd(20)}  ${about}  ${printable(event.reason)}${printable(actor)}\n`
}

export const command: Command = {
  name: 'events',
  takes: [],
  summary: 'Show what happened, oldest first, of one environment or of all.',
  options: [
    { name: 'environment', value: 'REF', help: 'Only the record of this one.', completion: 'environment' },
    { name: 'follow', short: 'f', help: 'Go on with what comes.' },
    { name: 'since', value: 'TIME', help: 'Only from then on: 10m (ago), or a date.' },
    { name: 'after', value: 'CURSOR', help: 'Only entries after this one: nothing twice, nothing missed.' },
  ],
  examples: [
    ['dayfly events -f --since 1m', 'as it happens'],
    ['dayfly events --environment web --json', 'the record of one environment, with its hashes'],
  ],
  run: async (context, args) => {
    const since = args.text('since')
    const parameters = {
      environment: args.text('environment'),
      since: since === undefined ? undefined : momentOf(since, '--since', parseDuration),
      after: args.number('after'),
    }
    const paint = painter(context.colour)
    const print = (event: Event): void => context.write(context.json ? `${JSON.stringify(event)}\n` : lineOf(event, paint))
    if (args.flag('follow')) for await (const event of context.client.follow(parameters)) print(event)
    else for (const event of await context.client.events(parameters)) print(event)
    return 0
  },
}
