import { readFileSync } from 'node:fs'

/** Dayfly's version, as package.json has it. */
export const readVersion = (): string => {
  const { version }: { version?: unknown } = JSON.parse(readFileSync(`${import.meta.dirname}/../../package.json`, 'utf8'))
  return typeof version === 'string' ? version : 'unknown'
}
