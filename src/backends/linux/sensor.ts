/**
 * Whom the backend tells what the kernel must know of a container before its first instruction, and what it uses. The daemon gives it; a backend without one
 * works the same, unseen.
 *
 *   register   the pid namespace of a container that was created and has run nothing, under a number that nobody else has: the cookie
 *   bind       the container has become this instance's: a message only, before its start
 *   sample     what the instance has used: at its start and at its end. In between the daemon looks itself
 *   release    nothing of it is left
 */
import { randomBytes } from 'node:crypto'
import { closeSync, fstatSync, openSync } from 'node:fs'
import { disposable } from '../../base/dispose.ts'
import { errnoOf } from '../../base/errors.ts'
import type { UsageFiles } from '../../host/cgroup/usage.ts'
import type { Sample } from '../../model/activity.ts'

export interface Registration {
  /** 1 to 2^52 - 1. */
  readonly cookie: number
  /** Inode of its pid namespace. The kernel does not use it again before `released`. */
  readonly namespace: number
  /** Of its file system, as the host's root sees it, while it lives. */
  readonly root: string
  /** Of its first process, which sees its mounts. */
  readonly pid?: number
  /** It ran before: what it did until now was not seen. */
  readonly adopted: boolean
}

export interface Bound {
  readonly environment: string
  readonly instance: string
  /** undefined: the host's kernel does not see into it (gVisor). */
  readonly cookie: number | undefined
  /** An earlier daemon has started it. One that was not registered has ended since. */
  readonly adopted: boolean
  /** The host's numbers of its users and groups: its own 0 is the first. */
  readonly ids: { readonly first: number; readonly count: number }
  readonly usage: UsageFiles
  /** The host's end of its network. */
  readonly hostInterface: string
}

/** What an instance asked a name server for, as far as that tells. */
export interface NameQuestion {
  readonly environment: string
  readonly instance: string
  /** Wall ms. */
  readonly time: number
  /** The source of the question: with it the process is found that has sent it. */
  readonly port: number
  readonly name: string
  /** Addresses, or `NXDOMAIN`, `REFUSED` …; empty when the log did not tell. */
  readonly answers: readonly string[]
}

export interface Sensor {
  /** `released`: called, once, when the inode may be used again. */
  register(registration: Registration, released: () => void): void
  /**
   * Resolves when the kernel stamps what happens in it, or when there is no sensor and none is demanded. Rejects `host` where one is demanded and does not
   * see it. To be asked right before its start.
   */
  sees(cookie: number): Promise<void>
  bind(bound: Bound): void
  /** `last`: it has ended. */
  sample(sample: Sample, last: boolean): void
  asked(question: NameQuestion): void
  /** `instance` is undefined for a container that never was anybody's. */
  release(cookie: number | undefined, instance: string | undefined): void
}

/** Random, so that no number of an earlier container is ever met again. */
export const newCookie = (): number => Number(randomBytes(8).readBigUInt64LE() >> 12n) || 1

/** A pid namespace that is held: as long as somebody has it open, no other one gets its inode. */
export interface HeldNamespace extends Disposable {
  readonly inode: number
}

/** That of a process; undefined when it has ended. */
export const holdPidNamespace = (pid: number): HeldNamespace | undefined => {
  try {
    const fd = openSync(`/proc/${pid}/ns/pid`, 'r')
    return { inode: fstatSync(fd).ino, ...disposable(() => closeSync(fd)) }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ESRCH') return undefined
    throw error
  }
}
