/** What instances did, as the daemon's own thread reads it: the file is opened once somebody asks, for another thread makes it. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Log } from '../../base/log.ts'
import type { ActivityReader } from '../../store/activity/activity-store.ts'
import { openActivityReader } from '../../store/activity/open.ts'

export interface ActivityReading extends Disposable {
  /** undefined: nothing was ever kept on this host. */
  current(): ActivityReader | undefined
}

export const createActivityReading = (stateDir: string, log: Log): ActivityReading => {
  const path = join(stateDir, 'activity.sqlite')
  let reader: ActivityReader | undefined
  return {
    current: () => {
      if (reader === undefined && existsSync(path)) {
        reader = openActivityReader({
          path,
          onProblem: ({ environment, block, message }) => log.warn('a block of activity is damaged', { environment, block, message }),
        })
      }
      return reader
    },
    [Symbol.dispose]: () => reader?.[Symbol.dispose](),
  }
}
