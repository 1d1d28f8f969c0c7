/** Traffic that becomes bytes both ways: a connection of a forward, a WebSocket. It is counted as it goes, and written down once it is over. */
import type { AccessEntry } from '../model/access.ts'
import type { Gate } from './exchange.ts'
import type { Watch } from './relay.ts'
import type { Seat, Target } from './target.ts'
import { Traffic } from './target.ts'

export abstract class Stream extends Traffic implements Watch {
  protected readonly gate: Gate
  /** performance.now() of the last byte. */
  protected lastMove = performance.now()
  readonly #time = Date.now()
  readonly #begun = performance.now()
  #instance: string | undefined
  #answered = false
  #settled = false
  #bytesIn = 0
  #bytesOut = 0

  constructor(gate: Gate, target: Target) {
    super(target)
    this.gate = gate
    target.counters.started++
    target.counters.unanswered++
  }

  /** It is with this instance now. */
  protected with(seat: Seat): void {
    this.#instance = seat.endpoint.instance
    this.lastMove = this.gate.now
  }

  /** It is open, or declined: no more the gateway's to answer. */
  protected answered(): void {
    if (this.#answered) return
    this.#answered = true
    this.target.counters.unanswered--
  }

  moved(bytes: number, fromClient: boolean): void {
    const { counters } = this.target
    this.lastMove = this.gate.now
    if (fromClient) {
      this.#bytesIn += bytes
      counters.bytesIn += bytes
    } else {
      this.#bytesOut += bytes
      counters.bytesOut += bytes
    }
  }

  abstract over(): void

  /** Once; the others do nothing. `status`: 0 where there is none. */
  protected settle(status: number, about: Pick<AccessEntry, 'client' | 'protocol' | 'method' | 'host' | 'path'>): void {
    if (this.#settled) return
    this.#settled = true
    this.answered()
    const duration = performance.now() - this.#begun
    this.target.counters.finish(status, duration)
    const { id, environment, workload } = this.target.spec
    if (this.gate.access.hasRoom(environment)) {
      const [bytesIn, bytesOut, instance] = [this.#bytesIn, this.#bytesOut, this.#instance]
      this.gate.access.add({ time: this.#time, target: id, environment, workload, instance, ...about, status, bytesIn, bytesOut, duration })
    }
    this.target.done(this)
  }
}
