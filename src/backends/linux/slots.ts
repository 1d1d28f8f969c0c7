/** Hands out a slice's slots: one for each environment, and one for each cell that waits for its environment. */
import { DayflyError } from '../../base/errors.ts'
import type { Slot } from '../../host/network/slots.ts'
import { slotCount } from '../../host/network/slots.ts'

export interface Slots {
  readonly slice: number
  /** The one that has been free the longest, so that an address is not somebody else's a moment later. Throws `exhausted`. */
  allocate(): Slot
  release(slot: Slot): void
  allocated(): Slot[]
}

/** `taken`: the slots that living environments already have. */
export const createSlots = (slice: number, taken: Iterable<Slot>): Slots => {
  const used = new Set([...taken].map(({ slot }) => slot))
  const free = Array.from({ length: slotCount }, (_, slot) => slot).filter(slot => !used.has(slot))
  return {
    slice,
    allocate: () => {
      const slot = free.shift()
      if (slot === undefined) {
        throw new DayflyError('exhausted', `all ${slotCount} environments that this daemon has addresses for are in use`, {
          remedy: 'End some (`dayfly ps`, `dayfly down`), or start a second daemon with its own --state-dir and --run-dir.',
        })
      }
      used.add(slot)
      return { slice, slot }
    },
    release: ({ slot }) => {
      if (used.delete(slot)) free.push(slot)
    },
    allocated: () => [...used].map(slot => ({ slice, slot })),
  }
}
