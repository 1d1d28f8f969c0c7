/** Every command by name, in the order of the help, with what loads it. */
import type { CommandSummary } from './command.ts'

export const commands: readonly CommandSummary[] = [
  { name: 'run', summary: 'Run a command in a new environment', load: () => import('./commands/run.ts') },
  { name: 'ps', summary: 'List environments', load: () => import('./commands/ps.ts') },
  { name: 'inspect', summary: 'Show all there is to know of an environment', load: () => import('./commands/inspect.ts') },
  { name: 'logs', summary: 'Show the output of an instance', load: () => import('./commands/logs.ts') },
  { name: 'exec', summary: 'Run one more command in an instance', load: () => import('./commands/exec.ts') },
  { name: 'attach', summary: 'Take part in the first process of an instance', load: () => import('./commands/attach.ts') },
  { name: 'wait', summary: 'Wait until instances end, and print their exit codes', load: () => import('./commands/wait.ts') },
  { name: 'stop', summary: 'Stop instances: the stop signal, then SIGKILL', load: () => import('./commands/stop.ts') },
  { name: 'kill', summary: 'Send a signal to instances', load: () => import('./commands/kill.ts') },
  { name: 'extend', summary: 'Let an environment live longer', load: () => import('./commands/extend.ts') },
  { name: 'down', summary: 'End environments and leave nothing of them', load: () => import('./commands/down.ts') },
  { name: 'events', summary: 'Show what happened', load: () => import('./commands/events.ts') },
  { name: 'image pull', summary: 'Fetch an image', load: () => import('./commands/image-pull.ts') },
  { name: 'image import', summary: 'Make an image of a folder or tar archive', load: () => import('./commands/image-import.ts') },
  { name: 'image ls', summary: 'List images', load: () => import('./commands/image-ls.ts') },
  { name: 'image inspect', summary: 'Show all there is to know of an image', load: () => import('./commands/image-inspect.ts') },
  { name: 'image rm', summary: 'Remove images', load: () => import('./commands/image-rm.ts') },
  { name: 'image gc', summary: 'Remove what nothing needs any more', load: () => import('./commands/image-gc.ts') },
  { name: 'doctor', summary: 'Check this host, or find leaks', load: () => import('./commands/doctor.ts') },
  { name: 'serve', summary: 'Run the daemon', load: () => import('./commands/serve.ts') },
  { name: 'version', summary: 'Print the versions of client and daemon', load: () => import('./commands/version.ts') },
  { name: 'completion', summary: 'Print a completion script for a shell', load: () => import('./commands/completion.ts') },
  { name: 'help', summary: 'Print help', load: () => import('./commands/help.ts') },
  { name: '__complete', summary: 'Words that may come next', hidden: true, load: () => import('./commands/complete.ts') },
]
