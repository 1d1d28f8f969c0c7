import { existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes the folder and those above it that are missing. Throws the system's error of the first that cannot be made: Node's own `recursive` says ENOENT
 * on a read-only file system, and in /proc it never returns.
 */
export const makeFolderPath = (path: string, mode: number): void => {
  if (existsSync(path)) {
    if (statSync(path).isDirectory()) return
    throw Object.assign(new Error(`ENOTDIR: ${path} is not a folder`), { code: 'ENOTDIR' })
  }
  const above = dirname(path)
  if (above !== path) makeFolderPath(above, mode)
  try {
    mkdirSync(path, mode)
  } catch (error) {
    // Somebody else was quicker.
    if (!existsSync(path) || !statSync(path).isDirectory()) throw error
  }
}
