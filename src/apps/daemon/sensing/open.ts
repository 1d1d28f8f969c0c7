/** Sensing as this daemon has it: with its programs, its store and its engine. */
import { join } from 'node:path'
import type { Log } from '../../../base/log.ts'
import type { Store } from '../../../engine/store.ts'
import { sensorSupport } from '../../../host/sensor/support.ts'
import { nativeDir } from '../native.ts'
import type { DaemonOptions } from '../options.ts'
import type { Sensing } from './create.ts'
import { createSensing } from './create.ts'

/** ms between looks whether what is kept has become too much. */
const pruneInterval = 5 * 60_000
/** Environments whose activity may go at once, the oldest ends first. */
const pruneBatch = 1_000

export const sensorBinary = join(nativeDir, 'dayfly-sensor')

export const openSensing = (options: DaemonOptions, store: Pick<Store, 'expired'>, log: Log): Sensing => {
  const { problems } = sensorSupport(sensorBinary)
  const absence = problems.map(({ problem }) => problem).join('; ')
  const sensing = createSensing({
    ...{ demand: options.sensor, stateDir: options.stateDir, runDir: options.runDir, log },
    sensor: problems.length === 0 ? { binary: sensorBinary } : { absence },
  })
  if (absence !== '' && options.sensor !== 'off') log.warn('nobody sees what instances do: this host has no sensor', { absence })
  const timer = setInterval(() => {
    try {
      sensing.prune(store.expired(Number.MAX_SAFE_INTEGER, pruneBatch))
    } catch (error) {
      log.warn('what may be thrown away could not be found out', { error })
    }
  }, pruneInterval)
  timer.unref()
  return {
    ...sensing,
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer)
      await sensing[Symbol.asyncDispose]()
    },
  }
}
