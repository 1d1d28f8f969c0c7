import { DayflyError } from '../../../base/errors.ts'
import { passedOn } from '../arguments.ts'
import { carry } from '../carry.ts'
import type { Command } from '../command.ts'
import { jsonWatchers } from '../json-frames.ts'
import { environmentOf } from '../values.ts'

export const command: Command = {
  name: 'exec',
  takes: ['REF', 'COMMAND...'],
  summary: 'Run one more command in an instance, under the same limits.',
  details: ['The exit code is that of the command, as with `dayfly run`. When the client goes away, the command is hung up.'],
  passesOn: true,
  minds: 'broken pipes',
  completion: 'instance',
  options: [
    { name: 'interactive', short: 'i', help: 'Pass our standard input on.' },
    { name: 'tty', short: 't', help: 'Give it a terminal.' },
    { name: 'env', short: 'e', value: 'NAME[=VALUE]', repeats: true, help: "Added to the instance's environment." },
    { name: 'env-file', value: 'FILE', repeats: true, help: 'File with a NAME=VALUE on each line.', completion: 'file' },
    { name: 'user', short: 'u', value: 'USER[:GROUP]', help: "Default: the instance's." },
    { name: 'workdir', short: 'w', value: 'FOLDER', help: "Default: the instance's." },
  ],
  examples: [
    ['dayfly exec -it web sh', 'a shell in it'],
    ['tar c src | dayfly exec -i web -- tar x -C /srv', 'files into it'],
  ],
  run: async (context, args) => {
    const { first: ref, words } = passedOn(args.positionals)
    if (words.length === 0)
      throw new DayflyError('invalid', 'COMMAND: is missing', { field: 'COMMAND', remedy: 'Write it like `dayfly exec web -- ls`.' })
    const tty = args.flag('tty')
    if (tty && !(process.stdin.isTTY && process.stdout.isTTY)) {
      throw new DayflyError('invalid', '--tty: standard input and output are not a terminal', {
        field: '--tty',
        remedy: 'Leave --tty out where there is no terminal.',
      })
    }
    const [user, workdir] = [args.text('user'), args.text('workdir')]
    const stream = await context.client.exec(ref, {
      command: [...words],
      env: { ...(tty ? { TERM: context.env['TERM'] ?? 'xterm' } : {}), ...environmentOf(args.list('env-file'), args.list('env'), context.env) },
      tty,
      rows: process.stdout.rows ?? 24,
      columns: process.stdout.columns ?? 80,
      ...(user === undefined ? {} : { user }),
      ...(workdir === undefined ? {} : { workdir }),
    })
    return await carry(stream, {
      alreadyStarted: true,
      stdin: args.flag('interactive'),
      tty,
      signals: 'escalate',
      say: context.say,
      onUnread: async () => stream.end(),
      watchers: context.json ? jsonWatchers(context.write) : {},
    })
  },
}
