/** Standing still, and what has been used: what the cgroup of a cell alone knows, so that it is true after a restart of the daemon, too. */
import { DayflyError } from '../../base/errors.ts'
import type { Usage } from '../../engine/backend.ts'
import type { Cell } from './cell.ts'

type Grouped = Pick<Cell, 'cgroup'>

/**
 * Resolves when every process stands still. The guard in the group does, too: when the monitor dies now, nobody ends the container but the next look of
 * a daemon at it. The deadline thaws it (native/monitor/deadline.c).
 */
export const pauseCell = ({ cgroup }: Grouped): Promise<void> => cgroup.freeze()

export const resumeCell = ({ cgroup }: Grouped): void => cgroup.thaw()

export const usageOf = ({ cgroup }: Grouped): Usage => ({ cpu: Math.round(cgroup.cpuUsage() / 1000), memory: cgroup.memoryUsage() })

/** What is to begin in a frozen group would freeze on its way in. Throws `wrong_state`. */
export const assertAwake = (id: string, { cgroup }: Grouped): void => {
  if (cgroup.frozen()) throw new DayflyError('wrong_state', `instance ${id} is paused`, { remedy: 'Resume it first.' })
}
