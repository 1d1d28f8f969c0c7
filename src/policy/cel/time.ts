/** Timestamps and durations: RFC 3339 and Go's notation, exact to the nanosecond, in the ranges that CEL gives them. */
import { CelError, Duration, Timestamp } from './values.ts'

const second = 1_000_000_000n
/** 0001-01-01T00:00:00Z and 9999-12-31T23:59:59.999999999Z. */
const first = -62135596800n * second
const last = 253402300800n * second - 1n
const longest = 2n ** 63n

export const timestampOf = (ns: bigint): Timestamp => {
  if (ns < first || ns > last) throw new CelError('timestamp out of range')
  return new Timestamp(ns)
}

export const durationOf = (ns: bigint): Duration => {
  if (ns < -longest || ns >= longest) throw new CelError('duration out of range')
  return new Duration(ns)
}

const floorDivide = (value: bigint, by: bigint): bigint => (value >= 0n || value % by === 0n ? value / by : value / by - 1n)

const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d{0,20})?(?:Z|([+-])(\d\d):(\d\d))$/

export const parseTimestamp = (text: string): Timestamp => {
  const match = text.length > 64 ? null : rfc3339.exec(text)
  if (!match) throw new CelError('a timestamp is written as RFC 3339 says, such as 2026-01-31T12:00:00Z')
  const [, year = '', month = '', day = '', hour = '', minute = '', seconds = '', fraction = '', sign, offsetHours = '0', offsetMinutes = '0'] = match
  const date = new Date(0)
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  date.setUTCHours(Number(hour), Number(minute), Number(seconds))
  const same = date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day) && date.getUTCHours() === Number(hour)
  if (!same || Number(minute) > 59 || Number(seconds) > 59 || Number(offsetHours) > 23 || Number(offsetMinutes) > 59) {
    throw new CelError(`there is no such time: ${text}`)
  }
  const offset = (Number(offsetHours) * 60 + Number(offsetMinutes)) * 60_000 * (sign === '-' ? -1 : 1)
  return timestampOf(BigInt(date.getTime() - offset) * 1_000_000n + BigInt(fraction.padEnd(9, '0') || '0'))
}

/** A fraction of a second without trailing zeros, with its point; '' for none. */
const fractionOf = (ns: bigint): string => (ns === 0n ? '' : `.${String(ns).padStart(9, '0').replace(/0+$/, '')}`)

export const formatTimestamp = (time: Timestamp): string => {
  const seconds = floorDivide(time.ns, second)
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}${fractionOf(time.ns - seconds * second)}Z`
}

/** `3600s`, `1.5s`: as protobuf writes JSON. */
export const formatDuration = (duration: Duration): string => {
  const size = duration.ns < 0n ? -duration.ns : duration.ns
  return `${duration.ns < 0n ? '-' : ''}${size / second}${fractionOf(size % second)}s`
}

const units: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: second,
  m: 60n * second,
  h: 3600n * second,
}

/** Go's `time.ParseDuration`: `1h30m`, `-1.5s`, `0`. */
export const parseDuration = (text: string): Duration => {
  const bad = (): CelError => new CelError(`a duration is written such as 1h30m or 1.5s, not ${JSON.stringify(text.slice(0, 40))}`)
  if (text.length > 200) throw bad()
  const negative = text.startsWith('-')
  const rest = negative || text.startsWith('+') ? text.slice(1) : text
  if (rest === '0') return new Duration(0n)
  const part = /(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/y
  let sum = 0n
  if (rest === '') throw bad()
  while (part.lastIndex < rest.length) {
    const match = part.exec(rest)
    if (!match) throw bad()
    const [, whole = '', fraction = '', unit = ''] = match
    const size = units[unit]
    if ((whole === '' && fraction === '') || size === undefined) throw bad()
    sum += BigInt(whole || '0') * size + (fraction === '' ? 0n : (BigInt(fraction) * size) / 10n ** BigInt(fraction.length))
  }
  return durationOf(negative ? -sum : sum)
}

export interface Fields {
  readonly year: number
  /** 0–11. */
  readonly month: number
  /** From 1. */
  readonly day: number
  /** 0 is Sunday. */
  readonly weekday: number
  /** From 0. */
  readonly yearday: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly millisecond: number
}

const formats = new Map<string, Intl.DateTimeFormat>()
const zoneFormat = (zone: string): Intl.DateTimeFormat => {
  const known = formats.get(zone)
  if (known) return known
  try {
    const made = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
    if (formats.size > 100) formats.clear()
    formats.set(zone, made)
    return made
  } catch {
    throw new CelError(`there is no time zone ${JSON.stringify(zone.slice(0, 60))}`)
  }
}

/** Milliseconds since the epoch of the clock on the wall in that zone, as if it were UTC. */
const localTime = (milliseconds: number, zone: string): number => {
  const offset = /^([+-]?)(\d{1,2}):(\d\d)$/.exec(zone)
  if (offset) return milliseconds + (Number(offset[2]) * 60 + Number(offset[3])) * 60_000 * (offset[1] === '-' ? -1 : 1)
  const parts = new Map(
    zoneFormat(zone)
      .formatToParts(milliseconds)
      .map(part => [part.type, part.value]),
  )
  const number = (name: Intl.DateTimeFormatPartTypes): number => Number(parts.get(name))
  const date = new Date(0)
  date.setUTCFullYear(parts.get('era') === 'BC' ? 1 - number('year') : number('year'), number('month') - 1, number('day'))
  date.setUTCHours(number('hour'), number('minute'), number('second'), ((milliseconds % 1000) + 1000) % 1000)
  return date.getTime()
}

/** The parts of a moment; `zone` is an IANA name or `+05:30`. */
export const fieldsOf = (time: Timestamp, zone = 'UTC'): Fields => {
  const milliseconds = Number(floorDivide(time.ns, 1_000_000n))
  const date = new Date(zone === 'UTC' ? milliseconds : localTime(milliseconds, zone))
  const newYear = new Date(0)
  newYear.setUTCFullYear(date.getUTCFullYear(), 0, 1)
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth(),
    day: date.getUTCDate(),
    weekday: date.getUTCDay(),
    yearday: Math.floor((date.getTime() - newYear.getTime()) / 86_400_000),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    millisecond: date.getUTCMilliseconds(),
  }
}
