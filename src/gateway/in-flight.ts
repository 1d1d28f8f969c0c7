/**
 * Those who have a seat. No Set: as one is filled and emptied V8 makes its table anew again and again, and each old table keeps alive the next one and
 * whoever was in it. Once one of them is in the old generation, every request after it gets there too: measured, that was a fifth of the processor time.
 */
export interface Placed {
  /** Where it stands; only who has it knows what that means. */
  place: number
}

export class InFlight<T extends Placed> implements Iterable<T> {
  readonly #all: T[] = []

  get size(): number {
    return this.#all.length
  }

  /** It is in no other. */
  add(one: T): void {
    one.place = this.#all.length
    this.#all.push(one)
  }

  /** Does nothing when it is not there. */
  delete(one: T): void {
    if (this.#all[one.place] !== one) return
    const last = this.#all.pop()
    if (last === undefined || last === one) return
    this.#all[one.place] = last
    last.place = one.place
  }

  /** As it is now, whatever becomes of it meanwhile. */
  [Symbol.iterator](): IterableIterator<T> {
    return this.#all.slice().values()
  }
}
