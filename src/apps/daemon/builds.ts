/** What builds may use up on this host: a cgroup of its own for each, and a deadline. */
import { createHash } from 'node:crypto'
import { availableParallelism, totalmem } from 'node:os'
import { parseBytes } from '../../base/bytes.ts'
import { parseDuration } from '../../base/durations.ts'
import { DayflyError } from '../../base/errors.ts'
import type { Cgroups } from '../../host/cgroup/cgroups.ts'
import { openCgroups } from '../../host/cgroup/cgroups.ts'
import type { BuildGroup, BuildLimits } from '../../host/image/build-group.ts'

export interface BuildBounds {
  /** Cores. */
  readonly cpus: number
  /** Bytes. */
  readonly memory: number
  /** Processes and threads. */
  readonly pids: number
  /** ms */
  readonly timeout: number
}

/** All cores, half of the memory but no more than 4 GiB, half an hour. */
export const defaultBounds = (): BuildBounds => ({
  cpus: availableParallelism(),
  memory: Math.min(4 * 1024 ** 3, Math.floor(totalmem() / 2)),
  pids: 4096,
  timeout: 30 * 60_000,
})

const option = '--build-limits'
const example = `${option} cpus=2,memory=4g,pids=4096,timeout=30m`
const wrong = (text: string, message: string): DayflyError =>
  new DayflyError('invalid', `${option}: "${text}" ${message}`, { field: option, remedy: `Write it like ${example}.` })

const positive = (value: number, text: string): number => {
  if (Number.isFinite(value) && value > 0) return value
  throw wrong(text, 'is not above 0')
}

/** What a timer holds; a longer one would be over at once. */
const longestTimeout = 24 * 86_400_000

const timeoutOf = (value: string, text: string): number => {
  const timeout = positive(parseDuration(value, option), text)
  if (timeout <= longestTimeout) return timeout
  throw wrong(text, 'is longer than 24d')
}

/** `cpus=2,memory=4g,pids=4096,timeout=30m`; what is left out has its default. Throws `invalid` naming the option. */
export const parseBounds = (text: string): BuildBounds => {
  let bounds = defaultBounds()
  for (const pair of text.split(',').filter(part => part !== '')) {
    const [, name = '', value = ''] = /^([a-z]+)=(.+)$/.exec(pair) ?? []
    if (name === 'cpus') bounds = { ...bounds, cpus: positive(Number(value), pair) }
    else if (name === 'memory') bounds = { ...bounds, memory: positive(parseBytes(value, option), pair) }
    else if (name === 'pids') bounds = { ...bounds, pids: Math.floor(positive(Number(value), pair)) }
    else if (name === 'timeout') bounds = { ...bounds, timeout: timeoutOf(value, pair) }
    else throw wrong(pair, 'is none of cpus, memory, pids and timeout')
  }
  return bounds
}

/** Bytes a second, of reading and writing each: builds are not bounded in it, for the disk of their group is not named. */
const unboundedIo = Number.MAX_SAFE_INTEGER

const groupName = 'build'

const emptied = async (cgroups: Cgroups): Promise<void> => {
  const group = cgroups.open(groupName)
  await group.killAll()
  await group.remove()
}

/** Of the builds of the daemon with this state folder, one at a time. The group is there while a build runs; what a killed daemon has left goes now. */
export const openBuildLimits = async ({ cpus, memory, pids, timeout }: BuildBounds, stateDir: string): Promise<BuildLimits> => {
  const parent = `dayfly-build-${createHash('sha256').update(stateDir).digest('hex').slice(0, 8)}`
  const cgroupsOf = (): Cgroups => openCgroups({ parent, device: 'builds are not bounded in it' })
  const left = cgroupsOf()
  await emptied(left)
  left.close()
  const open = async (): Promise<BuildGroup> => {
    const cgroups = cgroupsOf()
    try {
      const group = cgroups.create(groupName, { cpus, memory, pids, io: unboundedIo })
      return {
        join: group.folders.map(folder => `${folder}/cgroup.procs`),
        oomKills: group.oomKills,
        [Symbol.asyncDispose]: async () => {
          await emptied(cgroups)
          cgroups.close()
        },
      }
    } catch (error) {
      cgroups.close()
      throw error
    }
  }
  return { open, memory, timeout }
}
