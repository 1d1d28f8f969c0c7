import { DayflyError } from './errors.ts'

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Parses `90s`, `1h30m`, `500ms`, `7d` into milliseconds. Throws `invalid` naming `field`. */
export const parseDuration = (text: string, field: string): number => {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)]
  if (parts.length === 0 || parts.map(part => part[0]).join('') !== text) {
    throw new DayflyError('invalid', `${field}: "${text}" is not a duration`, { field, remedy: 'Write it like 90s, 15m, 1h30m or 7d.' })
  }
  return Math.round(parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (units[unit ?? ''] ?? 0), 0))
}

/** `5400000` → `1h30m`. The two largest units, none that are zero; under a second in ms. */
export const formatDuration = (milliseconds: number): string => {
  const rounded = Math.max(0, Math.round(milliseconds))
  if (rounded < 1000) return `${rounded}ms`
  const seconds = Math.round(milliseconds / 1000)
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ] as const
  const first = parts.findIndex(([amount]) => amount > 0)
  return parts
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount}${unit}`)
    .join('')
}
