import { DayflyError } from '../../../base/errors.ts'
import type { Command } from '../command.ts'

const sinceOf = (text: string): number => {
  const at = Date.parse(text)
  if (Number.isNaN(at)) {
    throw new DayflyError('invalid', `--since: "${text}" is no time`, { field: '--since', remedy: 'Write it like --since 2026-11-23T20:00:00Z.' })
  }
  return at
}

export const command: Command = {
  name: 'notify replay',
  takes: ['[ID]'],
  summary: 'Send again what was sent to those who are told.',
  details: [
    'One by its id, or all since a time. It goes through the queue of its target, with the id that it had: receivers can tell that they have it already.',
  ],
  options: [
    { name: 'since', value: 'TIME', help: 'All that were sent at or after it.' },
    { name: 'target', value: 'NAME', help: 'Only to this one.' },
  ],
  examples: [
    ['dayfly notify replay ek3n8xw2p9qa/17', 'one'],
    ['dayfly notify replay --since 2026-11-23T20:00:00Z --target hook', 'what a receiver has lost'],
  ],
  run: async (context, args) => {
    const [id] = args.positionals
    const [since, target] = [args.text('since'), args.text('target')]
    if ((id === undefined) === (since === undefined)) {
      throw new DayflyError('invalid', 'ID: name one delivery, or --since', { field: 'ID', remedy: '`dayfly notify deliveries` lists them.' })
    }
    const { count } = await context.client.notifyReplay({
      ...(id === undefined ? {} : { id }),
      ...(since === undefined ? {} : { since: sinceOf(since) }),
      ...(target === undefined ? {} : { target }),
    })
    if (context.json) context.write(`${JSON.stringify({ count })}\n`)
    else context.say(`${count} to be sent again`)
    return 0
  },
}
