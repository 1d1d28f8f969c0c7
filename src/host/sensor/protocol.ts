/** The lines of native/sensor/PROTOCOL.md: what the sensor says besides events, and how it is told something. */
import { DayflyError } from '../../base/errors.ts'
import type { KernelEventType, SensedEvent, SensorCounts } from '../../model/kernel-event.ts'

/** Versions that this client speaks: of commands and messages, and of events. */
export const apiVersion = 1
export const schemaVersion = 1

/** Cookies are from 1 to this; the sensor's own, of strangers, are above. */
export const maximumCookie = 2 ** 52 - 1

export type Enforcement = 'off' | 'audit' | 'enforce'

/** What is asked of the sensor for one cookie. Nothing given: ordinary events, nothing enforced. */
export interface SensorFlags {
  /** Every open that succeeds, not only those of sensitive and of watched paths. */
  readonly allOpens?: boolean
  /** Programs that are not in the image: told as `would_deny`, or killed before their first instruction. */
  readonly droppedBinaries?: Enforcement
  /** Connections and datagrams to anything but loopback: told as `would_deny`, or refused with EPERM. Pid namespaces only. */
  readonly connections?: Enforcement
  /** bind(2) to an address that others than this host's own processes reach: told as `would_deny`, or refused with EPERM. Pid namespaces only. */
  readonly listeners?: Enforcement
  /** Scripts that are not in the image, executed as programs: told as `would_deny`, or refused with EPERM. Registrations with a `pid` only. */
  readonly scripts?: Enforcement
}

export type PathKind = 'sensitive' | 'write'

export interface ReadyLine {
  readonly type: 'ready'
  readonly api: number
  readonly schema: number
  /** Of the sensor's own pid namespace: 0 for the host's. */
  readonly level: number
  readonly kernel: string
  readonly probes: readonly string[]
  readonly missing: readonly { readonly probe: string; readonly reason: string }[]
}

export interface FailedLine {
  readonly type: 'failed'
  readonly reason: 'btf' | 'permission' | 'kernel' | 'memory' | 'usage'
  readonly message: string
}

export interface AckLine {
  readonly type: 'ack'
  readonly tag: number
  /** 0, or a positive errno. */
  readonly errno: number
  readonly message?: string
  readonly counts?: SensorCounts
}

/** The SHA-256 of a program, for the exec of that process and inode that was told without one. */
export interface SensedHash {
  readonly type: 'hash'
  readonly cookie: number
  readonly pid: number
  readonly start: number
  readonly inode: number
  readonly sha256: string
}

/** What has been lost of one cookie since its registration. */
export interface SensedLosses {
  readonly type: 'losses'
  readonly cookie: number
  readonly dropped: Readonly<Partial<Record<KernelEventType, number>>>
}

/** A pid namespace that nobody registered, and the cookie that its events have. */
export interface Stranger {
  readonly type: 'stranger'
  readonly cookie: number
  readonly pid: number
  readonly pidNamespace: number
  readonly cgroupId: number
  readonly cgroup: string
}

/** A stranger has ended, and all of it is told. */
export interface StrangerGone {
  readonly type: 'gone'
  readonly cookie: number
  readonly counts: SensorCounts
}

export type Line = ReadyLine | FailedLine | AckLine | SensedHash | SensedLosses | Stranger | StrangerGone | SensedEvent

const bits = {
  off: { droppedBinaries: 0, connections: 0, scripts: 0, listeners: 0 },
  audit: { droppedBinaries: 2, connections: 8, scripts: 32, listeners: 128 },
  enforce: { droppedBinaries: 4, connections: 16, scripts: 64, listeners: 256 },
} as const
const enforced = ['droppedBinaries', 'connections', 'scripts', 'listeners'] as const

export const encodeFlags = (flags: SensorFlags): number =>
  enforced.reduce((sum, what) => sum + bits[flags[what] ?? 'off'][what], flags.allOpens === true ? 1 : 0)

/** A path as a word of a command. Throws `invalid` for what can be none. */
export const encodePath = (path: string): string => {
  if (!path.startsWith('/')) throw new DayflyError('invalid', `"${path}" is no absolute path`, { field: 'path', remedy: 'Begin it with a slash.' })
  if (path.includes('\0')) throw new DayflyError('invalid', 'a path with a NUL byte', { field: 'path' })
  let word = ''
  for (const byte of Buffer.from(path)) {
    word += byte > 0x20 && byte < 0x7f && byte !== 0x25 ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return word
}

/** Throws `invalid` for what the sensor could not tell from another. */
export const checkCookie = (cookie: number): number => {
  if (!Number.isSafeInteger(cookie) || cookie < 1)
    throw new DayflyError('invalid', `${cookie} is no cookie`, { field: 'cookie', remedy: 'Count them up from 1.' })
  return cookie
}
