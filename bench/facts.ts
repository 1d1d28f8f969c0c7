/** What this machine is, so that a number can be compared with another day's. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem } from 'node:os'

export interface Facts {
  readonly date: string
  readonly system: string
  readonly kernel: string
  readonly processor: string
  readonly cores: number
  /** Bytes. */
  readonly memory: number
  readonly cgroup: 'v2' | 'v1' | 'hybrid'
  readonly versions: Readonly<Record<string, string>>
}

const cgroupMode = (): Facts['cgroup'] => {
  if (existsSync('/sys/fs/cgroup/cgroup.controllers')) return 'v2'
  return existsSync('/sys/fs/cgroup/unified/cgroup.controllers') ? 'hybrid' : 'v1'
}

/** The first version number that `program argument` prints, or undefined where it is not installed. */
export const versionOf = (program: string, argument = '--version'): string | undefined => {
  const { status, stdout } = spawnSync(program, [argument], { encoding: 'utf8' })
  return status === 0 ? (/\d+\.\d+[\w.+~-]*/.exec(stdout)?.[0] ?? 'unknown') : undefined
}

const programs: Readonly<Record<string, readonly [string, string]>> = {
  crun: ['crun', '--version'],
  runsc: ['runsc', '--version'],
  runc: ['runc', '--version'],
  dockerd: ['dockerd', '--version'],
  containerd: ['containerd', '--version'],
  podman: ['podman', '--version'],
}

const osRelease = (name: string): string => new RegExp(`^${name}="?(.*?)"?$`, 'm').exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'unknown'

export const readFacts = (): Facts => ({
  date: new Date().toISOString(),
  system: osRelease('PRETTY_NAME'),
  kernel: release(),
  processor: cpus()[0]?.model ?? 'unknown',
  cores: availableParallelism(),
  memory: totalmem(),
  cgroup: cgroupMode(),
  versions: {
    node: process.version.slice(1),
    ...Object.fromEntries(
      Object.entries(programs).flatMap(([name, [program, argument]]) => {
        const version = versionOf(program, argument)
        return version === undefined ? [] : [[name, version]]
      }),
    ),
  },
})

/** Names the results of like machines alike: `debian12-2cores-cgroup-hybrid`. */
export const hostKind = (facts: Facts): string => `${osRelease('ID')}${osRelease('VERSION_ID')}-${facts.cores}cores-cgroup-${facts.cgroup}`
