/** fd.* and fs.path.*: files and sockets. */
import type { KernelEvent } from '../../model/kernel-event.ts'
import type { EventContext } from './context.ts'
import { field, lackingField } from './define.ts'
import type { Field, FieldType, Scalar } from './field.ts'
import { resolvePath } from './resolve-path.ts'
import type { Side, Sides } from './tuples.ts'
import { isInternet, sidesOf, tupleText, versionOf } from './tuples.ts'

/** Events about one file that a descriptor stands for. */
const isFile = ({ type, syscall }: KernelEvent): boolean =>
  type === 'open' ||
  type === 'open_by_handle_at' ||
  type === 'memfd' ||
  ((type === 'chmod' || type === 'chown') && syscall?.startsWith('fch') === true && !syscall.includes('at'))

const pathOf = (context: EventContext): string | undefined => (isFile(context.event) ? resolvePath(context, context.event.path) : undefined)

/** What the event returned, where that is a descriptor, or the one that it was about. A failed open has -1. */
const numberOf = ({ type, fd, result }: KernelEvent): number | undefined => {
  if (fd !== undefined) return fd
  if (['open', 'open_by_handle_at', 'memfd', 'accept', 'socket', 'dup'].includes(type)) return result < 0 ? -1 : result
  return undefined
}

const typeOf = ({ event }: EventContext): string | undefined => {
  if (event.socket) {
    const version = versionOf(event.socket)
    return version === undefined ? event.socket.family : `ipv${version}`
  }
  if (event.type === 'memfd') return 'memfd'
  if (!isFile(event)) return undefined
  return ((event.openFlags ?? 0) & 0o200000) !== 0 ? 'directory' : 'file'
}

/** A failed open is of a file all the same. */
const letters: Readonly<Record<string, string>> = {
  file: 'f',
  directory: 'd',
  ipv4: '4',
  ipv6: '6',
  unix: 'u',
  memfd: 'm',
  netlink: 'n',
  packet: 'o',
  vsock: 'o',
  other: 'o',
}

const protocols: Readonly<Record<number, string>> = { 1: 'icmp', 6: 'tcp', 17: 'udp', 58: 'icmp', 255: 'raw' }

const ofSide = (
  name: string,
  type: FieldType,
  doc: string,
  side: keyof Sides,
  of: (side: Side) => Scalar | undefined,
  extra?: Parameters<typeof field>[4],
): Field =>
  field(
    name,
    type,
    doc,
    ({ event }) => {
      const sides = sidesOf(event)
      return sides && of(sides[side])
    },
    extra,
  )

const sideNames = { c: ['client', "client's"], s: ['server', "server's"], l: ['local', 'local'], r: ['remote', 'remote'] } as const
/** Names that the instance asked for and was told that address for: whatever it is called elsewhere. */
const nameField = (name: string, whose: string, side: keyof Sides): Field =>
  field(
    name,
    'string',
    `Names that the instance was told the ${whose} address for`,
    ({ event, namesOf }) => {
      const address = sidesOf(event)?.[side].address
      const names = address === undefined ? undefined : namesOf?.(address)
      return names && names.length > 0 ? names : undefined
    },
    { holds: 'any', plain: true },
  )

const sideFields = Object.entries(sideNames).flatMap(([letter, [side, whose]]) => [
  ofSide(`fd.${letter}ip`, 'address', `The ${whose} address`, side, ({ address }) => address),
  ofSide(`fd.${letter}port`, 'port', `The ${whose} port`, side, ({ port }) => port),
  nameField(`fd.${letter}ip.name`, whose, side),
  ofSide(`fd.${letter}net`, 'network', `The ${whose} address, compared with networks`, side, ({ address }) => address, {
    plain: true,
    conditionOnly: true,
  }),
])

const both = (name: string, type: FieldType, doc: string, of: (side: Side) => Scalar | undefined): Field =>
  field(
    name,
    type,
    doc,
    ({ event }) => {
      const sides = sidesOf(event)
      const values = sides ? [of(sides.client), of(sides.server)].filter(value => value !== undefined) : []
      return values.length === 0 ? undefined : values
    },
    { holds: 'any', plain: true, conditionOnly: true },
  )

const directoryOf = (context: EventContext): string | undefined => {
  const path = pathOf(context)
  if (path === undefined) return undefined
  if (typeOf(context) === 'directory') return path
  return path.slice(0, path.lastIndexOf('/')) || '/'
}

/** Which of an event's paths are what. Links: the source is the new name, the target what it leads to, as in Falco. */
const paths: Readonly<
  Record<string, readonly [name: 'path' | 'target' | undefined, source: 'path' | 'target' | undefined, target: 'path' | 'target' | undefined]>
> = {
  ...Object.fromEntries(
    ['open', 'unlink', 'mkdir', 'mknod', 'chmod', 'chown', 'setxattr', 'truncate', 'open_by_handle_at', 'chroot'].map(type => [
      type,
      ['path', undefined, undefined] as const,
    ]),
  ),
  umount: ['target', undefined, undefined],
  ...{
    rename: [undefined, 'path', 'target'],
    link: [undefined, 'target', 'path'],
    symlink: [undefined, 'target', 'path'],
    mount: [undefined, 'path', 'target'],
  },
}

