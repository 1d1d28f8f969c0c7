/** What is on the host, from Debian's own sources: /etc, /proc, dpkg's list, lsblk. What osquery tells of the same is in osquery.ts. */
import { readdir, readFile, readlink } from 'node:fs/promises'
import { arch } from 'node:os'
import { z } from 'zod'
import type { HostInventoryView } from '../../../api/schemas/host.ts'
import { parseOsRelease } from '../../../scan/packages/system/os-release.ts'
import { outputOf } from './program.ts'

export type Tables = Omit<HostInventoryView, 'source' | 'takenAt' | 'problems'>

/** /usr/sbin/nologin, /bin/false, and no shell at all but sync's, which lets nobody in. */
export const isLogin = (shell: string): boolean => shell !== '' && !/\/(nologin|false|sync|shutdown|halt)$/.test(shell)

export const usersOf = (passwd: string): Tables['users'] =>
  passwd.split('\n').flatMap(line => {
    const [name, , uid, gid, , home = '', shell = ''] = line.split(':')
    if (!name || !/^\d+$/.test(uid ?? '') || !/^\d+$/.test(gid ?? '')) return []
    return [{ name, uid: Number(uid), gid: Number(gid), home, shell, login: isLogin(shell) }]
  })

/** Groups of four bytes, each in the machine's order, which is little-endian on all that Dayfly runs on. */
const addressOf = (hex: string): string => {
  const bytes = Buffer.from(hex, 'hex')
  for (let at = 0; at < bytes.length; at += 4) bytes.subarray(at, at + 4).reverse()
  if (bytes.length === 4) return [...bytes].join('.')
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16))
  const text = new URL(`http://[${groups.join(':')}]/`).hostname
  return text.slice(1, -1)
}

export const reachOf = (address: string): 'loopback' | 'network' => (/^127\.|^::1$|^::ffff:7f/.test(address) ? 'loopback' : 'network')

interface Socket {
  readonly protocol: 'tcp' | 'udp'
  readonly address: string
  readonly port: number
  readonly inode: string
}

/** Lines of /proc/net/{tcp,udp}{,6}: what listens (state 0A), and UDP sockets that are bound and connected to nobody (07). */
export const socketsOf = (text: string, protocol: 'tcp' | 'udp'): Socket[] =>
  text.split('\n').flatMap(line => {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/)
    const [, address, port] = /^([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/.exec(local ?? '') ?? []
    if (address === undefined || port === undefined || inode === undefined || state !== (protocol === 'tcp' ? '0A' : '07')) return []
    return [{ protocol, address: addressOf(address), port: Number.parseInt(port, 16), inode }]
  })

/** Processes of the host, those whose sockets these are: by inode. */
const ownersOf = async (inodes: ReadonlySet<string>): Promise<ReadonlyMap<string, { pid: number; process: string }>> => {
  const owners = new Map<string, { pid: number; process: string }>()
  for (const pid of await readdir('/proc')) {
    if (owners.size === inodes.size) break
    if (!/^\d+$/.test(pid)) continue
    // Processes end meanwhile.
    for (const descriptor of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      const inode = /^socket:\[(\d+)\]$/.exec(await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => ''))?.[1]
      if (inode === undefined || !inodes.has(inode) || owners.has(inode)) continue
      owners.set(inode, { pid: Number(pid), process: (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')).trim() })
    }
  }
  return owners
}

const listeners = async (): Promise<Tables['listeners']> => {
  const read = async (protocol: 'tcp' | 'udp'): Promise<Socket[]> =>
    (await Promise.all(['', '6'].map(version => readFile(`/proc/net/${protocol}${version}`, 'utf8').catch(() => '')))).flatMap(text =>
      socketsOf(text, protocol),
    )
  const sockets = [...(await read('tcp')), ...(await read('udp'))]
  const owners = await ownersOf(new Set(sockets.map(({ inode }) => inode)))
  return sockets.map(({ protocol, address, port, inode }) => {
    const owner = owners.get(inode)
    return { protocol, address, port, process: owner?.process ?? null, pid: owner?.pid ?? null, reach: reachOf(address) }
  })
}

interface Block {
  readonly name: string
  readonly type: string
  readonly size: number | string | null
  readonly fstype?: string | null | undefined
  readonly mountpoint?: string | null | undefined
  readonly children?: Block[] | undefined
}
const Block: z.ZodType<Block> = z.lazy(() =>
  z.object({
    name: z.string(),
    type: z.string(),
    size: z.union([z.number(), z.string()]).nullable(),
    fstype: z.string().nullish(),
    mountpoint: z.string().nullish(),
    children: z.array(Block).optional(),
  }),
)

/** Of `lsblk --json --bytes`. What is on an encrypted device is encrypted too. */
export const disksOf = (text: string): Tables['disks'] => {
  const { blockdevices } = z.object({ blockdevices: z.array(Block) }).parse(JSON.parse(text))
  const flat = (block: Block, within: boolean): Tables['disks'] => {
    const encrypted = within || block.type === 'crypt' || block.fstype === 'crypto_LUKS'
    const { name, type, size, fstype, mountpoint, children = [] } = block
    const own = { name, type, size: size === null ? null : Number(size), mount: mountpoint ?? null, fileSystem: fstype ?? null, encrypted }
    return [own, ...children.flatMap(child => flat(child, encrypted))]
  }
  return blockdevices.filter(({ type }) => type !== 'loop' && type !== 'rom').flatMap(block => flat(block, false))
}

/** Packages of which something is installed. */
export const countPackages = (status: string): number => status.match(/^Status: \S+ \S+ (?!not-installed|config-files)\S+$/gm)?.length ?? 0

const text = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '')

/** What one thing cannot be found out, the others can: `problem` is told of it. */
export const tablesFromFiles = async (problem: (text: string) => void): Promise<Tables> => {
  const tried = async <T>(what: string, work: () => Promise<T>, otherwise: T): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      problem(`${what}: ${error instanceof Error ? error.message : String(error)}`)
      return otherwise
    }
  }
  const release = parseOsRelease((await text('/etc/os-release')) || (await text('/usr/lib/os-release')))
  const name = /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(await text('/etc/os-release'))?.[1]
  return {
    os: { name: name ?? release?.id ?? '', version: release?.version ?? '', codename: release?.codename ?? '', architecture: arch() },
    kernel: {
      release: (await text('/proc/sys/kernel/osrelease')).trim(),
      version: (await text('/proc/sys/kernel/version')).trim(),
    },
    bootedAt: Number(/^btime (\d+)$/m.exec(await text('/proc/stat'))?.[1] ?? 0) * 1000,
    packages: countPackages(await text('/var/lib/dpkg/status')),
    users: await tried('users', async () => usersOf(await readFile('/etc/passwd', 'utf8')), []),
    listeners: await tried('listeners', listeners, []),
    disks: await tried(
      'disks',
      async () => disksOf(await outputOf('lsblk', ['--json', '--bytes', '--output', 'NAME,TYPE,SIZE,FSTYPE,MOUNTPOINT'], 5_000)),
      [],
    ),
  }
}
