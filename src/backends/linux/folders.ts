/** Folders that containers have written into. */
import { execFile } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { promisify } from 'node:util'
import { errnoOf } from '../../base/errors.ts'

const run = promisify(execFile)

/** Node goes by path, and a container can make a path longer than the kernel takes; rm goes folder by folder. Idempotent. */
export const removeFolder = async (folder: string): Promise<void> => {
  try {
    await rm(folder, { recursive: true, force: true })
  } catch (error) {
    if (errnoOf(error) !== 'ENAMETOOLONG') throw error
    await run('rm', ['-rf', '--one-file-system', '--', folder])
  }
}
