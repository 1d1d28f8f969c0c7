import { DayflyError } from '../../../base/errors.ts'
import type { Command } from '../command.ts'
import { daemonArguments, daemonCache } from '../daemon.ts'

export const command: Command = {
  name: 'serve',
  takes: [],
  summary: 'Run the daemon in the foreground.',
  details: [
    'It listens on <run-dir>/dayfly.sock. First it adopts what still lives, finishes what was half ended and undoes what cannot be finished.',
    'SIGTERM and SIGINT stop it; what it started lives on until its lease ends, and is adopted by the next one.',
  ],
  options: [
    {
      name: 'backend',
      value: 'NAME',
      help: 'linux (default, or $DAYFLY_BACKEND), or fake: runs nothing real, needs no root, for tests and demonstrations.',
      completion: ['linux', 'fake'],
    },
    { name: 'group', value: 'NAME', help: 'Lets this group use the socket, which is as good as making its members root.' },
    { name: 'log-level', value: 'LEVEL', help: 'debug, info (default), warn or error.', completion: ['debug', 'info', 'warn', 'error'] },
  ],
  examples: [
    ['dayfly serve', 'on the default folders'],
    ['dayfly serve --state-dir /tmp/d/state --run-dir /tmp/d/run', 'one more daemon, beside the other'],
  ],
  run: async (context, args) => {
    const options = ['backend', 'group', 'log-level'].flatMap(name => {
      const value = args.text(name)
      return value === undefined ? [] : [`--${name}`, value]
    })
    process.execve?.(process.execPath, [process.execPath, ...daemonArguments(context), ...options], { ...process.env, ...daemonCache })
    throw new DayflyError('internal', 'this process could not become the daemon') // It is another program by now.
  },
}
