import type { EnvironmentView } from '../../../api/schemas/environments.ts'
import { formatDuration } from '../../../base/durations.ts'
import type { Command } from '../command.ts'
import type { Paint } from '../output.ts'
import { age, painter, printable, table } from '../output.ts'

const state = (environment: EnvironmentView, paint: Paint): string => {
  const [instance] = environment.instances
  const code = instance?.exit?.code
  if (environment.state === 'ended') {
    const how = `${environment.cause ?? 'ended'}${code === undefined ? '' : ` (${code})`}`
    return environment.cause === 'completed' && code === 0 ? paint('dim', how) : paint('red', how)
  }
  if (environment.state === 'running')
    return instance === undefined || instance.state === 'running' ? paint('green', 'running') : paint('yellow', instance.state)
  return paint('yellow', environment.state)
}

const left = (environment: EnvironmentView, now: number, paint: Paint): string => {
  if (environment.expiresAt === null) return paint('dim', '-')
  const ms = Math.max(0, environment.expiresAt - now)
  const text = `${formatDuration(Math.max(1000, ms))}${environment.expiresBy === 'idle' ? ' (idle)' : ''}`
  return ms < 60_000 ? paint('yellow', text) : text
}

export const command: Command = {
  name: 'ps',
  takes: [],
  summary: 'List environments, newest first.',
  options: [
    { name: 'all', short: 'a', help: 'Ended ones too, as long as their record is kept.' },
    { name: 'label', short: 'l', value: 'NAME=VALUE', repeats: true, help: 'Only those with this label.' },
    { name: 'quiet', short: 'q', help: 'Only ids.' },
  ],
  examples: [
    ['dayfly ps', 'what lives'],
    ['dayfly ps -a --label team=blue', 'what the blue team had'],
    ['dayfly ps --json', 'for programs'],
  ],
  run: async (context, args) => {
    const environments = await context.client.environments({ all: args.flag('all'), label: args.list('label') })
    if (context.json) context.write(`${JSON.stringify({ environments })}\n`)
    else if (args.flag('quiet')) context.write(environments.map(({ id }) => `${id}\n`).join(''))
    else {
      const [now, paint] = [Date.now(), painter(context.colour)]
      const rows = environments.map(environment => [
        environment.id,
        printable(environment.name),
        printable([...new Set(Object.values(environment.workloads).map(({ imageName }) => imageName))].join(', ')),
        state(environment, paint),
        age(environment.createdAt, now),
        left(environment, now, paint),
        environment.instances[0]?.start ?? '-',
      ])
      context.write(table(['ID', 'NAME', 'IMAGE', 'STATE', 'AGE', 'LEASE LEFT', 'START'], rows, paint))
    }
    return 0
  },
}
