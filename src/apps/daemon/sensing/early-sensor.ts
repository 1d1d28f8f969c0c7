/** The sensor needs longest of all that sensing begins with: its programs are loaded while everything else is, and nothing waits for it that must not. */
import type { Sensor, SensorListeners } from '../../../host/sensor/sensor.ts'
import { openSensor } from '../../../host/sensor/sensor.ts'

export interface EarlySensor {
  /** Once. It says nothing before: nothing is registered yet. Rejects as `openSensor` does. */
  take(listeners: SensorListeners): Promise<Sensor>
}

export const startEarly = (binary: string): EarlySensor => {
  let to: SensorListeners | undefined
  const opening = openSensor({ binary }, { onEvents: events => to?.onEvents(events), onHash: hash => to?.onHash?.(hash) })
  // Whoever takes it is told.
  opening.catch(() => undefined)
  return {
    take: listeners => {
      to = listeners
      return opening
    },
  }
}
