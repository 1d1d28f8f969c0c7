/** One daemon a folder. */
import { spawnSync } from 'node:child_process'
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
import { disposable } from '../../base/dispose.ts'
import { DayflyError, exhaustionOf, messageOf } from '../../base/errors.ts'

/** The first write to a folder finds out whether it can be written to at all. */
const writing = <T>(folder: string, field: string, work: () => T): T => {
  try {
    return work()
  } catch (error) {
    throw new DayflyError('host', `${field}: ${folder} cannot be written to: ${messageOf(error)}`, {
      field,
      remedy: exhaustionOf(error)?.remedy ?? 'Choose a folder that the daemon may write to.',
      cause: error,
    })
  }
}

/**
 * Holds `<folder>/daemon.lock` until it is disposed of or this process dies: the kernel knows no stale lock. Node has no flock(2): flock(1) locks
 * the open file description that it shares with us, and ends. Throws `conflict` naming the process that holds it.
 */
export const lockFolder = (folder: string, field: string): Disposable => {
  const path = `${folder}/daemon.lock`
  const file = writing(folder, field, () => openSync(path, 'a+', 0o600))
  const { status, error } = spawnSync('flock', ['--exclusive', '--nonblock', '3'], { stdio: ['ignore', 'ignore', 'ignore', file] })
  if (status !== 0) {
    closeSync(file)
    if (error !== undefined) throw new DayflyError('host', 'flock is not installed', { remedy: 'apt-get install util-linux', cause: error })
    const holder = readFileSync(path, 'utf8').trim()
    throw new DayflyError('conflict', `${field}: a daemon runs on ${folder} already${holder === '' ? '' : ` (process ${holder})`}`, {
      field,
      remedy: `Use that one, or give this one folders of its own with --state-dir and --run-dir.`,
    })
  }
  try {
    writing(folder, field, () => {
      ftruncateSync(file)
      writeSync(file, `${process.pid}\n`)
    })
  } catch (error) {
    closeSync(file)
    throw error
  }
  return disposable(() => closeSync(file))
}
