/** What is on the host, by osquery's shell. It is not part of Debian; where it is installed it is asked, for it knows more systems than Debian. */
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { z } from 'zod'
import { outputOf } from './program.ts'
import type { Tables } from './tables.ts'
import { isLogin, reachOf } from './tables.ts'

const places = ['/usr/bin/osqueryi', '/usr/local/bin/osqueryi', '/opt/osquery/bin/osqueryi'] as const
/** ms */
const patience = 30_000

/** undefined: it is not on this host. */
export const findOsquery = async (): Promise<string | undefined> => {
  for (const path of places) {
    const runs = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (runs) return path
  }
  return undefined
}

const Scalar = z.union([z.string(), z.number(), z.null()])
const Row = z.record(z.string(), Scalar)
type Row = z.infer<typeof Row>
const Parts = z.array(z.object({ part: z.string(), found: z.string() }))

/** What is asked of each table, by the name of the part. */
const questions = {
  os: ['os_version', ['name', 'version', 'codename', 'arch']],
  kernel: ['kernel_info', ['version']],
  uptime: ['uptime', ['total_seconds']],
  packages: ['(SELECT count(*) AS count FROM deb_packages)', ['count']],
  users: ['users', ['username', 'uid', 'gid', 'directory', 'shell']],
  ports: [
    `(SELECT l.protocol, l.address, l.port, l.pid, p.name FROM listening_ports l LEFT JOIN processes p ON p.pid = l.pid
      WHERE l.family IN (2, 10) AND l.port <> 0)`,
    ['protocol', 'address', 'port', 'pid', 'name'],
  ],
  disks: [
    '(SELECT b.name, b.type, b.size, b.block_size, e.encrypted FROM block_devices b LEFT JOIN disk_encryption e ON e.name = b.name)',
    ['name', 'type', 'size', 'block_size', 'encrypted'],
  ],
  mounts: ["(SELECT device, path, type FROM mounts WHERE device LIKE '/dev/%')", ['device', 'path', 'type']],
} as const

/** In one question: starting the shell costs more than answering. */
const query = Object.entries(questions)
  .map(([part, [table, columns]]) => {
    const members = columns.map(column => `'${column}', ${column}`).join(', ')
    return `SELECT '${part}' AS part, json_group_array(json_object(${members})) AS found FROM ${table}`
  })
  .join(' UNION ALL ')

const ask = async (program: string): Promise<(part: keyof typeof questions) => Row[]> => {
  const text = await outputOf(program, ['--json', '--disable_events', '--disable_database', '--ephemeral', query], patience)
  const parts = new Map(Parts.parse(JSON.parse(text)).map(({ part, found }) => [part, z.array(Row).parse(JSON.parse(found))]))
  return part => parts.get(part) ?? []
}

const number = (row: Row | undefined, name: string): number => Number(row?.[name] ?? 0) || 0
const some = (row: Row | undefined, name: string): string => String(row?.[name] ?? '')

/** Rejects with `host` when it cannot be asked. */
export const tablesFromOsquery = async (program: string): Promise<Tables> => {
  const rows = await ask(program)
  const [[os], [kernel], [uptime], [packages]] = [rows('os'), rows('kernel'), rows('uptime'), rows('packages')]
  const [users, ports, disks, mounts] = [rows('users'), rows('ports'), rows('disks'), rows('mounts')]
  return {
    os: { name: some(os, 'name'), version: some(os, 'version'), codename: some(os, 'codename'), architecture: some(os, 'arch') },
    kernel: { release: some(kernel, 'version'), version: '' },
    bootedAt: Math.round(Date.now() / 1000 - number(uptime, 'total_seconds')) * 1000,
    packages: number(packages, 'count'),
    users: users.map(row => ({
      ...{ name: some(row, 'username'), uid: number(row, 'uid'), gid: number(row, 'gid'), home: some(row, 'directory'), shell: some(row, 'shell') },
      login: isLogin(some(row, 'shell')),
    })),
    listeners: ports.map(row => ({
      ...{ protocol: number(row, 'protocol') === 17 ? ('udp' as const) : ('tcp' as const), address: some(row, 'address'), port: number(row, 'port') },
      ...{ process: some(row, 'name') || null, pid: number(row, 'pid') > 0 ? number(row, 'pid') : null, reach: reachOf(some(row, 'address')) },
    })),
    disks: disks
      .filter(row => !/^\/dev\/(loop|ram|nbd|zram)/.test(some(row, 'name')))
      .map(row => {
        const mount = mounts.find(({ device }) => device === row['name'])
        const size = number(row, 'size') * number(row, 'block_size')
        return {
          ...{ name: some(row, 'name').replace(/^\/dev\//, ''), type: some(row, 'type') || 'disk', size: size > 0 ? size : null },
          ...{ mount: some(mount, 'path') || null, fileSystem: some(mount, 'type') || null, encrypted: number(row, 'encrypted') === 1 },
        }
      }),
  }
}
