/**
 * Whose an event is. The kernel has stamped it with a cookie; the cookie is bound to an instance before its start, and the instance was introduced before that.
 * What comes all the same before both are known waits, bounded in number and in time: nothing is judged or kept against half an identity. Pure.
 */
import type { Subject } from '../../../detect/detector.ts'
import type { KernelEvent, KernelEventType, SensedEvent } from '../../../model/kernel-event.ts'
import { createRedactor } from './redaction.ts'
import { weightOf } from './weight.ts'

/** Events that wait, and their bytes: of one cookie, and of all. */
const mostOfOne = 2_000
const heaviestOfOne = 4 * 2 ** 20
const mostOfAll = 50_000
const heaviestOfAll = 32 * 2 ** 20
/** µs of the boot clock that they wait at most. */
const longestWait = 30_000_000

export interface Attributed {
  readonly subject: Subject
  readonly event: KernelEvent
}

export type Lost = Readonly<Partial<Record<KernelEventType, number>>>

export interface Attribution {
  introduce(subject: Subject, secrets: readonly string[]): void
  register(cookie: number): void
  /** `ids`: what the host's numbers of its users and groups are. */
  bind(cookie: number, instance: string, ids: Ids): void
  /** In their order; also those that have waited for what was just said are in the answers of `introduce` and `bind` by `sink`. */
  take(event: SensedEvent): void
  /** One that the kernel did not stamp: of an instance that is known. */
  takeOf(instance: string, event: SensedEvent): void
  subjectOf(instance: string): Subject | undefined
  /** No event of it comes any more. What was never anybody's is forgotten. */
  release(cookie: number): void
  /** So many of that type were never told, because there were too many. */
  miss(instance: string, type: KernelEventType, count: number): void
  /** Nothing more is told of it: what comes all the same, also by a cookie that is not released yet, is let go. */
  forget(instance: string): void
  /** Lets those go that have waited too long. `boot`: µs. */
  expire(boot: number): void
  /** Events of it that waited in vain, by type. */
  lostOf(instance: string): Lost
  /** Of all, those of nobody included, since the beginning. */
  readonly lost: number
}

export interface Ids {
  readonly first: number
  readonly count: number
}

interface Owner {
  readonly cookie: number
  instance: string | undefined
  ids: Ids
  known: Known | undefined
  waiting: SensedEvent[]
  /** Bytes. */
  weight: number
  /** Its instance was forgotten before it was released. */
  over: boolean
}

const noIds: Ids = { first: 0, count: 0 }
const newOwner = (cookie: number): Owner => ({ cookie, instance: undefined, ids: noIds, known: undefined, waiting: [], weight: 0, over: false })

/** As the instance itself has it; somebody else's stays the host's. */
const within = (id: number, { first, count }: Ids): number => (id >= first && id < first + count ? id - first : id)

interface Known {
  readonly subject: Subject
  readonly redact: (event: SensedEvent) => SensedEvent
}

export const createAttribution = (toWall: (boot: number) => number, sink: (attributed: Attributed) => void): Attribution => {
  const owners = new Map<number, Owner>()
  const known = new Map<string, Known>()
  const lost = new Map<string, Partial<Record<KernelEventType, number>>>()
  let lostOfAll = 0
  let waitingOfAll = 0
  let weighingOfAll = 0

  const miss = (instance: string | undefined, type: KernelEventType, count: number): void => {
    lostOfAll += count
    if (instance === undefined) return
    const those = lost.get(instance) ?? {}
    lost.set(instance, those)
    those[type] = (those[type] ?? 0) + count
  }
  const lose = (event: SensedEvent, instance: string | undefined): void => miss(instance, event.type, event.count ?? 1)

  /** They wait no more. */
  const takeAll = (owner: Owner): SensedEvent[] => {
    const all = owner.waiting
    waitingOfAll -= all.length
    weighingOfAll -= owner.weight
    owner.waiting = []
    owner.weight = 0
    return all
  }
  const wait = (owner: Owner, event: SensedEvent): void => {
    const weight = weightOf(event)
    const ofOne = owner.waiting.length >= mostOfOne || owner.weight + weight > heaviestOfOne
    if (ofOne || waitingOfAll >= mostOfAll || weighingOfAll + weight > heaviestOfAll) {
      lose(event, owner.instance)
      return
    }
    owner.waiting.push(event)
    owner.weight += weight
    waitingOfAll++
    weighingOfAll += weight
  }

  const emit = (event: SensedEvent, { subject, redact }: Known, ids: Ids): void => {
    const { cookie: _, boot, targetCookie, ...facts } = redact(event)
    const users = { uid: within(facts.uid, ids), euid: within(facts.euid, ids), gid: within(facts.gid, ids) }
    const targetInstance = targetCookie === undefined || targetCookie === event.cookie ? undefined : owners.get(targetCookie)?.instance
    const { environment, instance } = subject
    const target = targetInstance === undefined ? {} : { targetInstance }
    sink({ subject, event: { ...facts, ...users, time: toWall(boot), environment, instance, ...target } })
  }

  const settle = (owner: Owner): void => {
    owner.known = owner.instance === undefined ? undefined : known.get(owner.instance)
    if (owner.known === undefined || owner.waiting.length === 0) return
    for (const event of takeAll(owner)) emit(event, owner.known, owner.ids)
  }

  const drop = (owner: Owner, until: number): void => {
    if (!owner.waiting.some(({ boot }) => boot <= until)) return
    for (const event of takeAll(owner)) {
      if (event.boot <= until) lose(event, owner.instance)
      else wait(owner, event)
    }
  }

  return {
    introduce: (subject, secrets) => {
      known.set(subject.instance, { subject, redact: createRedactor(secrets) })
      for (const owner of owners.values()) if (owner.instance === subject.instance) settle(owner)
    },
    register: cookie => {
      if (!owners.has(cookie)) owners.set(cookie, newOwner(cookie))
    },
    bind: (cookie, instance, ids) => {
      const owner = owners.get(cookie) ?? newOwner(cookie)
      owners.set(cookie, owner)
      owner.instance = instance
      owner.ids = ids
      owner.over = false
      settle(owner)
    },
    take: event => {
      const owner = owners.get(event.cookie)
      if (owner === undefined) lose(event, undefined)
      else if (owner.over) lose(event, undefined)
      else if (owner.known !== undefined) emit(event, owner.known, owner.ids)
      else wait(owner, event)
    },
    takeOf: (instance, event) => {
      const whose = known.get(instance)
      if (whose === undefined) lose(event, undefined)
      else emit(event, whose, noIds)
    },
    subjectOf: instance => known.get(instance)?.subject,
    release: cookie => {
      const owner = owners.get(cookie)
      if (owner === undefined) return
      owners.delete(cookie)
      // A container that was never given away has done nothing but end.
      if (owner.instance === undefined) takeAll(owner)
      else drop(owner, Number.POSITIVE_INFINITY)
    },
    forget: instance => {
      known.delete(instance)
      lost.delete(instance)
      for (const owner of owners.values()) {
        if (owner.instance !== instance) continue
        owner.known = undefined
        owner.over = true
        for (const event of takeAll(owner)) lose(event, undefined)
      }
    },
    miss,
    expire: boot => {
      if (waitingOfAll > 0) for (const owner of owners.values()) drop(owner, boot - longestWait)
    },
    lostOf: instance => lost.get(instance) ?? {},
    get lost() {
      return lostOfAll
    },
  }
}
