/**
 * Resolvers that run, found by asking the kernel: a file that tells a pid can be missing when its writer was killed. A resolver is a process of the
 * host (not of a container, which can call itself anything) that runs as root or as the resolvers' user with our configuration as its argument.
 */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { errnoOf } from '../../base/errors.ts'

export interface ProcessIdentity {
  readonly pid: number
  /** Clock ticks after boot: field 22 of /proc/PID/stat. */
  readonly startTime: number
}

export interface ResolverProcess extends ProcessIdentity {
  /** Name of its folder. */
  readonly name: string
  /** A fork of a resolver that answers one TCP connection; it ends by itself. */
  readonly fork: boolean
}

const configName = 'dnsmasq.conf'

/** Ends of processes while one looks at them are no errors. */
const gone = (error: unknown): boolean => ['ENOENT', 'ESRCH', 'EACCES'].includes(errnoOf(error) ?? '')

/** Parent and start time. */
const statOf = (pid: number): { parent: number; startTime: number; dead: boolean } => {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return { parent: Number(fields[1]), startTime: Number(fields[19]), dead: fields[0] === 'Z' || fields[0] === 'X' }
}

export const isAlive = ({ pid, startTime }: ProcessIdentity): boolean => {
  try {
    const stat = statOf(pid)
    return stat.startTime === startTime && !stat.dead
  } catch (error) {
    if (gone(error)) return false
    throw error
  }
}

/** The children of a living process. */
export const forksOf = ({ pid }: ProcessIdentity): ProcessIdentity[] => {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(text => text !== '').map(Number) // biome-ignore format: one chain
    return children.flatMap(child => {
      try {
        return [{ pid: child, startTime: statOf(child).startTime }]
      } catch (error) {
        if (gone(error)) return []
        throw error
      }
    })
  } catch (error) {
    if (gone(error)) return []
    throw error
  }
}

/** All whose configuration is `<root>/<name>/dnsmasq.conf`. `uid`: that of the resolvers' user. */
export const resolverProcesses = (root: string, uid: number): ResolverProcess[] => {
  const own = readlinkSync('/proc/self/ns/mnt')
  const found = readdirSync('/proc').flatMap(entry => {
    if (!/^\d+$/.test(entry)) return []
    const pid = Number(entry)
    try {
      const config = /^--conf-file=(.*)$/.exec(readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[1] ?? '')?.[1]
      if (config === undefined || basename(config) !== configName || dirname(dirname(config)) !== root) return []
      const { uid: owner } = statSync(`/proc/${pid}`)
      if ((owner !== 0 && owner !== uid) || readlinkSync(`/proc/${pid}/ns/mnt`) !== own) return []
      const { parent, startTime, dead } = statOf(pid)
      return dead ? [] : [{ pid, startTime, parent, name: basename(dirname(config)) }]
    } catch (error) {
      if (gone(error)) return []
      throw error
    }
  })
  const pids = new Set(found.map(({ pid }) => pid))
  return found.map(({ pid, startTime, parent, name }) => ({ pid, startTime, name, fork: pids.has(parent) }))
}
