/** The program that `dayfly restore` runs: it has the state folder to itself. */
import { parseArgs } from 'node:util'
import { DayflyError, errnoOf, exhaustionOf, messageOf } from '../../../base/errors.ts'
import { makeFolderPath } from '../../../base/folder.ts'
import { stderrLog } from '../../../base/log.ts'
import { lockFolder } from '../lock.ts'
import { restoreBackup } from './restore.ts'

const run = async (): Promise<void> => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { 'state-dir': { type: 'string' }, force: { type: 'boolean', default: false } },
  })
  const [file] = positionals
  const stateDir = values['state-dir']
  if (file === undefined || stateDir === undefined)
    throw new DayflyError('invalid', 'FILE: is missing', { field: 'FILE', remedy: 'See `dayfly restore --help`.' })
  makeFolderPath(stateDir, 0o700)
  using _lock = lockFolder(stateDir, '--state-dir')
  try {
    process.stdout.write(`${JSON.stringify(await restoreBackup(stateDir, file, values.force))}\n`)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' || !messageOf(error).includes(file)) throw error
    throw new DayflyError('not_found', `FILE: there is no ${file}`, {
      field: 'FILE',
      remedy: 'Name a file that `dayfly backup` wrote.',
      cause: error,
    })
  }
}

try {
  await run()
} catch (error) {
  const known = error instanceof DayflyError ? error : exhaustionOf(error)
  stderrLog('info').error('the backup is not restored', { process: process.pid, error: known ?? error, remedy: known?.remedy })
  process.exit(known?.exitCode ?? 125)
}
