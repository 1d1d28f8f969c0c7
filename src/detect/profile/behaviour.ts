/** What an event says of the workload's ways, generalised so that two runs of the same say the same. */
import type { KernelEvent, SocketFacts } from '../../model/kernel-event.ts'
import type { Process } from '../process.ts'
import { capabilityNames } from './capabilities.ts'
import type { Names } from './names.ts'

export const behaviourKinds = ['programs', 'listens', 'connects', 'writes', 'capabilities'] as const
export type BehaviourKind = (typeof behaviourKinds)[number]

export interface Behaviour {
  readonly kind: BehaviourKind
  readonly value: string
}

/** Whatever is in these has names that chance made. */
const scratch = ['/tmp', '/var/tmp', '/dev/shm', '/run/user']
const numbered = /^(?:\d+|[0-9a-f]{8,}|[0-9a-f]{8}-[0-9a-f-]{27})$/i
/** Ports that the kernel gives to whoever names none, as Linux does without further settings. */
const firstEphemeral = 32_768

/** `/proc/812/comm` → `/proc/*`+`/comm`; digits, hashes and UUIDs of a name stand as `*`, and all that is in a folder for scratch. */
export const generalPath = (path: string): string => {
  const folder = scratch.find(each => path === each || path.startsWith(`${each}/`))
  if (folder !== undefined) return path === folder ? folder : `${folder}/*`
  return path
    .split('/')
    .map(part => (numbered.test(part) ? '*' : part.replace(/\d{4,}/g, '*')))
    .join('/')
}

const protocolOf = (socket: SocketFacts): string => (socket.protocol === 17 ? 'udp' : socket.protocol === 6 ? 'tcp' : `ip${socket.protocol}`)
const portOf = (port: number): string => (port >= firstEphemeral ? '*' : String(port))
const isLoopback = (address: string): boolean => address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.')

const listenOf = (socket: SocketFacts): string | undefined => {
  if (socket.family === 'unix') return socket.localAddress === undefined ? undefined : `unix/${generalPath(socket.localAddress)}`
  return socket.localPort === undefined || socket.localPort === 0 ? undefined : `${protocolOf(socket)}/${portOf(socket.localPort)}`
}

const connectOf = (socket: SocketFacts, names: Names): string | undefined => {
  const address = socket.remoteAddress
  if (address === undefined) return undefined
  if (socket.family === 'unix') return `unix/${generalPath(address)}`
  if (socket.family !== 'inet' && socket.family !== 'inet6') return undefined
  if (socket.remotePort === undefined || socket.remotePort === 0) return undefined
  return `${protocolOf(socket)}/${isLoopback(address) ? 'localhost' : (names.namesOf(address).at(-1) ?? address)}:${socket.remotePort}`
}

/** A path that the caller named, from where it starts. */
const resolved = (event: KernelEvent, path: string | undefined): string | undefined => {
  if (path === undefined || path.startsWith('/') || event.directory === undefined) return path
  return `${event.directory === '/' ? '' : event.directory}/${path}`
}

const one = (kind: BehaviourKind, value: string | undefined): Behaviour[] => (value === undefined || value === '' ? [] : [{ kind, value }])

/** None for most events, and none for what an operator has put in. `names` are those that were asked for so far. */
export const behavioursOf = (event: KernelEvent, process: Process, names: Names): readonly Behaviour[] => {
  if (process.origin === 'outside') return []
  switch (event.type) {
    case 'exec': {
      const changed = event.flags?.includes('memfd') ? 'memfd:' : event.flags?.includes('upper') ? 'written:' : ''
      return [...one('programs', event.exe === undefined ? undefined : `${changed}${event.exe}`), ...capabilities(event)]
    }
    case 'capset':
      return capabilities(event)
    case 'listen':
      return event.socket === undefined ? [] : one('listens', listenOf(event.socket))
    case 'bind':
      // Whoever listens on a stream says so with `listen`; a bound datagram socket receives at once.
      return event.socket?.protocol === 17 ? one('listens', listenOf(event.socket)) : []
    case 'connect':
    case 'sendto':
      return event.socket === undefined ? [] : one('connects', connectOf(event.socket, names))
    case 'open':
      return event.flags?.includes('write') && event.result >= 0 ? one('writes', event.path === undefined ? undefined : generalPath(event.path)) : []
    case 'unlink':
    case 'mkdir':
    case 'chmod':
    case 'chown':
      return event.result < 0 ? [] : written(resolved(event, event.path))
    case 'rename':
    case 'link':
    case 'symlink':
      return event.result < 0 ? [] : written(resolved(event, event.target))
    default:
      return []
  }
}

const written = (path: string | undefined): Behaviour[] => one('writes', path === undefined ? undefined : generalPath(path))

const capabilities = (event: KernelEvent): Behaviour[] =>
  event.capabilities === undefined || event.result < 0 ? [] : capabilityNames(event.capabilities).map(value => ({ kind: 'capabilities', value }))
