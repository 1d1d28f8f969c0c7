/**
 * Who is served next, and by whom. A target has seats (its endpoints) and a line of those who wait for one.
 *
 *   ask ──▶ a seat is free: seated ──▶ done ──▶ the seat is free for the next
 *    │                        └─ refused by the instance: again, at the head of the line
 *    └─▶ in line ──▶ seated, or refused when it is too long or takes too long
 *
 * A seat whose instance refused a connection rests, first for 10 ms, and then takes one at a time until a connection has come about: a thousand
 * requests that wait for an instance to boot do not storm it.
 */
import type { Endpoint, Forward, Limits, Route, TargetReport } from './gateway.ts'
import { InFlight } from './in-flight.ts'
import type { Problem } from './problem.ts'
import { badGateway, crowded, inWords, removed, waitedTooLong, wakeFailed } from './problem.ts'
import { Counters } from './tally.ts'

const firstRest = 10
const longestRest = 500
const defaultQueue = 1_000
const defaultWait = 30_000
/** ms from a wake that brought no endpoint to the next. */
const wakeAgain = 250

/** Something that takes a seat: a request, or a connection. */
export abstract class Traffic {
  readonly target: Target
  seat: Seat | undefined
  /** When it asked for a seat, and when an instance refused it first (0: none has); performance.now(). */
  asked = 0
  refused = 0
  lastError: Error | undefined
  /** In its seat. */
  place = -1

  constructor(target: Target) {
    this.target = target
  }

  /** It has `seat` until it calls `target.done`, or `target.again`. */
  abstract seated(seat: Seat): void
  /** It has no seat, and gets none. */
  abstract turnedAway(problem: Problem): void
  /** Ends it now. It calls `target.done`. */
  abstract cut(): void
  /** Called each second while it has a seat: are its clocks over? Counts what it has not counted yet. */
  abstract check(now: number): void
}

/** An endpoint, as one target uses it. */
export class Seat {
  readonly endpoint: Endpoint
  readonly inFlight = new InFlight<Traffic>()
  /** Its connections: disposed of when the seat has left and the last traffic with it. */
  links: Disposable | undefined
  draining: boolean
  /** A connection to it has come about, ever. */
  proven = false
  /** It refused the last connection. */
  doubtful = false
  resting = false
  rest = firstRest

  constructor(endpoint: Endpoint, draining: boolean) {
    this.endpoint = endpoint
    this.draining = draining
  }
}

/** What targets share. */
export interface Hub {
  readonly limits: Limits
  readonly draining: ReadonlySet<string>
  wake(target: string): void
  /** Nobody waits for the wake any more. */
  unwake(target: string): void
  /** The target has something to report. */
  touch(target: Target): void
  /** A seat has become empty. */
  emptied(instance: string): void
}

export class Target {
  readonly counters = new Counters()
  spec: Route | Forward
  /** Has something to report; the hub's mark. */
  touched = false
  readonly #hub: Hub
  #seats: Seat[] = []
  readonly #leaving = new Set<Seat>()
  /** Those whom an instance has refused go before all others. */
  readonly #first = new Set<Traffic>()
  readonly #line = new Set<Traffic>()
  #turn = 0
  #wake: 'none' | 'asked' | 'unwanted' = 'none'
  #noWakeBefore = 0
  #removed = false

  constructor(spec: Route | Forward, hub: Hub) {
    this.spec = spec
    this.#hub = hub
    this.#seats = spec.endpoints.map(endpoint => new Seat(endpoint, hub.draining.has(endpoint.instance)))
  }

  get waiting(): number {
    return this.#first.size + this.#line.size
  }

  get inFlight(): number {
    let count = 0
    for (const seat of this.seats()) count += seat.inFlight.size
    return count
  }

  *seats(): Iterable<Seat> {
    yield* this.#seats
    yield* this.#leaving
  }

