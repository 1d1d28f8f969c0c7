/** Who is at the other end of a connection to the daemon's socket, by name: the record says who did what. */
import { fstatSync, readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { messageOf } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'

/** The user id of whoever connected to a unix socket of this process, by its descriptor and inode. */
export type PeerUid = (descriptor: number, inode: number) => Promise<number>

export interface PeerOptions {
  /** Undefined where nobody can tell. */
  readonly uidOf: PeerUid | undefined
  /** The daemon's user, who is named where nobody can tell. */
  readonly owner: string
  readonly log: Log
  readonly passwd?: string
}

/** Node keeps the descriptor of a connection to itself, but for this. */
const descriptorOf = (socket: Socket): number | undefined => {
  const handle: unknown = Reflect.get(socket, '_handle')
  const fd: unknown = typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'fd') : undefined
  return typeof fd === 'number' && fd >= 0 ? fd : undefined
}

/** The first name that a user id has in a file like /etc/passwd; `uid 1000` where it has none. */
const nameOf = (uid: number, passwd: string): string => {
  const named = readFileSync(passwd, 'utf8')
    .split('\n')
    .map(line => line.split(':'))
    .find(([, , number]) => number === `${uid}`)
  return named?.[0] || `uid ${uid}`
}

/** Asked once for each connection. Never rejects. */
export const createPeers = ({ uidOf, owner, log, passwd = '/etc/passwd' }: PeerOptions): ((socket: Socket) => Promise<string>) => {
  const known = new WeakMap<Socket, Promise<string>>()

  const ask = async (socket: Socket): Promise<string> => {
    try {
      const descriptor = descriptorOf(socket)
      if (uidOf === undefined || descriptor === undefined) return owner
      const uid = await uidOf(descriptor, fstatSync(descriptor).ino)
      return uid === process.getuid?.() ? owner : nameOf(uid, passwd)
    } catch (error) {
      log.warn('it is not known who has connected: what they do is recorded as done by the user of the daemon', { owner, error: messageOf(error) })
      return owner
    }
  }

  return socket => {
    const before = known.get(socket)
    if (before !== undefined) return before
    const asked = ask(socket)
    known.set(socket, asked)
    return asked
  }
}
