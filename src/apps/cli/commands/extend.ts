import { formatDuration, parseDuration } from '../../../base/durations.ts'
import type { Command } from '../command.ts'

export const command: Command = {
  name: 'extend',
  takes: ['REF', 'DURATION'],
  summary: 'Let an environment live so long from now, within the longest life there is (7d).',
  completion: 'environment',
  options: [],
  examples: [['dayfly extend web 2h', 'two more hours, counted from now']],
  run: async (context, args) => {
    const [ref = '', duration = ''] = args.positionals
    const environment = await context.client.extend(ref, parseDuration(duration, 'DURATION'))
    const left = environment.expiresAt === null ? '' : `: ends in ${formatDuration(Math.max(0, environment.expiresAt - Date.now()))}`
    context.write(context.json ? `${JSON.stringify(environment)}\n` : `${environment.id}${left}\n`)
    return 0
  },
}
