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
    {
      name: 'listen',
      value: 'ADDRESS',
      help: 'Serve the API over the network too, with TLS and for tokens: an address and a port (7443 when left out). docs/access.md tells more.',
    },
    { name: 'tls', value: 'CERT,KEY', help: 'Files of its certificate and key, PEM. Default: one that is made at the first start and kept.' },
    { name: 'group', value: 'NAME', help: 'Lets this group use the socket, which is as good as making its members root.' },
    {
      name: 'gateway',
      value: 'ADDRESS',
      help: 'Where requests to environments come in: an address of the loopback and a port ($DAYFLY_GATEWAY); 127.0.0.1 and the port of last time by default, else 7878, else a free one.',
    },
    { name: 'gateway-domain', value: 'DOMAIN', repeats: true, help: 'Environments are reached below this domain too: web.shop.DOMAIN.' },
    { name: 'gateway-tls', value: 'ADDRESS', help: 'Where they come in encrypted: any address and a port.' },
    {
      name: 'gateway-certificate',
      value: 'CERT,KEY',
      repeats: true,
      help: 'Files of a certificate and its key, PEM. Chosen by server name; read again when they change.',
    },
    { name: 'quotas', value: 'FILE', help: 'YAML: how much owners may have at once, and what the host keeps for itself.', completion: 'file' },
    { name: 'prices', value: 'FILE', help: 'YAML: what processor time, memory and egress cost, for `dayfly cost`.', completion: 'file' },
    {
      name: 'policies',
      value: 'DIR',
      help: 'Policy files: what may run. They are read again when they change. Default: STATE-DIR/policies.',
      completion: 'file',
    },
    {
      name: 'preset',
      value: 'NAME',
      help: 'Built-in policies in place of what the files say: permissive, standard (where nobody says anything), strict, baseline, restricted.',
      completion: ['permissive', 'standard', 'strict', 'baseline', 'restricted'],
    },
    {
      name: 'build-limits',
      value: 'LIMITS',
      help: 'What one build may use up, like cpus=2,memory=4g,pids=4096,timeout=30m. Default: all cores, half of the memory but no more than 4 GiB, 4096, 30m.',
    },
    {
      name: 'sensor',
      value: 'WHEN',
      help: 'Whether the kernel tells what instances do: auto (default, or $DAYFLY_SENSOR): where this host can; require: nothing starts unseen; off.',
      completion: ['auto', 'require', 'off'],
    },
    { name: 'log-level', value: 'LEVEL', help: 'debug, info (default), warn or error.', completion: ['debug', 'info', 'warn', 'error'] },
  ],
  examples: [
    ['dayfly serve', 'on the default folders'],
    ['dayfly serve --state-dir /tmp/d/state --run-dir /tmp/d/run', 'one more daemon, beside the other'],
  ],
  run: async (context, args) => {
    const options = [
      'backend',
      'group',
      'listen',
      'tls',
      'log-level',
      'quotas',
      'prices',
      'policies',
      'preset',
      'build-limits',
      'gateway',
      'gateway-tls',
      'gateway-certificate',
      'gateway-domain',
      'sensor',
    ].flatMap(name => args.list(name).flatMap(value => [`--${name}`, value]))
    process.execve?.(process.execPath, [process.execPath, ...daemonArguments(context), ...options], { ...process.env, ...daemonCache })
    throw new DayflyError('internal', 'this process could not become the daemon') // It is another program by now.
  },
}
