/**
 * `owner.json` in a cell's folder: whose cell it is, and what a later daemon must know to go on with it. Empty while it is nobody's. Written in one call, and
 * before the start is asked for: one that is torn belongs to a cell in which nothing has run.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import { errnoOf } from '../../base/errors.ts'
import { EgressDomain, EgressRule, Runtime } from '../../model/workload.ts'
import type { CellPaths } from './layout.ts'
import { overwrite } from './overwrite.ts'

const Owner = z.object({
  instance: z.string(),
  environment: z.string(),
  slot: z.object({ slice: z.int(), slot: z.int() }),
  index: z.int(),
  pid: z.int(),
  /** Field 22 of its /proc/PID/stat: a pid alone may be somebody else's by the next daemon's time. */
  startTime: z.int().optional(),
  /** By which the sensor knows it; none: no sensor does. */
  cookie: z.int().optional(),
  image: z.string(),
  runtime: Runtime,
  /** ms, and the signal's number: a deadline that is moved needs them again. */
  grace: z.int(),
  stopSignal: z.int(),
  /** What it may reach: its environment's other instances come and go, and each time all of that is told to the kernel. */
  networks: z.array(z.string()).default([]),
  egress: z.array(EgressRule).default([]),
  domains: z.array(EgressDomain).default([]),
})
export type Owner = z.infer<typeof Owner>

export const makeOwnerFile = (paths: CellPaths): void => writeFileSync(paths.owner, '', { mode: 0o600 })

export const writeOwner = (paths: CellPaths, owner: Owner): void => {
  overwrite(paths.owner, JSON.stringify(owner))
}

/** undefined: the cell has never been given to an instance. */
export const readOwner = (paths: CellPaths): Owner | undefined => {
  try {
    const text = readFileSync(paths.owner, 'utf8')
    return text === '' ? undefined : Owner.parse(JSON.parse(text))
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw error
  }
}
