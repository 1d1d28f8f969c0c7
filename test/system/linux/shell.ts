/** Scripts of the backend suite as programs for busybox's shell. */
import type { Action, Script } from '../../../src/engine/backend.suite.ts'

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

const line = (action: Action): string => {
  if ('print' in action) return `printf %s ${quote(action.print)}${action.to === 'stderr' ? ' >&2' : ''}`
  if ('lines' in action) return `i=0; while [ $i -lt ${action.lines} ]; do i=$((i+1)); echo "line $i"; done`
  if ('variable' in action) return `printf %s "$${action.variable}"`
  if ('secret' in action) return `cat /run/secrets/${action.secret}`
  if ('echo' in action) return 'cat'
  if ('on' in action) return `trap 'exit ${action.exit}' ${action.on.slice(3)}`
  if ('sleep' in action) return `sleep ${action.sleep / 1000} & wait $!`
  if ('oom' in action) return 'tail -c 1000000000 /dev/zero'
  return `exit ${action.exit}`
}

// A memory limit ends the largest process, which need not be the shell: let there be one process only.
export const shellCommand = (script: Script): string[] => {
  const [first] = script
  if (first !== undefined && 'oom' in first) return ['/usr/bin/tail', '-c', '1000000000', '/dev/zero']
  return ['/bin/sh', '-c', [...script.map(line), 'exit 0'].join('\n')]
}
