import { DayflyError } from './errors.ts'

const powers: Readonly<Record<string, number>> = { '': 0, k: 1, m: 2, g: 3, t: 4 }

/** Parses `65536`, `64k`, `512m`, `1.5g`, `2GiB` (powers of 1024, as docker has them) into bytes. Throws `invalid` naming `field`. */
export const parseBytes = (text: string, field: string): number => {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(text) ?? []
  const power = unit === undefined ? undefined : powers[unit.toLowerCase()]
  if (amount === undefined || power === undefined) {
    throw new DayflyError('invalid', `${field}: "${text}" is not a size`, { field, remedy: 'Write it like 64k, 512m or 1.5g.' })
  }
  return Math.round(Number(amount) * 1024 ** power)
}

/** `536870912` → `512 MiB`. At most one digit after the point. */
export const formatBytes = (bytes: number): string => {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let power = 0
  while (power < units.length - 1 && Math.abs(bytes) >= 1024 ** (power + 1)) power++
  const amount = bytes / 1024 ** power
  return `${Number.isInteger(amount) ? amount : amount.toFixed(1)} ${units[power]}`
}
