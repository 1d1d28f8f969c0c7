/**
 * A backup becomes the state again. First all of it is unpacked beside the state and verified; only then names are exchanged, by a plan that is on the disk: a
 * crash in the middle is finished by the next daemon, or by the next restore. What was there is kept aside.
 */
import { createHash, randomBytes } from 'node:crypto'
import {
  closeSync,
  createReadStream,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createZstdDecompress } from 'node:zlib'
import { z } from 'zod'
import { DayflyError, messageOf } from '../../../base/errors.ts'
import { readTar } from '../../../seal/tar.ts'
import { faultOf } from '../../../store/copy.ts'
import { databases, isRestorable, Manifest, manifestName, restored } from './contents.ts'
import { scratchPrefix } from './take.ts'

const planName = 'restore.json'
const stagingPrefix = 'restoring-'
const asidePrefix = 'before-restore-'
const largestManifest = 256 * 1024 * 1024

const Plan = z.strictObject({
  staging: z.string().startsWith(stagingPrefix),
  aside: z.string().startsWith(asidePrefix),
  names: z.array(z.enum(restored)),
})
type Plan = z.infer<typeof Plan>

const corrupt = (message: string): DayflyError =>
  new DayflyError('corrupt', `the backup ${message}`, { field: 'FILE', remedy: 'Nothing was changed. Use another backup.' })

