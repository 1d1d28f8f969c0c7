/**
 * Who is who in one instance, from its events alone: a table of processes, each known by pid and start. Pure; the same events give the same table.
 *
 *   fork      the child begins with all that its parent is
 *   exec      the process is another program from now on
 *   exit      it stays for as long as a child needs its ancestry, and `grace` longer than its end, for events that come late
 *
 * A process that nothing told of (it was there before the sensor, or the event was lost) is made of what its first event says of it, its parent of what the event
 * says of that. A parent is who made it: being handed to a reaper later changes nothing, or a second fork would be all it takes to have no past.
 *
 * Bounded per instance, by the number of processes and by the weight of their texts; what is over goes in this order: the oldest that have ended, then the oldest
 * that live, never the first process of the instance. Bounds are per instance and not over all, so that a replay of one says what was said live.
 */
import type { KernelEvent } from '../../model/kernel-event.ts'
import type { Process } from '../process.ts'
import type { Birth } from './entry.ts'
import { Entry } from './entry.ts'

export interface ProcessLimits {
  /** Processes of one instance that are known at once, living and ended. */
  readonly processes: number
  /** Bytes that they and their texts are reckoned at. */
  readonly weight: number
  /** ms of event time that an ended process stays. */
  readonly grace: number
}

export const processLimits: ProcessLimits = { processes: 8192, weight: 8 << 20, grace: 2000 }

export interface ProcessTable {
  /** The process that the event is of, as it is after the event. Of a fork from outside it is the child. */
  apply(event: KernelEvent): Process
  readonly size: number
  readonly weight: number
}

/** Files whose hash is remembered: the sensor tells it on first sight only. */
const rememberedHashes = 1024

const keyOf = (pid: number, start: number): string => `${pid}.${start}`

