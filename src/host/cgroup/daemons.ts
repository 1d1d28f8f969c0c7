/** Where the groups of a daemon are, and whether it lives: known to whoever looks, without asking it. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where a daemon's helper and monitors live: outside its service's own group, so that stopping the service ends none of them. No container is ever put into it. */
export const monitorsGroup = 'monitors'

/** The folder of all groups of the daemon that has this share of the host. */
export const daemonGroup = (slice: number): string => `dayfly-${slice}`

/** Where the groups of a name at the top of each hierarchy are, if they are. */
export const cgroupTops = (parent: string): string[] =>
  readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .flatMap(line => {
      const [, folder = '', type = ''] = line.split(' ')
      return type.startsWith('cgroup') ? [join(folder, parent)] : []
    })

/** A helper or a monitor of this slice lives. */
export const isLivedIn = (slice: number): boolean =>
  cgroupTops(daemonGroup(slice))
    .map(top => join(top, monitorsGroup, 'cgroup.procs'))
    .some(file => existsSync(file) && readFileSync(file, 'latin1') !== '')
