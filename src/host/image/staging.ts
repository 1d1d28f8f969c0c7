/**
 * What an operation has under way lies in a folder of its own, named after the process that owns it. A process that is dead owns nothing: its
 * folders are swept. In it, `pins/<16 hex>` names each layer that the operation relies on, for a collection in any process to spare.
 */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf } from '../../base/errors.ts'
import { diskError, removeTree } from './durable.ts'

export interface Staging extends AsyncDisposable {
  readonly path: string
  pin(layerFolder: string): Promise<void>
}

const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').slice(0, 8)

/** Field 22 of /proc/PID/stat: with the pid and the boot it names a process for ever. */
const startTimeOf = async (pid: string): Promise<string | undefined> => {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ESRCH') return undefined
    throw error
  }
}

const namePattern = /^([0-9a-f]{8})-(\d+)-(\d+)-[0-9a-f]{12}$/

const isLive = async (name: string): Promise<boolean> => {
  const [, boot, pid, start] = namePattern.exec(name) ?? []
  return boot === bootId && pid !== undefined && (await startTimeOf(pid)) === start
}

export const createStaging = async (folder: string): Promise<Staging> => {
  const start = await startTimeOf(String(process.pid))
  const path = join(folder, `${bootId}-${process.pid}-${start}-${randomBytes(6).toString('hex')}`)
  try {
    await mkdir(join(path, 'pins'), { recursive: true, mode: 0o700 })
  } catch (error) {
    throw diskError(error, path)
  }
  return {
    path,
    pin: async layerFolder => {
      await writeFile(join(path, 'pins', layerFolder), '').catch((error: unknown) => {
        throw diskError(error, path)
      })
    },
    [Symbol.asyncDispose]: () => removeTree(path),
  }
}

/** Removes what dead processes have left. */
export const sweepStaging = async (folder: string): Promise<void> => {
  for (const name of await readdir(folder)) {
    if (namePattern.test(name) && !(await isLive(name))) await removeTree(join(folder, name))
  }
}

/** Layer folders that operations of living processes rely on. */
export const pinnedLayers = async (folder: string): Promise<Set<string>> => {
  const pins = new Set<string>()
  for (const name of await readdir(folder)) {
    if (!namePattern.test(name) || !(await isLive(name))) continue
    const pinned = await readdir(join(folder, name, 'pins')).catch((error: unknown) => {
      if (errnoOf(error) === 'ENOENT') return [] // it has just ended
      throw error
    })
    for (const pin of pinned) pins.add(pin)
  }
  return pins
}