export const createProcessTable = (limits: ProcessLimits = processLimits): ProcessTable => {
  const entries = new Map<string, Entry>()
  /** The living one of each pid. */
  const living = new Map<number, Entry>()
  /** Ended within the grace, oldest first from `head` on; what is gone already is passed over. Then those that only their children keep. */
  let ended: Entry[] = []
  let head = 0
  const held = new Set<Entry>()
  const hashes = new Map<string, string>()
  let weight = 0

  /** It goes, and with it whoever it alone has held. */
  const remove = (first: Entry): void => {
    for (let entry: Entry | undefined = first; entry !== undefined; ) {
      const parent: Entry | undefined = entry.parent
      entries.delete(keyOf(entry.pid, entry.start))
      if (living.get(entry.pid) === entry) living.delete(entry.pid)
      held.delete(entry)
      weight -= entry.weight
      if (entry.exitedAt === undefined && parent !== undefined) parent.children--
      entry.vanish()
      if (parent !== undefined) parent.dependants--
      entry = parent !== undefined && parent.dependants === 0 && held.has(parent) ? parent : undefined
    }
  }

  const oldest = (spared: Entry): Entry | undefined => {
    for (const entry of held) if (entry !== spared) return entry
    for (; head < ended.length; head++) {
      const entry = ended[head]
      if (entry === undefined || entry.gone) continue
      if (entry !== spared) return entry
      held.add(entry)
    }
    for (const entry of entries.values()) if (!entry.isInit && entry !== spared) return entry
    return undefined
  }

  /** `spared` is about to be judged. */
  const makeRoom = (spared: Entry): void => {
    while (entries.size > limits.processes || weight > limits.weight) {
      const entry = oldest(spared)
      if (entry === undefined) return
      remove(entry)
    }
  }

  /** What ended longer ago than the grace goes, or waits for its children to go. */
  const expire = (now: number): void => {
    for (; head < ended.length; head++) {
      const entry = ended[head]
      if (entry === undefined || entry.gone) continue
      if ((entry.exitedAt ?? now) + limits.grace > now) break
      if (entry.dependants === 0) remove(entry)
      else held.add(entry)
    }
    if (head > 1024 && head * 2 > ended.length) {
      ended = ended.slice(head)
      head = 0
    }
  }

  const end = (entry: Entry, at: number): void => {
    if (entry.exitedAt !== undefined) return
    entry.exitedAt = at
    const { parent } = entry
    if (parent !== undefined) parent.children--
    if (living.get(entry.pid) === entry) living.delete(entry.pid)
    ended.push(entry)
  }

  const add = (birth: Birth, now: number): Entry => {
    // Two live processes cannot have one pid: the end of the one before was lost.
    const before = living.get(birth.pid)
    if (before !== undefined && before.start < birth.start) end(before, now)
    // A parent began before its child. Facts that say otherwise would make chains with a cycle.
    const parent = birth.parent !== undefined && birth.parent.start < birth.start ? birth.parent : undefined
    const entry = new Entry({ ...birth, parent })
    entries.set(keyOf(entry.pid, entry.start), entry)
    if (living.get(entry.pid) === undefined) living.set(entry.pid, entry)
    weight += entry.weight
    if (parent !== undefined) {
      parent.children++
      parent.dependants++
    }
    return entry
  }

  /** The parent that an event names: known, or made of what the event says. undefined where it is not of this instance. */
  const parentOf = (event: KernelEvent): Entry | undefined => {
    const known = entries.get(keyOf(event.parentPid, event.parentStart))
    if (known !== undefined) return known
    if (event.parentVpid === undefined || event.parentVpid === 0 || event.parentStart >= event.start) return undefined
    return add(
      {
        pid: event.parentPid,
        vpid: event.parentVpid,
        start: event.parentStart,
        startedAt: undefined,
        parent: undefined,
        parentPid: 0,
        origin: 'workload',
        isInit: event.parentVpid === 1,
        name: event.parentName,
        uid: event.uid,
        euid: event.euid,
        gid: event.gid,
      },
      event.time,
    )
  }

  /** Whose it is, is not known (a question to the name server, say): it is judged by itself, and is in no table. */
  const nobody = ({ pid, vpid, start, parentPid, name, uid, euid, gid }: KernelEvent): Entry =>
    new Entry({ pid, vpid, start, startedAt: undefined, parent: undefined, parentPid, origin: 'workload', isInit: false, name, uid, euid, gid })

  /** The process of an event; made of what the event says where nothing has told of it. */
  const processOf = (event: KernelEvent): Entry => {
    const known = entries.get(keyOf(event.pid, event.start))
    if (known !== undefined) return known
    const parent = parentOf(event)
    const isInit = event.vpid === 1 && parent === undefined && (event.parentVpid ?? 0) === 0
    // Only the kernel's own word puts somebody outside: whoever is thought to be an operator for want of it would be judged by nothing.
    const entered = !isInit && event.parentVpid === 0
    return add(
      {
        pid: event.pid,
        vpid: event.vpid,
        start: event.start,
        startedAt: undefined,
        parent,
        parentPid: event.parentPid,
        origin: entered ? 'outside' : (parent?.origin ?? 'workload'),
        isInit,
        name: event.name,
        uid: event.uid,
        euid: event.euid,
        gid: event.gid,
      },
      event.time,
    )
  }

  const fork = (event: KernelEvent): Entry => {
    const maker = event.vpid === 0 ? undefined : processOf(event)
    if (event.child === undefined || event.childStart === undefined) return maker ?? processOf(event)
    const known = entries.get(keyOf(event.child, event.childStart))
    const isInit = maker === undefined && event.childVpid === 1
    const child =
      known ??
      add(
        {
          pid: event.child,
          vpid: event.childVpid ?? 0,
          start: event.childStart,
          startedAt: event.time,
          parent: maker,
          parentPid: event.pid,
          origin: maker?.origin ?? (isInit ? 'workload' : 'outside'),
          isInit,
          name: event.name,
          uid: event.uid,
          euid: event.euid,
          gid: event.gid,
        },
        event.time,
      )
    return maker ?? child
  }

  const hashOf = (event: KernelEvent): string | undefined => {
    // A file that was changed since may have been changed again: only what the image brought keeps its hash.
    if (event.inode === undefined || event.exe === undefined || event.flags?.includes('upper') || event.flags?.includes('memfd')) return event.sha256
    const key = `${event.inode} ${event.exe}`
    if (event.sha256 === undefined) return hashes.get(key)
    hashes.delete(key)
    hashes.set(key, event.sha256)
    const [oldestKey] = hashes.size > rememberedHashes ? hashes.keys() : []
    if (oldestKey !== undefined) hashes.delete(oldestKey)
    return event.sha256
  }

  const apply = (event: KernelEvent): Process => {
    expire(event.time)
    if (event.start === 0) return nobody(event)
    const entry = event.type === 'fork' ? fork(event) : processOf(event)
    if (entry.pid === event.pid && entry.start === event.start) {
      entry.name = event.name
      entry.uid = event.uid
      entry.euid = event.euid
      entry.gid = event.gid
    }
    if (event.type === 'exec') {
      weight -= entry.weight
      entry.become(event, hashOf(event))
      weight += entry.weight
    } else if (event.type === 'capset' && event.capabilities !== undefined) entry.hasCapabilities(event.capabilities)
    else if (event.type === 'exit') end(entry, event.time)
    makeRoom(entry)
    return entry
  }

  return {
    apply,
    get size() {
      return entries.size
    },
    get weight() {
      return weight
    },
  }
}
