/** Parts of timestamps and durations. Zones are IANA names or `+05:30`; without one it is UTC. */
import { method } from '../overloads.ts'
import type { Fields } from '../time.ts'
import { fieldsOf } from '../time.ts'

const parts: Readonly<Record<string, (fields: Fields) => number>> = {
  getFullYear: fields => fields.year,
  getMonth: fields => fields.month,
  getDate: fields => fields.day,
  getDayOfMonth: fields => fields.day - 1,
  getDayOfWeek: fields => fields.weekday,
  getDayOfYear: fields => fields.yearday,
  getHours: fields => fields.hour,
  getMinutes: fields => fields.minute,
  getSeconds: fields => fields.second,
  getMilliseconds: fields => fields.millisecond,
}

export const times = [
  ...Object.entries(parts).flatMap(([name, part]) => [
    method(name, ['timestamp'], 'int', time => BigInt(part(fieldsOf(time)))),
    method(name, ['timestamp', 'string'], 'int', (time, zone) => BigInt(part(fieldsOf(time, zone))), { cost: () => 50 }),
  ]),
  method('getHours', ['duration'], 'int', duration => duration.ns / 3_600_000_000_000n),
  method('getMinutes', ['duration'], 'int', duration => duration.ns / 60_000_000_000n),
  method('getSeconds', ['duration'], 'int', duration => duration.ns / 1_000_000_000n),
  // All of them, as cel-go and so the API server has it; the specification's own test wants those beyond the second.
  method('getMilliseconds', ['duration'], 'int', duration => duration.ns / 1_000_000n),
]
