/**
 * What lies where on disk. A *cell* is one monitor with its namespaces, network and cgroup: what an instance runs in. Cells are made ahead
 * of time and get their instance later, so their folders go by cell id and `owner.json` tells whose they are.
 *
 *   <run>/instances/<cell>/      monitor.sock monitor.pid config.json rootfs layers sys secrets mounts state exit owner.json   gone with the instance
 *   <run>/resolvers/<bridge>/    an environment's name server: its files and its log                        gone with the environment
 *   <state>/scratch/<cell>/      upper work configs                                                     the container's own writes; its configuration
 *   <state>/environments/<id>/   environment.json volumes                                              what its instances share; gone with it
 */
import { readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DayflyError, errnoOf } from '../../base/errors.ts'

export interface CellPaths {
  readonly folder: string
  readonly socket: string
  readonly monitorPid: string
  readonly config: string
  readonly rootfs: string
  readonly sysfs: string
  readonly secrets: string
  readonly runtimeState: string
  readonly exit: string
  /** Where `exit` is written to. Made before the start: it being there means that the container may have run. */
  readonly exitReserved: string
  readonly owner: string
  readonly hosts: string
  readonly hostname: string
  readonly resolv: string
  /** What is mounted from elsewhere, by number. */
  readonly attached: string
  readonly scratch: string
  /** Configuration files, by number. */
  readonly configs: string
  readonly upper: string
  readonly work: string
}

export interface Layout {
  readonly cells: string
  readonly scratch: string
  readonly environments: string
  readonly resolvers: string
  cell(id: string): CellPaths
}

/** A unix socket's path has at most 107 bytes; the longest under a cell's folder is its monitor's. */
const longestSocket = '/instances/i0123456789a/monitor.sock'.length

export const layout = (stateDir: string, runDir: string): Layout => {
  if (Buffer.byteLength(runDir) + longestSocket > 107) {
    throw new DayflyError('invalid', `--run-dir ${runDir} is too long for the sockets in it`, {
      field: '--run-dir',
      remedy: `Use a path of at most ${107 - longestSocket} bytes, e.g. /run/dayfly.`,
    })
  }
  const cells = join(runDir, 'instances')
  const scratch = join(stateDir, 'scratch')
  return {
    cells,
    scratch,
    environments: join(stateDir, 'environments'),
    resolvers: join(runDir, 'resolvers'),
    cell: id => {
      const folder = join(cells, id)
      const own = join(scratch, id)
      return {
        folder,
        socket: join(folder, 'monitor.sock'),
        monitorPid: join(folder, 'monitor.pid'),
        config: join(folder, 'config.json'),
        rootfs: join(folder, 'rootfs'),
        sysfs: join(folder, 'sys'),
        secrets: join(folder, 'secrets'),
        runtimeState: join(folder, 'state'),
        exit: join(folder, 'exit'),
        exitReserved: join(folder, 'exit.new'),
        owner: join(folder, 'owner.json'),
        hosts: join(folder, 'hosts'),
        hostname: join(folder, 'hostname'),
        resolv: join(folder, 'resolv.conf'),
        attached: join(folder, 'mounts'),
        scratch: own,
        configs: join(own, 'configs'),
        upper: join(own, 'upper'),
        work: join(own, 'work'),
      }
    },
  }
}

/**
 * The root of a container is an unprivileged user of the host, who must be able to walk to its root file system. Throws `invalid` naming the first
 * folder on the way that does not let others through.
 */
export const assertTraversable = (runDir: string): void => {
  for (let folder = runDir; ; folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0) {
      throw new DayflyError('invalid', `--run-dir ${runDir}: containers cannot pass through ${folder}`, {
        field: '--run-dir',
        remedy: `chmod o+x ${folder}, or use a folder like /run/dayfly.`,
      })
    }
    if (folder === dirname(folder)) return
  }
}

/** Names in a folder; none when it is not there. */
export const childrenOrNone = (folder: string): string[] => {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
}
