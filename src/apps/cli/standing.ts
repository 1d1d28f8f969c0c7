/** How the workloads of an environment stand, while one waits for them: a table that is drawn over itself on a terminal, else a line for each change. */
import type { WorkloadView } from '../../api/schemas/workloads.ts'
import type { Paint } from './output.ts'
import { painter, printable, table } from './output.ts'

export const stateText = ({ state }: WorkloadView, paint: Paint): string => {
  if (state === 'ready') return paint('green', state)
  if (state === 'failed') return paint('red', state)
  return state === 'completed' || state === 'idle' || state === 'stopped' ? paint('dim', state) : paint('yellow', state)
}

export const counts = ({ ready, wanted }: WorkloadView): string => `${ready}/${wanted}`

export interface Standing {
  show(workloads: readonly WorkloadView[]): void
  /** Takes the table away; lines stay. */
  clear(): void
}

const settled = new Set<WorkloadView['state']>(['ready', 'completed', 'idle', 'stopped'])
const isOld = ({ outdated, state }: WorkloadView['instances'][number]): boolean =>
  outdated && (state === 'pending' || state === 'created' || state === 'running')

/** Nothing more will happen by itself that one should wait for: also no instance of an older specification is left. */
export const isSettled = ({ state, instances }: WorkloadView): boolean => settled.has(state) && !instances.some(isOld)

const onTerminal = (to: NodeJS.WriteStream): Standing => {
  const paint = painter(process.env['NO_COLOR'] === undefined)
  let drawn = 0
  const clear = (): void => {
    if (drawn > 0) to.write(`\u001b[${drawn}A\u001b[J`)
    drawn = 0
  }
  return {
    clear,
    show: workloads => {
      clear()
      const room = Math.max(1, (to.rows ?? 24) - 3)
      const reasonWidth = Math.max(20, (to.columns ?? 80) - 40)
      const rows = workloads
        .slice(0, room)
        .map(workload => [printable(workload.name), stateText(workload, paint), counts(workload), printable(workload.reason).slice(0, reasonWidth)])
      to.write(table(['WORKLOAD', 'STATE', 'READY', ''], rows, paint))
      drawn = rows.length + 1
    },
  }
}

const asLines = (say: (line: string) => void): Standing => {
  const last = new Map<string, string>()
  return {
    clear: () => {},
    show: workloads => {
      for (const workload of workloads) {
        const state = workload.instances.some(isOld) ? `${workload.state}, being replaced` : workload.state
        const line = `${printable(workload.name)}: ${state}${workload.reason === '' ? '' : `: ${printable(workload.reason)}`}`
        if (last.get(workload.name) === line) continue
        last.set(workload.name, line)
        say(line)
      }
    },
  }
}

/** `say` is for lines. Nothing is shown where standard error is not to be read by people. */
export const createStanding = (quiet: boolean, say: (line: string) => void): Standing => {
  if (quiet) return { show: () => {}, clear: () => {} }
  return process.stderr.isTTY ? onTerminal(process.stderr) : asLines(say)
}
