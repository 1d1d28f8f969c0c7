/** Instances to which nothing new is sent, and those who wait until nothing is in flight there. */
import type { Seat, Target } from './target.ts'

export class Drains {
  /** Read by targets, for seats that they make. */
  readonly instances = new Set<string>()
  readonly #targets: () => Iterable<Target>
  readonly #current: () => Iterable<Target>
  readonly #waiting = new Map<string, Set<() => void>>()

  /** All targets, and those of them that requests may still come to. */
  constructor(targets: () => Iterable<Target>, current: () => Iterable<Target>) {
    this.#targets = targets
    this.#current = current
  }

  /** Resolves with how many were cut after `within` ms. */
  async drain(instance: string, within: number): Promise<number> {
    this.instances.add(instance)
    for (const seat of this.#seatsOf(instance)) seat.draining = true
    if (!(await this.#emptyWithin(instance, within))) return this.#cut(instance)
    return 0
  }

  /** A seat has become empty. */
  emptied(instance: string): void {
    if (this.#inFlight(instance) > 0) return
    for (const tell of this.#waiting.get(instance) ?? []) tell()
  }

  /** Routes have changed: an instance that is in none of them may come back later as any other. */
  forget(): void {
    if (this.instances.size === 0) return
    const named = new Set<string>()
    for (const target of this.#current()) for (const { instance } of target.spec.endpoints) named.add(instance)
    for (const instance of this.instances) if (!named.has(instance)) this.instances.delete(instance)
  }

  *#seatsOf(instance: string): Iterable<Seat> {
    for (const target of this.#targets()) for (const seat of target.seats()) if (seat.endpoint.instance === instance) yield seat
  }

  /** Not those that it has got since it came back. */
  *#drainingSeatsOf(instance: string): Iterable<Seat> {
    for (const seat of this.#seatsOf(instance)) if (seat.draining) yield seat
  }

  #inFlight(instance: string): number {
    let count = 0
    for (const seat of this.#drainingSeatsOf(instance)) count += seat.inFlight.size
    return count
  }

  async #emptyWithin(instance: string, within: number): Promise<boolean> {
    if (this.#inFlight(instance) === 0) return true
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const waiting = this.#waiting.get(instance) ?? new Set()
    const tell = (): void => resolve(true)
    this.#waiting.set(instance, waiting.add(tell))
    const timer = setTimeout(() => resolve(false), within)
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      waiting.delete(tell)
      if (waiting.size === 0) this.#waiting.delete(instance)
    }
  }

  #cut(instance: string): number {
    let count = 0
    for (const seat of this.#drainingSeatsOf(instance)) {
      for (const traffic of [...seat.inFlight]) {
        traffic.cut()
        count++
      }
    }
    return count
  }
}
