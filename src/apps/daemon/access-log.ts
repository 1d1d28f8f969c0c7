/** The access logs of environments: a JSON document a line, appended, each up to a size. */
import { statSync } from 'node:fs'
import { appendFile } from 'node:fs/promises'
import { errnoOf } from '../../base/errors.ts'
import type { AccessEntry } from '../../gateway/gateway.ts'

export interface AccessLog {
  /** Appends them. What finds no room is dropped: the outcome says how many of each environment. Rejects when a file cannot be written. */
  write(entries: readonly AccessEntry[]): Promise<ReadonlyMap<string, number>>
  forget(environment: string): void
}

const sizeOf = (path: string): number => {
  try {
    return statSync(path).size
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 0
    throw error
  }
}

/** `longest`: bytes of one environment's file. */
export const createAccessLog = (pathOf: (environment: string) => string, longest: number): AccessLog => {
  const sizes = new Map<string, number>()
  return {
    write: async entries => {
      const dropped = new Map<string, number>()
      for (const [environment, those] of Map.groupBy(entries, entry => entry.environment)) {
        const path = pathOf(environment)
        let size = sizes.get(environment) ?? sizeOf(path)
        const lines: string[] = []
        for (const entry of those) {
          const line = `${JSON.stringify(entry)}\n`
          if (size + Buffer.byteLength(line) > longest) {
            dropped.set(environment, (dropped.get(environment) ?? 0) + 1)
            continue
          }
          size += Buffer.byteLength(line)
          lines.push(line)
        }
        sizes.set(environment, size)
        if (lines.length > 0) await appendFile(path, lines.join(''), { mode: 0o600 })
      }
      return dropped
    },
    forget: environment => void sizes.delete(environment),
  }
}
