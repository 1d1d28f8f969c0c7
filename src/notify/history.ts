/** What was delivered to one target, or given up, for as long as there is room: so that a receiver that lost it can have it again. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, statSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { Notice } from './notice.ts'

export const Delivery = z.object({
  /** Wall ms of the last attempt. */
  at: z.number(),
  outcome: z.enum(['delivered', 'refused']),
  /** Why it was given up. */
  failure: z.string().optional(),
  notice: Notice,
})
export type Delivery = z.infer<typeof Delivery>

export interface HistoryLimits {
  readonly deliveries: number
  readonly bytes: number
}

export interface History {
  /** The oldest ones go where there is no room. Rejects when it cannot be written. */
  add(delivery: Delivery): Promise<void>
  /** The oldest first; what cannot be read is left out. */
  list(): Promise<Delivery[]>
}

const suffix = '.json'

/** The folder is made when it is missing. */
export const openHistory = (folder: string, limits: HistoryLimits): History => {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const sizes = new Map<string, number>()
  for (const name of readdirSync(folder).toSorted()) if (name.endsWith(suffix)) sizes.set(name, statSync(join(folder, name)).size)
  let bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0)
  let next = Number(/^\d+/.exec([...sizes.keys()].at(-1) ?? '')?.[0] ?? 0)

  const makeRoom = async (): Promise<void> => {
    for (const [name, size] of sizes) {
      if (sizes.size <= limits.deliveries && bytes <= limits.bytes) return
      sizes.delete(name)
      bytes -= size
      await rm(join(folder, name), { force: true })
    }
  }

  return {
    add: async delivery => {
      const text = JSON.stringify(delivery)
      const name = `${String(++next).padStart(16, '0')}-${randomBytes(4).toString('hex')}${suffix}`
      await writeFile(join(folder, name), text, { flag: 'wx', mode: 0o600 })
      sizes.set(name, Buffer.byteLength(text))
      bytes += Buffer.byteLength(text)
      await makeRoom()
    },
    list: async () => {
      const found: Delivery[] = []
      for (const name of [...sizes.keys()]) {
        try {
          const read = Delivery.safeParse(JSON.parse(await readFile(join(folder, name), 'utf8')))
          if (read.success) found.push(read.data)
        } catch {
          // It went meanwhile, or was never whole: it is history.
        }
      }
      return found
    },
  }
}
