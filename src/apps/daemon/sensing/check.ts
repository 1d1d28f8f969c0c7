/** What `dayfly doctor` says of the sensor and of the rules. */
import type { Check } from '../../../host/inspection/check.ts'
import { fail, ok, warn } from '../../../host/inspection/check.ts'
import type { SensorSupport } from '../../../host/sensor/support.ts'
import type { SensorDemand } from './create.ts'
import type { SensorHealth } from './messages.ts'

const name = 'sensor'

/** Where no daemon runs. */
export const checkSupport = ({ problems }: SensorSupport): Check =>
  problems.length === 0
    ? ok(name, 'this host can see what instances do')
    : warn(
        name,
        `nobody sees what instances do: ${problems.map(({ problem }) => problem).join('; ')}`,
        problems.map(({ remedy }) => remedy).join(' '),
      )

const checkState = ({ state, reason = '', missing, restarts, emitted, dropped, unowned, faults }: SensorHealth, demand: SensorDemand): Check => {
  const why = `nobody sees what instances do: ${reason}`
  switch (state) {
    case 'starting':
      return ok(name, 'it is starting')
    case 'absent':
      if (demand === 'off') return ok(name, 'off')
      return demand === 'require'
        ? fail(name, `${why}; so nothing starts`, 'Put that right, or run the daemon with --sensor auto.')
        : warn(name, why, 'Put that right and start the daemon again; `dayfly serve --sensor off` asks for no sensor.')
    case 'down':
      return demand === 'require'
        ? fail(name, `${why}; so nothing starts`, 'It is tried again; the daemon’s log tells more.')
        : warn(name, why, 'It is tried again; the daemon’s log tells more.')
    case 'attached': {
      const lost = dropped + unowned
      const found = [
        `attached; ${emitted} events, ${lost} lost`,
        ...(faults === 0 ? [] : [`${faults} not judged`]),
        ...(restarts === 0 ? [] : [`started again ${restarts} times`]),
        ...(missing.length === 0 ? [] : [`without ${missing.join(', ')}`]),
      ].join('; ')
      if (lost > 0 || faults > 0)
        return warn(name, found, 'Records say of which instance they are. Look at fewer paths, or give the daemon more processor time.')
      return missing.length === 0 ? ok(name, found) : warn(name, found, 'A newer kernel has these probes; what they see is not seen on this one.')
    }
  }
}

/** `fault`: why rule files could not be read. */
export const checkSensing = (health: SensorHealth, demand: SensorDemand, fault: string | undefined): Check[] => {
  const faulty = fault ?? health.ruleFault
  return [
    checkState(health, demand),
    faulty === undefined
      ? ok('detection rules', `${health.rules} in force`)
      : warn('detection rules', `those before stay in force: ${faulty}`, 'Correct the file; `dayfly rules check` says where.'),
  ]
}
