/** Durations and sizes as compose files have them. */

const units: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

/** `1m30s`, `1.5h`, `500us`, `2d`, `0` in milliseconds, or undefined. */
export const durationOf = (text: string): number | undefined => {
  const [, sign = '', rest = ''] = /^([+-]?)(.*)$/s.exec(text) ?? []
  if (rest === '0') return 0
  if (!/^((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h|d|w))+$/.test(rest)) return undefined
  let sum = 0
  for (const [, amount, unit] of rest.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h|d|w)/g)) sum += Number(amount) * (units[unit ?? ''] ?? 0)
  // A nanosecond is the smallest that there is; this also removes what decimal fractions leave behind.
  return (sign === '-' ? -1 : 1) * (Math.round(sum * 1e6) / 1e6)
}

const decimal = (value: number): string => String(Math.round(value * 1e9) / 1e9)

/** Milliseconds as docker compose prints a duration: `1m30s`, `1h0m0s`, `500ms`, `0s`. */
export const durationText = (milliseconds: number): string => {
  const sign = milliseconds < 0 ? '-' : ''
  const rest = Math.abs(milliseconds)
  if (rest === 0) return '0s'
  if (rest < 1e-3) return `${sign}${decimal(rest * 1e6)}ns`
  if (rest < 1) return `${sign}${decimal(rest * 1e3)}µs`
  if (rest < 1000) return `${sign}${decimal(rest)}ms`
  const hours = Math.floor(rest / 3_600_000)
  const minutes = Math.floor(rest / 60_000) % 60
  const seconds = `${decimal((rest % 60_000) / 1000)}s`
  return `${sign}${hours > 0 ? `${hours}h${minutes}m` : minutes > 0 ? `${minutes}m` : ''}${seconds}`
}

const powers: Readonly<Record<string, number>> = { b: 0, k: 1, m: 2, g: 3, t: 4, p: 5 }

/** `64k`, `512MB`, `1.5GiB`, `-1`, `65536` in bytes (powers of 1024), or undefined. */
export const bytesOf = (text: string): number | undefined => {
  if (/^[+-]?\d+$/.test(text)) return Number(text)
  const [, amount, unit = 'b'] = /^(\d+\.?\d*|\.\d+) ?([bkmgtp]?|[kmgtp]i?b)$/i.exec(text) ?? []
  const power = powers[(unit === '' ? 'b' : unit).charAt(0).toLowerCase()]
  return amount === undefined || power === undefined ? undefined : Math.trunc(Number(amount) * 1024 ** power)
}
