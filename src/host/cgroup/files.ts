/** Reading and writing the files of cgroups, with errors that say what to do. */
import { closeSync, constants, mkdirSync, openSync, readdirSync, readFileSync, rmdirSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { DayflyError, errnoOf, messageOf } from '../../base/errors.ts'

const remedies: Readonly<Record<string, string>> = {
  EACCES: 'Run the daemon as root.',
  EPERM: 'Run the daemon as root, outside a container that keeps its cgroups read-only.',
  EROFS: 'Cgroups are mounted read-only: run the daemon outside a container, or in one with its own writable cgroups.',
  ENOENT: 'The kernel has this controller switched off: boot without cgroup_disable=.',
  EBUSY: 'Something is still in the group, or its parent has processes of its own: on cgroup v2 these must move into a child group.',
  EINVAL: 'The kernel refuses the value: ask for a limit that this host can give.',
  ENOSPC: 'The host has no more cgroups: end something, or raise cgroup.max.descendants of the parent.',
  ENODEV: 'The kernel cannot limit this disk.',
}

const failure = (attempt: string, error: unknown): DayflyError => {
  const remedy = remedies[errnoOf(error) ?? '']
  return new DayflyError('host', `${attempt}: ${messageOf(error)}`, remedy === undefined ? { cause: error } : { cause: error, remedy })
}

/** True when the group, or this file of it, is not there. ENODEV is what a file says that was opened before its group went. */
const isGone = (error: unknown): boolean => errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENODEV'

/** As the kernel wants it: one write, into a file that exists. Throws `host` naming file, value and remedy; `cause` is the system's error. */
export const writeControl = (file: string, value: string): void => {
  try {
    const fd = openSync(file, constants.O_WRONLY)
    try {
      writeSync(fd, value)
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    throw failure(`writing "${value}" to ${file}`, error)
  }
}

/** undefined when there is no such file: the group is gone, or has no such control. */
export const readControl = (file: string): string | undefined => {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    if (isGone(error)) return undefined
    throw failure(`reading ${file}`, error)
  }
}

/** The number behind `key` in a text of lines `key number`; 0 when it is not there. */
export const keyedNumber = (text: string | undefined, key: string): number => {
  const line = text?.split('\n').find(entry => entry.startsWith(`${key} `))
  return line === undefined ? 0 : Number(line.slice(key.length + 1))
}

/** False when it was there. */
export const makeFolder = (folder: string): boolean => {
  try {
    mkdirSync(folder)
    return true
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false
    throw failure(`making the cgroup ${folder}`, error)
  }
}

/** Names of the groups directly below. */
export const childrenOf = (folder: string): string[] => {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap(entry => (entry.isDirectory() ? [entry.name] : []))
  } catch (error) {
    if (isGone(error)) return []
    throw failure(`reading ${folder}`, error)
  }
}

/** The folder and everything below it, children first. */
const withDescendants = (folder: string): string[] => [...childrenOf(folder).flatMap(name => withDescendants(join(folder, name))), folder]

/** Pids in a group and below. 0, which stands for a process outside this pid namespace, is left out: it cannot be named from here. */
export const processesIn = (folder: string): number[] =>
  withDescendants(folder).flatMap(each =>
    (readControl(join(each, 'cgroup.procs')) ?? '').split('\n').flatMap(line => (line === '' || line === '0' ? [] : [Number(line)])),
  )

/** Removes one folder. True when it is gone; false while something is in it. */
export const removeFolder = (folder: string): boolean => {
  try {
    rmdirSync(folder)
    return true
  } catch (error) {
    const errno = errnoOf(error)
    if (errno === 'EBUSY' || errno === 'ENOTEMPTY') return false
    if (isGone(error)) return true
    throw failure(`removing the cgroup ${folder}`, error)
  }
}

/** As removeFolder, with all below it. Looks below only when it must: listing a group's folder costs more than removing it. */
export const removeTree = (folder: string): boolean => removeFolder(folder) || withDescendants(folder).every(removeFolder)
