/** Sensing as this daemon has it: with its programs, its store and its engine. */
import { join } from 'node:path'
import type { Clock } from '../../../base/clock.ts'
import type { Log } from '../../../base/log.ts'
import type { Engine } from '../../../engine/engine.ts'
import type { Store } from '../../../engine/store.ts'
import type { Check } from '../../../host/inspection/check.ts'
import { sensorSupport } from '../../../host/sensor/support.ts'
import { nativeDir } from '../native.ts'
import type { DaemonOptions } from '../options.ts'
import type { PolicyFolder } from '../policies.ts'
import { checkSensing } from './check.ts'
import type { Sensing } from './create.ts'
import { createSensing } from './create.ts'
import type { RaisingParts } from './raising.ts'
import { createRaising } from './raising.ts'
import { watchSettings } from './settings.ts'

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

/** Sensing with what tells it what to look for, and what does something about it. */
export interface AttachedSensing extends AsyncDisposable {
  /** Once the engine has adopted what lives: what was found until then is written and answered now. */
  begin(): void
  checks(): Check[]
}

interface Attachments {
  readonly options: DaemonOptions
  readonly engine: Engine
  readonly policies: Pick<PolicyFolder, 'detection'>
  readonly clock: Clock
  readonly log: Log
  readonly onRaised: NonNullable<RaisingParts['onRaised']>
}

export const attachSensing = async (sensing: Sensing, { options, engine, policies, clock, log, onRaised }: Attachments): Promise<AttachedSensing> => {
  const settings = () => policies.detection().settings
  const watch = await watchSettings({ settings, folder: join(options.stateDir, 'rules'), sensing, log })
  return {
    begin: () => sensing.begin({ testify: engine.testify, onDetections: createRaising({ engine, rules: policies.detection, clock, log, onRaised }) }),
    checks: () => checkSensing(sensing.health(), options.sensor, watch.fault()),
    [Symbol.asyncDispose]: () => watch[Symbol.asyncDispose](),
  }
}
