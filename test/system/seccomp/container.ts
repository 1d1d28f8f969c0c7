/** A throw-away crun container over this machine's own /usr, with every capability and no user namespace: only seccomp stands in the way. */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const capabilities = [
  'CAP_SYS_ADMIN',
  'CAP_NET_ADMIN',
  'CAP_NET_RAW',
  'CAP_BPF',
  'CAP_PERFMON',
  'CAP_DAC_READ_SEARCH',
  'CAP_DAC_OVERRIDE',
  'CAP_SYS_PTRACE',
  'CAP_SYS_TTY_CONFIG',
  'CAP_AUDIT_WRITE',
  'CAP_AUDIT_CONTROL',
  'CAP_SETUID',
  'CAP_SETGID',
]

export interface Result {
  readonly stdout: string
  readonly stderr: string
  readonly code: number
}

const config = (command: readonly string[], seccomp: string | undefined, binds: Readonly<Record<string, string>>): object => ({
  ociVersion: '1.0.0',
  process: {
    user: { uid: 0, gid: 0 },
    args: command,
    env: ['PATH=/usr/sbin:/usr/bin:/opt/node'],
    cwd: '/',
    capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
    noNewPrivileges: true,
  },
  root: { path: 'rootfs', readonly: true },
  hostname: 'seccomp',
  mounts: [
    { destination: '/proc', type: 'proc', source: 'proc' },
    { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['mode=755'] },
    { destination: '/dev/pts', type: 'devpts', source: 'devpts', options: ['newinstance', 'ptmxmode=0666', 'mode=0620'] },
    { destination: '/tmp', type: 'tmpfs', source: 'tmpfs' },
    ...Object.entries(binds).map(([destination, source]) => ({ destination, type: 'bind', source, options: ['rbind', 'ro'] })),
  ],
  linux: { namespaces: ['pid', 'network', 'ipc', 'uts', 'mount'].map(type => ({ type })) },
  ...(seccomp === undefined ? {} : { annotations: { 'run.oci.seccomp_bpf_data': seccomp } }),
})

/** Runs a command under the filter (base64), or under none. `binds`: folders or files of this machine, by where they appear. */
export const runInContainer = async (
  command: readonly string[],
  seccomp: string | undefined,
  binds: Readonly<Record<string, string>> = {},
): Promise<Result> => {
  const folder = mkdtempSync(join(tmpdir(), 'dayfly-seccomp-'))
  const rootfs = join(folder, 'rootfs')
  try {
    for (const name of ['usr', 'etc', 'proc', 'dev', 'tmp', 'opt/node', 'var/lib']) mkdirSync(join(rootfs, name), { recursive: true })
    for (const name of ['bin', 'lib', 'lib64', 'sbin']) symlinkSync(`usr/${name}`, join(rootfs, name))
    writeFileSync(join(folder, 'config.json'), JSON.stringify(config(command, seccomp, { '/usr': '/usr', '/etc': '/etc', ...binds })))
    // crun does not take a host whose cgroups are mounted both ways: the v2 mount is hidden from it, in a mount namespace of its own.
    const unmount = existsSync('/sys/fs/cgroup/unified') ? 'umount -l /sys/fs/cgroup/unified; ' : ''
    const script = `${unmount}exec crun --root "$1/state" --cgroup-manager=disabled run --bundle "$1" seccomp-test`
    return await promisify(execFile)('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', folder]).then(
      ({ stdout, stderr }) => ({ stdout, stderr, code: 0 }),
      (error: Error & Partial<Result>) => ({ stdout: error.stdout ?? '', stderr: error.stderr ?? error.message, code: Number(error.code ?? 1) }),
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
}
