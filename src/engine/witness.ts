/** What the engine asks of whoever watches what instances do, and keeps it. The daemon's implementation is in apps/daemon/sensing. */
import type { Environment } from '../model/environment.ts'
import type { NewEvent } from '../model/event.ts'
import type { Instance } from '../model/instance.ts'

export type Testimony = Pick<NewEvent, 'instance' | 'type' | 'reason' | 'data'>

export interface Witness {
  /**
   * Before its container is made: nothing of it can have happened yet. Of one that a daemon before has started: before anything that it does from now on is
   * judged. `secrets`: what must not be written down wherever it is seen.
   */
  introduce(environment: Environment, instance: Instance, secrets: ReadonlyMap<string, Uint8Array>): void
  /**
   * After the last instance is gone and before the seal: resolves when all that was seen of the environment is judged and kept, with what the record is to say of it
   * (heads, totals, losses). Within its own deadline; never rejects: what could not be kept is a testimony too. Asked again, it says the same again, until
   * the record is sealed.
   */
  settle(environment: string): Promise<readonly Testimony[]>
  /** The testimonies are in the record, and that is closed. */
  sealed(environment: string): void
  /** The end of its retention. */
  purge(environment: string): void
}

/** Where nothing is watched. */
export const noWitness: Witness = { introduce: () => undefined, settle: async () => [], sealed: () => undefined, purge: () => undefined }
