import { chmodSync } from 'node:fs'
import { DayflyError, errnoOf, messageOf } from '../../base/errors.ts'
import { makeFolderPath } from '../../base/folder.ts'

const makeFolder = (path: string, mode: number, field: string): void => {
  try {
    makeFolderPath(path, mode)
    chmodSync(path, mode)
  } catch (error) {
    throw new DayflyError(errnoOf(error) === 'ENOTDIR' ? 'invalid' : 'host', `${field}: ${path} cannot be made: ${messageOf(error)}`, {
      field,
      remedy: 'Run it with sudo, or choose a folder that you may write to.',
      cause: error,
    })
  }
}

/** State is for the daemon alone. The run folder may be passed through (not listed) by those whom the socket's own mode lets in. */
export const makeFolders = (stateDir: string, runDir: string): void => {
  makeFolder(stateDir, 0o700, '--state-dir')
  makeFolder(runDir, 0o711, '--run-dir')
}
