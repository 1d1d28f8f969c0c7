import type { Command } from '../command.ts'
import { painter, printable } from '../output.ts'

export const command: Command = {
  name: 'notify test',
  takes: ['[TARGET...]'],
  summary: 'Send a test message to those who are told of detections.',
  details: ['To all targets of the settings, or those that are named: at once, past what waits. Exit code 0: each was sent. 1: one was not.'],
  options: [],
  examples: [
    ['dayfly notify test', 'whether everybody can be reached'],
    ['dayfly notify test soc', 'one of them'],
  ],
  run: async (context, args) => {
    const { results } = await context.client.notifyTest(args.positionals)
    if (context.json) context.write(`${JSON.stringify({ results })}\n`)
    else {
      const paint = painter(context.colour)
      for (const { name, type, failure } of results) {
        const word = failure === null ? paint('green', 'sent  ') : paint('red', 'failed')
        context.write(`${word}  ${printable(`${name} (${type})${failure === null ? '' : `: ${failure}`}`)}\n`)
      }
    }
    return results.some(({ failure }) => failure !== null) ? 1 : 0
  },
}
