/** The OCI bundle of a cell: config.json and the files under /etc that Dayfly gives every container. */
import { writeFileSync } from 'node:fs'
import type { BindMount, ContainerMount, ResourceLimit } from '../../host/oci/config.ts'
import { ociConfig, ociText } from '../../host/oci/config.ts'
import type { WorkloadSpec } from '../../model/workload.ts'
import { filesProgram } from './files.ts'
import type { CellPaths } from './layout.ts'
import { overwrite } from './overwrite.ts'

export interface ContainerUser {
  readonly uid: number
  readonly gid: number
  readonly additionalGids: readonly number[]
}

export interface BundleRequest {
  readonly workload: WorkloadSpec
  readonly user: ContainerUser
  readonly hostname: string
  readonly firstId: number
  readonly cgroup2: boolean
  readonly seccomp: string | undefined
  readonly mounts: readonly ContainerMount[]
  readonly sysctls: Readonly<Record<string, string>>
  readonly resourceLimits: readonly ResourceLimit[]
  /** Program of a first process that reaps orphans and hands signals on; undefined: the command is the first process. */
  readonly init: string | undefined
  /** Where the program dayfly-files is found by the runtime. */
  readonly files: string
}

/** In /dev, where no image has anything. */
const initPath = '/dev/init'

export const writeBundle = (paths: CellPaths, request: BundleRequest): void => {
  const { workload } = request
  const taken = new Set(request.mounts.map(({ destination }) => destination))
  const binds: BindMount[] = [
    ...[
      { source: paths.hosts, destination: '/etc/hosts' },
      { source: paths.hostname, destination: '/etc/hostname' },
      { source: paths.resolv, destination: '/etc/resolv.conf' },
    ].filter(({ destination }) => !taken.has(destination)),
    ...(workload.secrets.length > 0 ? [{ source: paths.secrets, destination: '/run/secrets' }] : []),
  ]
  const config = ociConfig({
    process: {
      args: request.init === undefined ? workload.command : [initPath, '--', ...workload.command],
      env: workload.env,
      user: request.user,
      cwd: workload.workdir,
      terminal: workload.tty,
      capabilities: workload.capabilities,
      limits: request.resourceLimits,
    },
    rootfs: paths.rootfs,
    readOnly: workload.readOnly,
    hostname: request.hostname,
    firstId: request.firstId,
    memory: workload.limits.memory,
    sysfs: paths.sysfs,
    cgroup2: request.cgroup2,
    shm: workload.shmSize,
    mounts: [
      ...request.mounts,
      { type: 'bind', source: request.files, destination: filesProgram, readOnly: true, executable: true },
      ...(request.init === undefined
        ? []
        : [{ type: 'bind', source: request.init, destination: initPath, readOnly: true, executable: true } as const]),
    ],
    ...(Object.keys(request.sysctls).length === 0 ? {} : { sysctls: request.sysctls }),
    binds,
    // The runtime is started in the monitor's namespace: that is its own.
    networkNamespace: workload.runtime === 'runsc' ? '/proc/self/ns/net' : undefined,
    seccomp: request.seccomp,
  })
  writeFileSync(paths.config, ociText(config), { mode: 0o600 })
}

/** The files that the container has mounted, empty: who it is and what it may reach is told before its start. */
export const makeEtcFiles = (paths: CellPaths): void => {
  for (const file of [paths.hostname, paths.hosts, paths.resolv]) writeFileSync(file, '', { mode: 0o644 })
}

/** In place: a container that already exists sees the new content, because it has these very files mounted. */
export const writeNames = (paths: CellPaths, hostname: string, address: string, more: Readonly<Record<string, string>> = {}): void => {
  overwrite(paths.hostname, `${hostname}\n`)
  const [short] = hostname.split('.')
  const names = short === hostname ? hostname : `${hostname} ${short}`
  const further = Object.entries(more).map(([name, of]) => `${of}\t${name}\n`)
  overwrite(paths.hosts, `127.0.0.1\tlocalhost\n${address}\t${names}\n${further.join('')}`)
}

export const writeNameservers = (paths: CellPaths, nameservers: readonly string[]): void => {
  overwrite(paths.resolv, nameservers.map(server => `nameserver ${server}\n`).join(''))
}
