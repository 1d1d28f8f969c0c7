/** Reading and writing of a group's files, with errors that name file and value. */
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { DayflyError, errnoOf, messageOf } from '../../base/errors.ts'

export const write = (file: string, value: string): void => {
  try {
    writeFileSync(file, value)
  } catch (error) {
    throw new DayflyError('host', `cannot write "${value}" to ${file}: ${messageOf(error)}`, {
      remedy: 'See `dayfly doctor` for what this host is missing.',
      cause: error,
    })
  }
}

/** undefined when the group or this file of it is not there. */
export const read = (file: string): string | undefined => {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const errno = errnoOf(error)
    if (errno === 'ENOENT' || errno === 'ENODEV') return undefined
    throw error
  }
}

export const makeFolder = (folder: string): void => {
  try {
    mkdirSync(folder)
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return
    throw new DayflyError('host', `cannot make the cgroup ${folder}: ${messageOf(error)}`, { remedy: 'Dayfly must run as root, with /sys/fs/cgroup writable.', cause: error })
  }
}

/** The number after `key` in a file of "key number" lines, 0 when there is none. */
export const count = (file: string, key: string): number => Number(new RegExp(`^${key} (\\d+)$`, 'm').exec(read(file) ?? '')?.[1] ?? 0)

export const pidsIn = (folder: string): number[] => {
  const own = (read(`${folder}/cgroup.procs`) ?? '').split('\n').filter(line => line !== '' && line !== '0').map(Number)
  return [...own, ...childrenOf(folder).flatMap(child => pidsIn(`${folder}/${child}`))]
}

export const childrenOf = (folder: string): string[] => {
  try {
    return readdirSync(folder, { withFileTypes: true }).filter(entry => entry.isDirectory()).map(entry => entry.name)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
}

/** A dead process leaves its group only once it has been reaped: try for this long, ms. */
const patience = 5000

export const removeTree = async (folder: string): Promise<void> => {
  for (const child of childrenOf(folder)) await removeTree(`${folder}/${child}`)
  const end = performance.now() + patience
  for (let pause = 0.5; ; pause = Math.min(pause * 2, 50)) {
    try {
      rmdirSync(folder)
      return
    } catch (error) {
      const errno = errnoOf(error)
      if (errno === 'ENOENT') return
      if (errno !== 'EBUSY' || performance.now() > end) {
        throw new DayflyError('host', `cannot remove the cgroup ${folder}: ${messageOf(error)}; processes in it: ${pidsIn(folder).join(' ') || 'none'}`, { cause: error })
      }
    }
    await sleep(pause)
  }
}

/** SIGKILLs until nobody is left. A process that has died and is not yet reaped does not count against it for longer than it takes. */
export const killUntilEmpty = async (processes: () => number[], killOnce: () => void): Promise<void> => {
  const end = performance.now() + patience
  for (let pause = 0.5; processes().length > 0; pause = Math.min(pause * 2, 20)) {
    if (performance.now() > end) throw new DayflyError('host', `processes ${processes().join(' ')} survive SIGKILL`)
    killOnce()
    await sleep(pause)
  }
}

export const killEach = (pids: readonly number[]): void => {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch (error) {
      if (errnoOf(error) !== 'ESRCH') throw error
    }
  }
}
