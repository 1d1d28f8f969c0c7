/** Waiting in line for what is over a quota: the option, and what people see of it. */
import type { QueuedView } from '../../api/schemas/environments.ts'
import { DayflyError } from '../../base/errors.ts'
import type { Arguments } from './arguments.ts'
import type { Option } from './option.ts'
import { printable } from './output.ts'

const longest = 86_400_000

export const queueOption: Option = {
  name: 'queue',
  value: 'DURATION',
  help: 'Over a quota, wait in line so long instead of being refused. Ctrl-C leaves the line.',
}

/** ms; undefined: it is to be refused. */
export const queueOf = (args: Arguments): number | undefined => {
  const patience = args.duration('queue')
  if (patience !== undefined && (patience < 1 || patience > longest))
    throw new DayflyError('invalid', '--queue: one waits for 1ms to 24h', { field: '--queue', remedy: 'Write it like --queue 10m.' })
  return patience
}

/** A line for each change of the place: those before it go one after another. */
export const placeTeller =
  (say: (line: string) => void) =>
  ({ place, reason }: QueuedView): void =>
    say(`dayfly: waiting in line: place ${place}: ${printable(reason)}`)
