/** Wire schemas of what instances did. */
import { z } from 'zod'
import { Sample } from '../../model/activity.ts'
import { KernelEvent } from '../../model/kernel-event.ts'

export const KernelEventView = KernelEvent.meta({ id: 'KernelEvent' })
export const SampleView = Sample.meta({ id: 'Sample' })

export const FoundView = z
  .object({
    position: z.int().describe('Grows with each entry that is kept, over all environments: nearly their order in time.'),
    activity: z.union([KernelEventView, SampleView]),
  })
  .meta({ id: 'Found' })
export type FoundView = z.infer<typeof FoundView>

export const FoundList = z
  .object({
    found: z.array(FoundView),
    next: z.int().nullable().describe('What to give as `after` for those that follow; null: there are no more.'),
  })
  .meta({ id: 'FoundList' })
export type FoundList = z.infer<typeof FoundList>
