/** Open sockets of a network namespace, as /proc/PID/net of a process in it lists them. */
import { open } from 'node:fs/promises'
import { errnoOf } from '../../base/errors.ts'
import type { Gaps } from './gaps.ts'

export interface SocketEntry {
  readonly protocol: string
  /** As the kernel calls it, e.g. `ESTABLISHED`; of unix sockets and others undefined. */
  readonly state?: string
  /** Address and port, or a path. */
  readonly local: string
  readonly remote?: string
  readonly uid?: number
  readonly inode: number
  /** Which of the described processes have it open. */
  readonly pids: readonly number[]
}

const longestList = 4 * 1024 * 1024

const states: Readonly<Record<string, string>> = {
  ...{ '01': 'ESTABLISHED', '02': 'SYN_SENT', '03': 'SYN_RECV', '04': 'FIN_WAIT1', '05': 'FIN_WAIT2', '06': 'TIME_WAIT' },
  ...{ '07': 'CLOSE', '08': 'CLOSE_WAIT', '09': 'LAST_ACK', '0A': 'LISTEN', '0B': 'CLOSING', '0C': 'NEW_SYN_RECV' },
}

/** `0100007F:1F90` → `127.0.0.1:8080`: 32-bit words in the host's order, which is little-endian wherever Dayfly runs. */
export const socketAddress = (text: string): string => {
  const [address = '', port = ''] = text.split(':')
  const words = address.match(/.{8}/g) ?? []
  const bytes = Buffer.concat(words.map(word => Buffer.from(word, 'hex').reverse()))
  const number = Number.parseInt(port, 16)
  if (bytes.length === 4) return `${bytes.join('.')}:${number}`
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16))
  return `[${groups.join(':')}]:${number}`
}

const internet = (protocol: string, line: string): SocketEntry | undefined => {
  const [, local, remote, state, , , , uid, , inode] = line.trim().split(/\s+/)
  if (local === undefined || remote === undefined || inode === undefined || !/^[0-9A-F]+:[0-9A-F]{4}$/.test(local)) return undefined
  const isTcp = protocol.startsWith('tcp')
  return {
    protocol,
    ...(isTcp ? { state: states[state ?? ''] ?? state ?? '' } : {}),
    ...{ local: socketAddress(local), remote: socketAddress(remote), uid: Number(uid), inode: Number(inode), pids: [] },
  }
}

const unix = (line: string): SocketEntry | undefined => {
  const match = /^\S+: \S+ \S+ \S+ \S+ \S+ +(\d+)(?: (.*))?$/.exec(line)
  return match ? { protocol: 'unix', local: match[2] ?? '', inode: Number(match[1]), pids: [] } : undefined
}

const packet = (line: string): SocketEntry | undefined => {
  const fields = line.trim().split(/\s+/)
  return fields.length >= 9 && /^\d+$/.test(fields[8] ?? '')
    ? { protocol: 'packet', local: `interface ${fields[4]}`, uid: Number(fields[7]), inode: Number(fields[8]), pids: [] }
    : undefined
}

const lists: readonly { readonly name: string; readonly read: (line: string) => SocketEntry | undefined }[] = [
  ...['tcp', 'tcp6', 'udp', 'udp6', 'raw', 'raw6'].map(name => ({ name, read: (line: string) => internet(name, line) })),
  { name: 'unix', read: unix },
  { name: 'packet', read: packet },
]

const readList = async (path: string, gaps: Gaps): Promise<string[]> => {
  try {
    await using file = await open(path)
    let text = ''
    for await (const piece of file.createReadStream({ autoClose: false, encoding: 'utf8', end: longestList - 1 })) text += piece
    if (text.length >= longestList) gaps.note('lists of sockets are cut off', path)
    return text.split('\n').slice(1)
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EINVAL'].includes(errnoOf(error) ?? '')) return []
    throw error
  }
}

/** `holders`: which processes have a socket open, by its inode. */
export const describeSockets = async (pid: number, holders: ReadonlyMap<number, readonly number[]>, gaps: Gaps): Promise<SocketEntry[]> => {
  const all: SocketEntry[] = []
  for (const { name, read } of lists) {
    for (const line of await readList(`/proc/${pid}/net/${name}`, gaps)) {
      const entry = read(line)
      if (entry !== undefined) all.push({ ...entry, pids: holders.get(entry.inode) ?? [] })
    }
  }
  return all
}
