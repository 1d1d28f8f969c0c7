/** Files and folders that must be whole after a crash. */
import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { DayflyError, errnoOf } from '../../base/errors.ts'
import { run } from './process.ts'

export const syncFolder = async (path: string): Promise<void> => {
  await using folder = await open(path, 'r')
  await folder.sync()
}

/** Either the old content or the new is there, whatever happens. */
export const writeJson = async (path: string, value: unknown): Promise<void> => {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.${randomBytes(6).toString('hex')}`)
  try {
    {
      await using file = await open(temporary, 'wx', 0o600)
      await file.writeFile(JSON.stringify(value))
      await file.sync()
    }
    await rename(temporary, path)
    await syncFolder(dirname(path))
  } catch (error) {
    await rm(temporary, { force: true })
    throw diskError(error, path)
  }
}

/** Undefined when it does not exist. */
export const readJson = async (path: string): Promise<unknown> => {
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw new DayflyError('host', `cannot read ${path}`, { cause: error })
  }
}

export const makeFolder = async (path: string, mode: number): Promise<void> => {
  await mkdir(path, { recursive: true, mode }).catch((error: unknown) => {
    throw diskError(error, path)
  })
}

/** By rm(1): names in a layer are bytes, which Node's own rm takes for UTF-8 and then does not find. */
export const removeTree = async (path: string): Promise<void> => {
  const { code, stderr } = await run('rm', ['-rf', '--one-file-system', '--', path])
  if (code !== 0) throw new DayflyError('host', `cannot remove ${path}: ${stderr.trim().split('\n').at(-1)}`)
}

export const diskError = (error: unknown, path: string): unknown => {
  if (error instanceof DayflyError) return error
  const errno = errnoOf(error)
  if (errno === undefined) return error
  const full = errno === 'ENOSPC' || errno === 'EDQUOT'
  const remedy = full ? { remedy: 'Free some space: `dayfly image gc` removes images that nothing uses.' } : {}
  return new DayflyError('host', full ? `the disk that holds ${path} is full` : `cannot write ${path}: ${errno}`, { cause: error, ...remedy })
}
