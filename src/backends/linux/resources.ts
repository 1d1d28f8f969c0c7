/**
 * What the instances of an environment share on disk, and what a later daemon must know of an environment that may have no instance at the moment.
 *
 *   <state>/environments/<id>/environment.json   its slot: with it its addresses and its instances' user ids
 *                            volumes/<name>      with the container's own numbers as owners, like image layers
 *                            seeding/<name>      a volume's content on its way in
 *                            copying-<name>      a copy from an image into that volume has begun, and may have been cut off
 */
import { mkdirSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { DayflyError, errnoOf } from '../../base/errors.ts'
import type { EnvironmentRequest } from '../../engine/backend.ts'
import type { Slot } from '../../host/network/slots.ts'
import { removeFolder } from './folders.ts'

export interface Resources {
  config(name: string): Uint8Array | undefined
  /** One copy into a volume at a time: who comes second finds it whole. `again`: one before was cut off. */
  copyInto(name: string, copy: (when: 'empty' | 'again') => Promise<void>): Promise<void>
  /** An instance has had it since this daemon began. */
  isUsed(name: string): boolean
  /** Where a volume lies that an instance mounts, with no symbolic link on the way; undefined: there is none of that name. */
  use(name: string): string | undefined
  /** Replaces what is in the volume by what `fill` puts into an empty folder, at once. Throws `not_found` without such a volume. */
  seed(name: string, fill: (folder: string) => Promise<void>): Promise<void>
}

export interface ResourceStore {
  of(environment: string): Resources | undefined
  /** Where all of it lies; none where there is nothing. */
  folderOf(environment: string): readonly [string] | undefined
  /** Makes what is missing; contents of configurations are those of the request. What it does not name any more stays. */
  prepare(request: EnvironmentRequest, slot: Slot): Resources
  /** Nothing of it is left. Idempotent. */
  remove(environment: string): Promise<void>
  /** Environments that have something here, and their slot where it is known. */
  found(): { readonly environment: string; readonly slot: Slot | undefined }[]
}

const Note = z.object({ slot: z.object({ slice: z.int(), slot: z.int() }) })

interface Entry extends Resources {
  configs: ReadonlyMap<string, Uint8Array>
}

/** One after another, each whatever became of the one before. */
const inTurns = () => {
  const last = new Map<string, Promise<unknown>>()
  return <T>(key: string, work: () => Promise<T>): Promise<T> => {
    const result = (last.get(key) ?? Promise.resolve()).then(work, work)
    last.set(key, result)
    return result
  }
}

const existing = (folder: string): ReadonlySet<string> => {
  try {
    return new Set(readdirSync(folder))
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return new Set()
    throw error
  }
}

/** Environments whose slot is noted below `root`, which need not be there. */
export const notedSlots = (root: string): [string, Slot][] =>
  [...existing(root)].flatMap(environment => {
    try {
      return [[environment, Note.parse(JSON.parse(readFileSync(join(root, environment, 'environment.json'), 'utf8'))).slot]]
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return []
      throw error
    }
  })

/** `root` is made when it is not there. */
export const openResources = (root: string): ResourceStore => {
  mkdirSync(root, { recursive: true, mode: 0o700 })
  const top = realpathSync(root)
  const entries = new Map<string, Entry>()
  const folderOf = (environment: string): string => join(top, environment)

  const open = (environment: string): Entry => {
    const folder = folderOf(environment)
    const volumes = join(folder, 'volumes')
    const names = (): ReadonlySet<string> => existing(volumes)
    const turn = inTurns()
    const used = new Set<string>()
    const entry: Entry = {
      configs: new Map(),
      isUsed: name => used.has(name),
      use: name => {
        used.add(name)
        return names().has(name) ? join(volumes, name) : undefined
      },
      config: name => entry.configs.get(name),
      copyInto: (name, copy) =>
        turn(name, async () => {
          const mark = join(folder, `copying-${name}`)
          const begun = existing(folder).has(`copying-${name}`)
          if (!begun) writeFileSync(mark, '')
          await copy(begun ? 'again' : 'empty')
          rmSync(mark)
        }),
      seed: (name, fill) =>
        turn(name, async () => {
          if (!names().has(name)) {
            throw new DayflyError('not_found', `the environment has no volume ${name}`, { field: 'volume', remedy: 'Declare it among its volumes.' })
          }
          const fresh = join(folder, 'seeding', name)
          const old = `${fresh}.old`
          for (const left of [fresh, old]) await removeFolder(left)
          mkdirSync(fresh, { recursive: true, mode: 0o755 })
          await fill(fresh)
          renameSync(join(volumes, name), old)
          renameSync(fresh, join(volumes, name))
          await removeFolder(old)
        }),
    }
    entries.set(environment, entry)
    return entry
  }

  const prepare: ResourceStore['prepare'] = ({ id, volumes, configs }, slot) => {
    const entry = entries.get(id) ?? open(id)
    const folder = folderOf(id)
    mkdirSync(join(folder, 'volumes'), { recursive: true, mode: 0o700 })
    const note = join(folder, 'environment.json')
    writeFileSync(`${note}.new`, JSON.stringify({ slot }), { mode: 0o600 })
    renameSync(`${note}.new`, note)
    const there = existing(join(folder, 'volumes'))
    for (const name of volumes) if (!there.has(name)) mkdirSync(join(folder, 'volumes', name), { mode: 0o755 })
    entry.configs = new Map(configs)
    return entry
  }

  return {
    of: environment => entries.get(environment),
    folderOf: environment => (entries.has(environment) ? [folderOf(environment)] : undefined),
    prepare,
    remove: async environment => {
      if (!entries.has(environment)) return
      await removeFolder(folderOf(environment))
      entries.delete(environment)
    },
    found: () => {
      const slots = new Map(notedSlots(top))
      return readdirSync(top).map(environment => {
        if (!entries.has(environment)) open(environment)
        return { environment, slot: slots.get(environment) }
      })
    },
  }
}
