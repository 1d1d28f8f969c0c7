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
import { readlinkSync } from 'node:fs'
import { errnoOf } from '../../base/errors.ts'
import type { UsageFiles } from '../../host/cgroup/usage.ts'
import type { Sample } from '../../model/activity.ts'

export interface Registration {
  /** 1 to 2^53 - 1. */
  readonly cookie: number
  /** Host pid of its first process. */
  readonly pid: number
  /** Inode of its pid namespace: used again as soon as the namespace is gone. */
  readonly namespace: number
}

export interface Bound {
  readonly environment: string
  readonly instance: string
  /** undefined: the host's kernel does not see into it (gVisor). */
  readonly cookie: number | undefined
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
  register(registration: Registration): void
  /**
   * Resolves when the kernel stamps what happens in it, or when there is no sensor and none is demanded. Rejects `host` where one is demanded and does not
   * see it. To be asked right before its start.
   */
  sees(cookie: number): Promise<void>
  bind(bound: Bound): void
  sample(sample: Sample): void
  asked(question: NameQuestion): void
  /** `instance` is undefined for a container that never was anybody's. */
  release(cookie: number | undefined, instance: string | undefined): void
}

/** Random, so that no number of an earlier container is ever met again. */
export const newCookie = (): number => Number(randomBytes(8).readBigUInt64LE() >> 11n) || 1

/** Inode of the pid namespace of a process; undefined when it has ended. */
export const pidNamespaceOf = (pid: number): number | undefined => {
  try {
    const inode = /^pid:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/ns/pid`))?.[1]
    return inode === undefined ? undefined : Number(inode)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ESRCH') return undefined
    throw error
  }
}
