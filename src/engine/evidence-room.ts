/**
 * Room for evidence on the disk: of all environments together, no more than a budget. The oldest takes go first; what went is told in its record, while that
 * is open, and by a mark beside it that nobody else can make, so that a later proof can tell it from evidence that somebody took away.
 */
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf } from '../base/errors.ts'
import { isMacOf, macOf } from '../base/mac.ts'

export interface EvidenceRoom {
  /** Removes the oldest takes until so many bytes more fit into the budget. */
  make(bytes: number): Promise<void>
  /** Whether this installation has removed it. */
  isPruned(environment: string, take: number): Promise<boolean>
}

interface EvidenceRoomParts {
  readonly recordsFolder: string
  /** Bytes of all takes. */
  readonly budget: number
  /** Vouches for marks. */
  readonly key: Uint8Array
  /** Is told of each that goes, before it is gone. Must not throw. */
  readonly onPruned: (environment: string, take: number, bytes: number) => void
}

export const forensicsSuffix = '.forensics'
/** Also what a crash has broken off. */
const takeName = /^(\d+)(\.new|\.partial)?$/
const markOf = (folder: string): string => `${folder}.pruned`
const textOf = (environment: string, take: number): string => `dayfly pruned evidence ${take} of ${environment}`

interface Take {
  readonly environment: string
  readonly take: number
  readonly path: string
  readonly bytes: number
  /** Wall ms. */
  readonly at: number
}

/** What is not there (any more) is nothing. */
const orNothing = async <T>(work: Promise<T[]>): Promise<T[]> => {
  try {
    return await work
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
}

const sizeOf = async (folder: string): Promise<number> => {
  let bytes = 0
  for (const name of await orNothing(readdir(folder))) bytes += (await stat(join(folder, name)).catch(() => undefined))?.size ?? 0
  return bytes
}

export const createEvidenceRoom = ({ recordsFolder, budget, key, onPruned }: EvidenceRoomParts): EvidenceRoom => {
  const takesOf = async (folder: string): Promise<Take[]> => {
    const environment = folder.slice(0, -forensicsSuffix.length)
    const takes: Take[] = []
    for (const name of await orNothing(readdir(join(recordsFolder, folder)))) {
      const take = takeName.exec(name)?.[1]
      const path = join(recordsFolder, folder, name)
      const found = take === undefined ? undefined : await stat(path).catch(() => undefined)
      if (take !== undefined && found !== undefined)
        takes.push({ environment, take: Number(take), path, bytes: await sizeOf(path), at: found.mtimeMs })
    }
    return takes
  }

  return {
    make: async bytes => {
      const takes: Take[] = []
      for (const name of await orNothing(readdir(recordsFolder))) if (name.endsWith(forensicsSuffix)) takes.push(...(await takesOf(name)))
      let used = takes.reduce((sum, take) => sum + take.bytes, 0)
      for (const { environment, take, path, bytes: own } of takes.sort((left, right) => left.at - right.at)) {
        if (used + bytes <= budget) return
        onPruned(environment, take, own)
        await writeFile(markOf(join(recordsFolder, `${environment}${forensicsSuffix}`, String(take))), macOf(key, textOf(environment, take)), {
          mode: 0o600,
        })
        await rm(path, { recursive: true, force: true })
        used -= own
      }
    },
    isPruned: async (environment, take) => {
      const path = markOf(join(recordsFolder, `${environment}${forensicsSuffix}`, String(take)))
      const mark = await readFile(path, 'utf8').catch((error: unknown) => {
        if (errnoOf(error) === 'ENOENT') return ''
        throw error
      })
      return isMacOf(key, textOf(environment, take), mark)
    },
  }
}
