/** What environments occupy on disk, from the folders that are theirs. */
import { existsSync } from 'node:fs'
import { occupiedBytes } from '../../host/inspection/occupied.ts'

/** Sums by key, as far as all folders of it were counted before `signal` aborted. A folder that has gone meanwhile occupies nothing. */
export const occupied = async (foldersOf: ReadonlyMap<string, readonly string[]>, signal: AbortSignal): Promise<ReadonlyMap<string, number>> => {
  const sizes = await occupiedBytes([...foldersOf.values()].flat(), signal)
  return new Map(
    [...foldersOf].flatMap(([key, folders]): [string, number][] => {
      const uncounted = folders.some(folder => !sizes.has(folder) && existsSync(folder))
      if (uncounted || (signal.aborted && folders.length === 0)) return []
      return [[key, folders.reduce((sum, folder) => sum + (sizes.get(folder) ?? 0), 0)]]
    }),
  )
}