const syncFolder = (path: string): void => {
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

/** Each rename is done, or was. */
const carryOut = (stateDir: string, { staging, aside, names }: Plan): void => {
  mkdirSync(join(stateDir, aside), { recursive: true, mode: 0o700 })
  for (const name of names) {
    const [from, to, old] = [join(stateDir, staging, name), join(stateDir, name), join(stateDir, aside, name)]
    const coming = existsSync(from)
    // Where something came from the backup already, what is there now is that.
    if (existsSync(to) && !existsSync(old) && (coming || !existsSync(join(stateDir, staging, `${name}.done`)))) renameSync(to, old)
    if (!coming) continue
    writeFileSync(join(stateDir, staging, `${name}.done`), '')
    renameSync(from, to)
  }
  syncFolder(stateDir)
  rmSync(join(stateDir, planName), { force: true })
  rmSync(join(stateDir, staging), { recursive: true, force: true })
  if (readdirSync(join(stateDir, aside)).length === 0) rmSync(join(stateDir, aside), { recursive: true })
}

/** Finishes a restore that was cut off, and removes what one that never began, or a backup, has left. The caller holds the folder's lock. */
export const finishRestore = (stateDir: string): void => {
  const path = join(stateDir, planName)
  if (existsSync(path)) carryOut(stateDir, Plan.parse(JSON.parse(readFileSync(path, 'utf8'))))
  for (const name of readdirSync(stateDir)) {
    if (name.startsWith(stagingPrefix) || name.startsWith(scratchPrefix)) rmSync(join(stateDir, name), { recursive: true, force: true })
  }
}

interface Unpacked {
  readonly bytes: number
  readonly sha256: string
}

const textOf = async (content: AsyncIterable<Uint8Array>, size: number): Promise<string> => {
  if (size > largestManifest) throw corrupt('has a manifest that is too large')
  const pieces: Uint8Array[] = []
  for await (const piece of content) pieces.push(piece)
  return Buffer.concat(pieces).toString()
}

const readManifest = (text: string): Manifest => {
  try {
    return Manifest.parse(JSON.parse(text))
  } catch (cause) {
    throw new DayflyError('corrupt', `the backup has a manifest that cannot be read: ${messageOf(cause)}`, {
      field: 'FILE',
      remedy: 'Nothing was changed.',
      cause,
    })
  }
}

/** Members by their names into files that are named by numbers; the manifest comes last. */
const unpack = async (
  file: string,
  folder: string,
): Promise<{ manifest: Manifest; found: ReadonlyMap<string, Unpacked & { readonly path: string }> }> => {
  const found = new Map<string, Unpacked & { readonly path: string }>()
  let manifest: Manifest | undefined
  const raw = createReadStream(file)
  const content = file.endsWith('.zst') ? raw.pipe(createZstdDecompress()) : raw
  raw.on('error', error => content.destroy(error))
  for await (const { name, size, content: bytes } of readTar(content)) {
    if (manifest !== undefined) throw corrupt('has something after its manifest')
    if (name === manifestName) {
      manifest = readManifest(await textOf(bytes, size))
      continue
    }
    if (found.has(name)) throw corrupt(`has ${name} twice`)
    const path = join(folder, String(found.size))
    const hash = createHash('sha256')
    await using to = await open(path, 'wx', 0o600)
    for await (const piece of bytes) {
      hash.update(piece)
      await to.write(piece)
    }
    await to.sync()
    found.set(name, { path, bytes: size, sha256: hash.digest('hex') })
  }
  if (manifest === undefined) throw corrupt('has no manifest: it was cut off')
  return { manifest, found }
}

export interface Restored {
  readonly files: number
  readonly createdAt: number
  readonly host: string
  readonly version: string
  /** Where what was there is now; undefined: there was nothing. */
  readonly aside: string | undefined
}

/**
 * The caller holds the folder's lock, so no daemon runs on it. Throws `conflict` where there is a state already and `force` is not set, and `corrupt` for a file
 * that is not whole, or not what it says; nothing has changed then.
 */
export const restoreBackup = async (stateDir: string, file: string, force: boolean): Promise<Restored> => {
  finishRestore(stateDir)
  const there = restored.filter(name => existsSync(join(stateDir, name)))
  if (there.length > 0 && !force) {
    throw new DayflyError('conflict', `--state-dir: ${stateDir} has a state already: ${there.join(', ')}`, {
      field: '--state-dir',
      remedy: 'Name an empty folder, or say --force: what is there is then kept aside.',
    })
  }
  const staging = `${stagingPrefix}${randomBytes(4).toString('hex')}`
  const [unpacked, ready] = [join(stateDir, `${staging}-members`), join(stateDir, staging)]
  try {
    for (const folder of [unpacked, ready]) mkdirSync(folder, { mode: 0o700 })
    const { manifest, found } = await unpack(file, unpacked)
    const paths = new Set<string>()
    for (const { path, member, bytes, sha256 } of manifest.files) {
      const one = found.get(member)
      if (!isRestorable(path) || paths.has(path)) throw corrupt(`names ${JSON.stringify(path)}, which is nothing to restore`)
      if (one === undefined) throw corrupt(`has not got ${path}`)
      if (one.bytes !== bytes || one.sha256 !== sha256) throw corrupt(`has another ${path} than its manifest says`)
      paths.add(path)
      mkdirSync(dirname(join(ready, path)), { recursive: true, mode: 0o700 })
      renameSync(one.path, join(ready, path))
      found.get(member)
    }
    if (manifest.files.length !== found.size) throw corrupt('has members that its manifest does not name')
    if (!paths.has('dayfly.sqlite')) throw corrupt('has no store')
    for (const name of databases) {
      const fault = paths.has(name) ? faultOf(join(ready, name)) : undefined
      if (fault !== undefined) throw corrupt(`has a damaged ${name}: ${fault}`)
    }
    syncFolder(ready)
    const aside = `${asidePrefix}${new Date().toISOString().replaceAll(/[:.]/g, '-')}`
    const plan: Plan = { staging, aside, names: [...restored] }
    const path = join(stateDir, planName)
    writeFileSync(`${path}.new`, JSON.stringify(plan), { mode: 0o600, flush: true })
    renameSync(`${path}.new`, path)
    syncFolder(stateDir)
    carryOut(stateDir, plan)
    const { createdAt, host, version } = manifest
    return { files: paths.size, createdAt, host, version, aside: there.length > 0 ? join(stateDir, aside) : undefined }
  } finally {
    for (const folder of [unpacked, ...(existsSync(join(stateDir, planName)) ? [] : [ready])]) rmSync(folder, { recursive: true, force: true })
  }
}
