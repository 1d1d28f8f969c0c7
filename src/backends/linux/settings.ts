/** A workload's sysctls and limits of resources, told apart by who can set them. Pure. */
import { DayflyError } from '../../base/errors.ts'
import type { ResourceLimit } from '../../host/oci/config.ts'
import type { WorkloadSpec } from '../../model/workload.ts'

export interface Sysctls {
  /** Below /proc/sys/net, as paths: the network namespace is the monitor's, so that only it can. */
  readonly network: readonly { readonly name: string; readonly path: string; readonly value: string }[]
  /** Of the IPC namespace, which is the container's: the runtime sets them. With dots. */
  readonly ipc: Readonly<Record<string, string>>
}

const invalid = (name: string, message: string, remedy: string): DayflyError =>
  new DayflyError('invalid', `sysctls.${name}: ${message}`, { field: `sysctls.${name}`, remedy })

/** As sysctl(8) has it: in a name with dots `/` stands for a dot of an interface's name. */
const pathOf = (name: string): string => [...name].map(letter => (letter === '.' ? '/' : letter === '/' ? '.' : letter)).join('')

/** Throws `invalid`, field `sysctls.<name>`. */
export const splitSysctls = ({ sysctls = {}, runtime }: Pick<WorkloadSpec, 'sysctls' | 'runtime'>): Sysctls => {
  const network: { name: string; path: string; value: string }[] = []
  const ipc: Record<string, string> = {}
  for (const [name, value] of Object.entries(sysctls)) {
    if (runtime === 'runsc') throw invalid(name, 'gVisor has a kernel of its own, without it', 'Leave it out, or use the runtime crun.')
    const path = pathOf(name)
    if (!path.startsWith('net/')) ipc[name] = value
    else if (!path.startsWith('net/ipv6/')) network.push({ name, path: path.slice('net/'.length), value })
    else if (!/^net\/ipv6\/conf\/[^/]+\/disable_ipv6$/.test(path) || value.trim() !== '1') {
      throw invalid(name, 'instances have no IPv6', 'Leave it out.')
    }
  }
  return { network, ipc }
}

const names: ReadonlySet<string> = new Set(
  'as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(' '),
)

/** Throws `invalid`, field `ulimits.<name>`. */
export const resourceLimits = ({ ulimits = {} }: Pick<WorkloadSpec, 'ulimits'>): ResourceLimit[] =>
  Object.entries(ulimits).map(([name, { soft, hard }]) => {
    const field = `ulimits.${name}`
    if (!names.has(name)) throw new DayflyError('invalid', `${field}: there is no such limit`, { field, remedy: `One of: ${[...names].join(', ')}.` })
    if (hard !== -1 && (soft === -1 || soft > hard)) {
      throw new DayflyError('invalid', `${field}: the soft limit is above the hard one`, { field, remedy: 'Let it be as low.' })
    }
    return { name, soft: soft === -1 ? undefined : soft, hard: hard === -1 ? undefined : hard }
  })

export const cannotRaise = (name: string, cause: unknown): DayflyError =>
  new DayflyError('denied', `ulimits.${name}: this host does not let the limit be raised`, {
    field: `ulimits.${name}`,
    remedy: 'Ask for less, or run the daemon with CAP_SYS_RESOURCE or a higher hard limit of its own.',
    cause,
  })

export const unknownSysctl = (name: string, cause: unknown): DayflyError =>
  new DayflyError('invalid', `sysctls.${name}: the kernel does not take it`, {
    field: `sysctls.${name}`,
    remedy: 'See /proc/sys/net of a network namespace.',
    cause,
  })
