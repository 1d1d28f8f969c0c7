import { DayflyError } from '../../../base/errors.ts'
import { carry } from '../carry.ts'
import type { Command } from '../command.ts'
import { defaultDetachKeys, parseDetachKeys } from '../detach-keys.ts'
import { jsonWatchers } from '../json-frames.ts'

export const command: Command = {
  name: 'attach',
  takes: ['REF'],
  summary: 'Take part in the first process of an instance: its output from now on, our input, signals.',
  details: [
    'Input is passed on where it was started with -i. The end of ours is not: whoever attaches next can go on. `dayfly logs` shows what was printed before.',
    'On its terminal (-t), ctrl-p ctrl-q lets go of it, and so does any signal. Without one, signals are passed on.',
    'The exit code is that of the process; 0 after the detach keys.',
  ],
  minds: 'broken pipes',
  completion: 'instance',
  options: [
    { name: 'no-stdin', help: 'Only read along.' },
    {
      name: 'sig-proxy',
      value: 'BOOL',
      help: 'Whether signals are passed on. Default: true, but false with a terminal.',
      completion: ['true', 'false'],
    },
    { name: 'detach-keys', value: 'KEYS', help: 'Default: ctrl-p,ctrl-q.' },
  ],
  examples: [
    ['dayfly attach shell', 'back to a sandbox that was left with ctrl-p ctrl-q'],
    ['echo reload | dayfly attach web', 'a line for a service that reads its input'],
  ],
  run: async (context, args) => {
    const [ref = ''] = args.positionals
    const detachKeys = parseDetachKeys(args.text('detach-keys') ?? defaultDetachKeys, '--detach-keys')
    const sigProxy = args.boolean('sig-proxy')
    const instance = await context.client.instance(ref)
    const { name, workloads } = await context.client.environment(instance.environment)
    const workload = workloads[instance.workload]
    const stdin = workload?.stdin === true && !args.flag('no-stdin')
    const tty = workload?.tty === true
    if (stdin && tty && !process.stdin.isTTY) {
      throw new DayflyError('invalid', '--no-stdin: it has a terminal, and our standard input is none', {
        field: '--no-stdin',
        remedy: 'Give --no-stdin to only read along.',
      })
    }
    const stream = await context.client.attach(instance.id)
    const watchers = context.json ? jsonWatchers(context.write) : {}
    return await carry(stream, {
      stdin,
      takesUp: true,
      tty: tty && process.stdin.isTTY === true && process.stdout.isTTY === true,
      signals: (sigProxy ?? !tty) ? 'pass' : 'detach',
      detachKeys,
      say: context.say,
      onUnread: async () => stream.end(),
      watchers: {
        ...watchers,
        onDetached: () => {
          watchers.onDetached?.()
          if (!context.json) context.say(`\ndayfly: detached; it lives until its lease ends, and \`dayfly attach ${name}\` takes it up again`)
        },
      },
    })
  },
}
