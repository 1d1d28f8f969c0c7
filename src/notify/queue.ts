/**
 * What waits to be sent to one target: a folder with a file for each notice, in their order, which outlives the daemon. It is bounded in number, in size and in
 * age; what does not fit is counted, never waited for.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, statSync } from 'node:fs'
import { open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf } from '../base/errors.ts'
import { Notice } from './notice.ts'

export interface QueueLimits {
  readonly notices: number
  readonly bytes: number
  /** ms */
  readonly age: number
}

export interface Queue {
  /** Keeps it. False: there was no room, and it is left out. Rejects when it cannot be written. `again`: it was sent before, and its age is no reason to leave it out. */
  add(notice: Notice, again?: boolean): Promise<boolean>
  /** The oldest ones that are not too old. What is too old, or cannot be read, is gone afterwards and counted. */
  take(most: number, now: number): Promise<{ readonly key: string; readonly notice: Notice }[]>
  done(keys: readonly string[]): Promise<void>
  /** How many grew too old or could not be read since this was asked last. */
  lost(): number
  readonly length: number
}

const suffix = '.json'
/** In the name of a file whose notice is sent once more. */
const againMark = '-again'

/** The folder is made when it is missing. What an earlier daemon was writing when it was killed is removed. */
export const openQueue = (folder: string, limits: QueueLimits): Queue => {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const sizes = new Map<string, number>()
  for (const name of readdirSync(folder).toSorted()) if (name.endsWith(suffix)) sizes.set(name, statSync(join(folder, name)).size)
  let bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0)
  /** Of the names, so that they sort as they came; after those of before. */
  let next = Number(/^\d+/.exec([...sizes.keys()].at(-1) ?? '')?.[0] ?? 0)
  let missing = 0

  const forget = async (key: string): Promise<void> => {
    bytes -= sizes.get(key) ?? 0
    sizes.delete(key)
    await rm(join(folder, key), { force: true })
  }

  return {
    get length() {
      return sizes.size
    },
    add: async (notice, again = false) => {
      const text = JSON.stringify(notice)
      const size = Buffer.byteLength(text)
      if (sizes.size >= limits.notices || bytes + size > limits.bytes) {
        return false
      }
      next++
      const key = `${String(next).padStart(16, '0')}-${randomBytes(4).toString('hex')}${again ? againMark : ''}${suffix}`
      const path = join(folder, key)
      // Its room is taken at once; it can be taken only when it is whole.
      bytes += size
      try {
        {
          await using file = await open(`${path}.new`, 'wx', 0o600)
          await file.writeFile(text)
          await file.datasync()
        }
        await rename(`${path}.new`, path)
      } catch (error) {
        bytes -= size
        await rm(`${path}.new`, { force: true }).catch(() => {})
        throw error
      }
      sizes.set(key, size)
      return true
    },
    take: async (most, now) => {
      const found: { key: string; notice: Notice }[] = []
      for (const key of [...sizes.keys()].toSorted()) {
        if (found.length >= most) break
        let notice: Notice | undefined
        try {
          const read = Notice.safeParse(JSON.parse(await readFile(join(folder, key), 'utf8')))
          notice = read.success ? read.data : undefined
        } catch (error) {
          if (errnoOf(error) !== undefined && errnoOf(error) !== 'ENOENT') throw error
        }
        if (notice !== undefined && (now - notice.time <= limits.age || key.endsWith(againMark + suffix))) found.push({ key, notice })
        else {
          missing++
          await forget(key)
        }
      }
      return found
    },
    done: async keys => {
      for (const key of keys) await forget(key)
    },
    lost: () => {
      const lost = missing
      missing = 0
      return lost
    },
  }
}
