/** What of a state folder is backed up. Images, layers and vulnerability data are not: they can be had again. */
import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

/** Copied by SQLite, as they are at one moment. */
export const databases = ['dayfly.sqlite', 'activity.sqlite'] as const

/** What SQLite may have beside each of them; belongs to the file that it is beside, and to no other. */
export const besideDatabases = databases.flatMap(name => ['-wal', '-shm', '-journal'].map(suffix => name + suffix))

/** Files and folders by their names in the state folder. */
const plain = ['record.key', 'record.pub', 'head.key', 'secret.key', 'policies', 'rules', 'secret-rules', 'trust', 'vouched', 'tls', 'records']

/** All that a restore puts back, or out of the way. */
export const restored: readonly string[] = [...databases, ...besideDatabases, ...plain]

const evidenceSuffix = '.forensics'
const deepest = 16

export const manifestName = 'manifest.json'

export const Manifest = z.strictObject({
  schemaVersion: z.literal(1),
  /** Of the Dayfly that made it. */
  version: z.string(),
  /** Wall ms. */
  createdAt: z.number(),
  host: z.string(),
  evidence: z.boolean(),
  files: z.array(
    z.strictObject({
      /** In the state folder, with `/` between its parts. */
      path: z.string(),
      /** In the archive. */
      member: z.string(),
      bytes: z.int().min(0),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  ),
})
export type Manifest = z.infer<typeof Manifest>

/** A path of the state folder that a restore may write: in one of the known places, and nowhere that leads elsewhere. */
export const isRestorable = (path: string): boolean => {
  const parts = path.split('/')
  const known = parts.length === 1 ? restored.includes(path) && !besideDatabases.includes(path) : plain.includes(parts[0] ?? '')
  return known && parts.length <= deepest && parts.every(part => part !== '' && part !== '.' && part !== '..' && !part.includes('\0'))
}

/** Paths of ordinary files below `name`, relative to the state folder; nothing for what is not there. Links are left out. */
const filesIn = (stateDir: string, name: string, evidence: boolean, depth = 0): string[] => {
  const found = lstatSync(join(stateDir, name), { throwIfNoEntry: false })
  if (found === undefined || depth > deepest) return []
  if (found.isFile()) return [name]
  if (!found.isDirectory() || (!evidence && name.startsWith('records/') && name.endsWith(evidenceSuffix))) return []
  return readdirSync(join(stateDir, name))
    .toSorted()
    .flatMap(entry => filesIn(stateDir, `${name}/${entry}`, evidence, depth + 1))
}

/** All but the databases. */
export const plainFiles = (stateDir: string, evidence: boolean): string[] => plain.flatMap(name => filesIn(stateDir, name, evidence))
