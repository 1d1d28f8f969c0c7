/** Images that are not admitted any more, by digest, whatever policy says: because of what one of their instances did, or because somebody said so. Durable; lifted by a person. */
import { z } from 'zod'
import type { Clock } from '../base/clock.ts'
import { DayflyError } from '../base/errors.ts'
import type { Actor } from '../model/event.ts'
import { Actor as ActorSchema } from '../model/event.ts'
import { parse } from '../model/parse.ts'
import type { Store } from './store.ts'

const BlockedImage = z.object({
  digest: z.string(),
  /** As it was asked for, where that is known. */
  name: z.string().optional(),
  reason: z.string(),
  actor: ActorSchema,
  /** The detection rule and the environment, where one has led to it. */
  rule: z.string().optional(),
  environment: z.string().optional(),
  /** Wall ms. */
  since: z.number(),
})
export type BlockedImage = z.infer<typeof BlockedImage>

export interface BlockedImages {
  list(): readonly BlockedImage[]
  find(digest: string): BlockedImage | undefined
  /** Idempotent: the first reason counts. `exhausted` when there are too many. */
  block(image: Omit<BlockedImage, 'since'>): BlockedImage
  /** False: it was not blocked. */
  unblock(digest: string, actor: Actor): boolean
}

const fact = 'images.blocked'
const most = 10_000

export const createBlockedImages = (store: Pick<Store, 'fact' | 'setFact'>, clock: Clock): BlockedImages => {
  const stored = store.fact(fact)
  const all = new Map((stored === undefined ? [] : parse(z.array(BlockedImage), JSON.parse(stored))).map(image => [image.digest, image]))
  const write = (next: ReadonlyMap<string, BlockedImage>): void => store.setFact(fact, JSON.stringify([...next.values()]))
  return {
    list: () => [...all.values()],
    find: digest => all.get(digest),
    block: image => {
      const before = all.get(image.digest)
      if (before !== undefined) return before
      if (all.size >= most) {
        throw new DayflyError('exhausted', `${most} images are blocked already`, {
          remedy: 'Unblock what nobody uses any more: dayfly image blocked.',
        })
      }
      const entry = { ...image, since: clock.wall() }
      write(new Map(all).set(image.digest, entry))
      all.set(image.digest, entry)
      return entry
    },
    unblock: digest => {
      if (!all.has(digest)) return false
      const next = new Map(all)
      next.delete(digest)
      write(next)
      all.delete(digest)
      return true
    },
  }
}