  ask(traffic: Traffic): void {
    if (this.#removed) return void traffic.turnedAway(removed(this.spec))
    if (!this.touched) this.#hub.touch(this)
    if (this.#first.size === 0 && this.#line.size === 0) {
      const seat = this.#pick()
      if (seat !== undefined) return void this.#give(traffic, seat)
    }
    if (this.waiting >= (this.spec.queue ?? defaultQueue)) return void traffic.turnedAway(crowded(this.spec, this.waiting))
    traffic.asked = performance.now()
    this.#line.add(traffic)
    this.#wakeIfNeeded()
  }

  /** The instance took no part of it: another, or the same a little later. */
  again(traffic: Traffic, error: Error, connected: boolean): void {
    const { seat } = traffic
    if (seat === undefined) return
    const now = performance.now()
    traffic.lastError = error
    if (traffic.refused === 0) traffic.refused = now
    if (traffic.asked === 0) traffic.asked = now
    if (!connected) this.#letRest(seat)
    const patience = seat.proven ? this.#hub.limits.connect : (this.spec.wait ?? defaultWait)
    this.#leave(traffic, seat)
    if (this.#removed) traffic.turnedAway(removed(this.spec))
    else if (now - traffic.refused > patience) traffic.turnedAway(badGateway(this.spec, inWords(error)))
    else {
      this.#first.add(traffic)
      this.pump()
      this.#wakeIfNeeded()
    }
  }

  /** It is over, or has given up waiting. */
  done(traffic: Traffic): void {
    if (!this.touched) this.#hub.touch(this)
    const { seat } = traffic
    if (seat !== undefined) {
      this.#leave(traffic, seat)
      if (this.#first.size > 0 || this.#line.size > 0) this.pump()
      return
    }
    this.#first.delete(traffic)
    this.#line.delete(traffic)
    this.#unwakeIfNobody()
  }

  /** A connection to the instance has come about. */
  connected(seat: Seat): void {
    seat.proven = true
    if (!seat.doubtful) return
    seat.doubtful = false
    seat.rest = firstRest
    this.pump()
  }

  update(spec: Route | Forward): void {
    this.spec = spec
    const before = new Map(this.#seats.map(seat => [seatKey(seat.endpoint), seat]))
    this.#seats = spec.endpoints.map(endpoint => {
      const key = seatKey(endpoint)
      const seat = before.get(key)
      before.delete(key)
      return seat ?? new Seat(endpoint, this.#hub.draining.has(endpoint.instance))
    })
    for (const seat of before.values()) this.#leaves(seat)
    this.#hub.touch(this)
    this.pump()
    this.#wakeIfNeeded()
  }

  /** Those who wait are turned away, with `problem` when there is one; those who have a seat go on. */
  remove(problem: Problem = removed(this.spec)): void {
    this.#removed = true
    for (const seat of this.#seats.splice(0)) this.#leaves(seat)
    this.turnAllAway(problem)
    this.#hub.touch(this)
  }

  /** Seats whom they can be given. */
  pump(): void {
    for (;;) {
      const next = first(this.#first) ?? first(this.#line)
      if (next === undefined) break
      const seat = this.#pick()
      if (seat === undefined) break
      if (!this.#first.delete(next)) this.#line.delete(next)
      this.#give(next, seat)
    }
    this.#unwakeIfNobody()
  }

  woken(error: string | undefined): void {
    const unwanted = this.#wake === 'unwanted'
    this.#wake = 'none'
    this.#noWakeBefore = performance.now() + wakeAgain
    if (unwanted) this.#noWakeBefore = 0
    else if (error !== undefined && !this.#hasSeat()) this.turnAllAway(wakeFailed(this.spec, error))
    this.#wakeIfNeeded()
  }

  /** Called every 100 ms. */
  sweep(now: number): void {
    const wait = this.spec.wait ?? defaultWait
    for (const line of [this.#first, this.#line]) {
      for (const traffic of line) {
        const overdue = now - traffic.asked > wait
        if (!overdue && line === this.#line) break // they stand in the order they came in
        if (!overdue) continue
        line.delete(traffic)
        const { lastError } = traffic
        const why = this.#hasSeat() ? 'all its instances were busy' : 'it has no instance yet'
        traffic.turnedAway(lastError ? badGateway(this.spec, inWords(lastError)) : waitedTooLong(this.spec, wait, why))
      }
    }
    this.#unwakeIfNobody()
    this.#wakeIfNeeded()
  }

  /** Called every second: the clocks of what has a seat. */
  check(now: number): void {
    for (const seat of this.seats()) for (const traffic of [...seat.inFlight]) traffic.check(now)
  }

  /** What is to be told, and whether anything goes on that needs the clock. */
  report(): TargetReport {
    const { counters, spec } = this
    const taken = counters.take()
    const instances: Record<string, number> = {}
    for (const { endpoint, inFlight: here } of this.seats()) {
      if (here.size > 0) instances[endpoint.instance] = (instances[endpoint.instance] ?? 0) + here.size
    }
    const active = taken.started > 0 || this.waiting > 0 || counters.unanswered > 0 || taken.bytesIn > 0 || taken.bytesOut > 0
    const { id, environment, workload } = spec
    return { id, environment, workload, ...taken, inFlight: this.inFlight, waiting: this.waiting, instances, active }
  }

  #give(traffic: Traffic, seat: Seat): void {
    seat.inFlight.add(traffic)
    traffic.seat = seat
    traffic.seated(seat)
  }

  #leave(traffic: Traffic, seat: Seat): void {
    traffic.seat = undefined
    seat.inFlight.delete(traffic)
    if (seat.inFlight.size > 0) return
    if (this.#leaving.delete(seat)) seat.links?.[Symbol.dispose]()
    if (seat.draining) this.#hub.emptied(seat.endpoint.instance)
  }

  #leaves(seat: Seat): void {
    if (seat.inFlight.size > 0) this.#leaving.add(seat)
    else seat.links?.[Symbol.dispose]()
  }

  #hasSeat(): boolean {
    return this.#seats.some(seat => !seat.draining)
  }

  /** Least in flight; of equals the one after the last. */
  #pick(): Seat | undefined {
    const seats = this.#seats
    const count = seats.length
    const most = this.spec.concurrency ?? Number.POSITIVE_INFINITY
    let best: Seat | undefined
    let load = Number.POSITIVE_INFINITY
    let at = 0
    for (let step = 1; step <= count; step++) {
      const index = (this.#turn + step) % count
      const seat = seats[index]
      if (seat === undefined || seat.draining || seat.resting) continue
      const size = seat.inFlight.size
      if (size >= load || size >= most || (seat.doubtful && size > 0)) continue
      best = seat
      load = size
      at = index
      if (size === 0) break
    }
    if (best !== undefined) this.#turn = at
    return best
  }

  #letRest(seat: Seat): void {
    seat.doubtful = true
    if (seat.resting) return
    seat.resting = true
    const timer = setTimeout(() => {
      seat.resting = false
      this.pump()
    }, seat.rest)
    timer.unref()
    seat.rest = Math.min(seat.rest * 1.5, longestRest)
  }

  #wakeIfNeeded(): void {
    if (this.#wake !== 'none' || this.waiting === 0 || this.#hasSeat()) return
    if (performance.now() < this.#noWakeBefore) return
    this.#wake = 'asked'
    this.#hub.wake(this.spec.id)
  }

  #unwakeIfNobody(): void {
    if (this.#wake !== 'asked' || this.waiting > 0) return
    this.#wake = 'unwanted'
    this.#hub.unwake(this.spec.id)
  }

  /** Ends all that is in flight; how many that were. */
  cut(): number {
    const all = [...this.seats()].flatMap(seat => [...seat.inFlight])
    for (const traffic of all) traffic.cut()
    return all.length
  }

  /** All who wait are told this. */
  turnAllAway(problem: Problem): void {
    for (const line of [this.#first, this.#line]) {
      for (const traffic of line) {
        line.delete(traffic)
        traffic.turnedAway(problem)
      }
    }
    this.#unwakeIfNobody()
  }
}

const seatKey = (endpoint: Endpoint): string => `${endpoint.instance} ${endpoint.host} ${endpoint.port}`

const first = <T>(set: Set<T>): T | undefined => {
  for (const one of set) return one
  return undefined
}