const pathField = (name: string, doc: string, which: 0 | 1 | 2, isRaw: boolean): Field =>
  field(name, 'string', doc, context => {
    const { event } = context
    const key = event.result < 0 ? undefined : paths[event.type]?.[which]
    if (key === undefined) return undefined
    // What a symbolic link leads to, and what is mounted, need not be a path.
    const isText = isRaw || (event.type === 'mount' && key === 'path' && event.path?.startsWith('/') !== true)
    return isText ? event[key] : resolvePath(context, event[key])
  })

export const descriptorFields: readonly Field[] = [
  field('fd.num', 'number', 'Descriptor; -1 for an open that failed', ({ event }) => numberOf(event)),
  field('fd.type', 'string', 'file, directory, ipv4, ipv6, unix, netlink, packet, vsock, memfd or other', typeOf),
  field('fd.typechar', 'string', 'f, d, 4, 6, u, n, m or o', context => letters[typeOf(context) ?? '']),
  field(
    'fd.name',
    'string',
    'Path of a file, or both sides of a connection: 10.0.0.2:4444->1.2.3.4:80',
    context => (context.event.socket ? tupleText(context.event) : pathOf(context)),
    {
      costly: true,
    },
  ),
  field('fd.nameraw', 'string', 'Path as the event has it', ({ event }) => (isFile(event) ? event.path?.replace(/\/{2,}/g, '/') : undefined)),
  field('fd.directory', 'string', 'Folder of a file', directoryOf),
  field('fd.filename', 'string', 'Last name of a file', context => {
    const path = typeOf(context) === 'directory' ? undefined : pathOf(context)
    return path?.slice(path.lastIndexOf('/') + 1)
  }),
  both('fd.ip', 'address', 'Either address', ({ address }) => address),
  both('fd.net', 'network', 'Either address, compared with networks', ({ address }) => address),
  both('fd.port', 'port', 'Either port', ({ port }) => port),
  both('fd.proto', 'port', 'Either port', ({ port }) => port),
  ...sideFields,
  ...(['c', 's', 'l', 'r'] as const).map(letter =>
    ofSide(`fd.${letter}proto`, 'string', `The ${sideNames[letter][1]} port, as text`, sideNames[letter][0], ({ port }) =>
      port === undefined ? undefined : String(port),
    ),
  ),
  field('fd.l4proto', 'string', 'tcp, udp, icmp or raw', ({ event }) =>
    event.socket && isInternet(event.socket) ? protocols[event.socket.protocol] : undefined,
  ),
  field('fd.sockfamily', 'string', 'ip or unix', ({ event }) => {
    if (!event.socket) return undefined
    if (isInternet(event.socket)) return 'ip'
    return event.socket.family === 'unix' ? 'unix' : undefined
  }),
  field('fd.is_server', 'boolean', 'Whether the process is the side that was asked', ({ event }) =>
    event.socket ? ['bind', 'listen', 'accept'].includes(event.type) : undefined,
  ),
  field('fd.connected', 'boolean', 'Whether the socket is connected', ({ event }) => {
    if (!event.socket) return undefined
    return event.type === 'accept' || event.type === 'dup' || (event.type === 'connect' && event.result >= 0)
  }),
  field('fd.name_changed', 'boolean', 'Whether this event gave the socket its other side', ({ event }) =>
    event.socket ? ['connect', 'accept', 'bind', 'sendto'].includes(event.type) : undefined,
  ),
  field('fd.uid', 'string', 'Thread and descriptor', ({ event }) => {
    const number = numberOf(event)
    return number === undefined ? undefined : `${event.tid}${number}`
  }),
  field('fd.containername', 'string', 'Instance and fd.name', context => {
    const name = context.event.socket ? tupleText(context.event) : pathOf(context)
    return name === undefined ? undefined : `${context.subject.instance}:${name}`
  }),
  field('fd.containerdirectory', 'string', 'Instance and fd.directory', context => {
    const directory = directoryOf(context)
    return directory === undefined ? undefined : `${context.subject.instance}:${directory}`
  }),
  field('fd.ino', 'number', 'Inode of a file', ({ event }) => (isFile(event) ? event.inode : undefined)),
  field('fd.is_upper_layer', 'boolean', "Whether the file is not the image's", ({ event }) =>
    isFile(event) ? (event.flags?.includes('upper') ?? false) : undefined,
  ),
  field('fd.is_lower_layer', 'boolean', "Whether the file is the image's", ({ event }) =>
    isFile(event) ? !event.flags?.includes('upper') : undefined,
  ),
  pathField(
    'fs.path.name',
    'Path of an event that succeeded and has one: open, unlink, mkdir, mknod, chmod, chown, setxattr, truncate, umount, chroot',
    0,
    false,
  ),
  pathField('fs.path.nameraw', 'The same as it was told', 0, true),
  pathField('fs.path.source', 'rename: the old name. link, symlink: the new one. mount: what is mounted', 1, false),
  pathField('fs.path.sourceraw', 'The same as it was told', 1, true),
  pathField('fs.path.target', 'rename: the new name. link, symlink: what it leads to. mount: where', 2, false),
  pathField('fs.path.targetraw', 'The same as it was told', 2, true),
  ...['fd.dev', 'fd.dev.major', 'fd.dev.minor'].map(name => lackingField(name, 'number', 'the sensor does not tell it')),
  lackingField('fd.types', 'string', 'Dayfly keeps no table of descriptors', { holds: 'list', argument: { need: 'optional', kind: 'index' } }),
  ...['fdlist.nums', 'fdlist.names', 'fdlist.cips', 'fdlist.sips', 'fdlist.cports', 'fdlist.sports'].map(name =>
    lackingField(name, 'string', 'there are no events of poll'),
  ),
]
