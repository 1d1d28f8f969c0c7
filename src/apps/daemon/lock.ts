/** One daemon a folder. */
import { spawnSync } from 'node:child_process'
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
import { disposable } from '../../base/dispose.ts'
import { DayflyError } from '../../base/errors.ts'

/**
 * Holds `<folder>/daemon.lock` until it is disposed of or this process dies: the kernel knows no stale lock. Node has no flock(2): flock(1) locks
 * the open file description that it shares with us, and ends. Throws `conflict` naming the process that holds it.
 */
export const lockFolder = (folder: string, field: string): Disposable => {
  const path = `${folder}/daemon.lock`
  const file = openSync(path, 'a+', 0o600)
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
  ftruncateSync(file)
  writeSync(file, `${process.pid}\n`)
  return disposable(() => closeSync(file))
}
