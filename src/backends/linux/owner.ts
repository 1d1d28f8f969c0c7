/** `owner.json` in a cell's folder: whose cell it is, and what a later daemon must know to go on with it. Written before the start, whole or not at all. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import { errnoOf } from '../../base/errors.ts'
import { Runtime } from '../../model/workload.ts'
import type { CellPaths } from './layout.ts'

const Owner = z.object({
  instance: z.string(),
  environment: z.string(),
  slot: z.object({ slice: z.int(), slot: z.int() }),
  index: z.int(),
  pid: z.int(),
  image: z.string(),
  runtime: Runtime,
  /** ms, and the signal's number: a deadline that is moved needs them again. */
  grace: z.int(),
  stopSignal: z.int(),
})
export type Owner = z.infer<typeof Owner>

export const writeOwner = (paths: CellPaths, owner: Owner): void => {
  const temporary = `${paths.owner}.new`
  writeFileSync(temporary, JSON.stringify(owner), { mode: 0o600 })
  renameSync(temporary, paths.owner)
}

/** undefined: the cell has never been given to an instance. */
export const readOwner = (paths: CellPaths): Owner | undefined => {
  try {
    return Owner.parse(JSON.parse(readFileSync(paths.owner, 'utf8')))
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}
