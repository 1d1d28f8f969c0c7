/** Wire schemas of what follows from detections. */
import { z } from 'zod'
import { Actor } from '../../model/event.ts'

const Digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'a digest like sha256:0123…')

export const BlockedImageView = z
  .object({
    digest: z.string(),
    name: z.string().nullable().describe('As it was asked for, where that is known.'),
    reason: z.string(),
    actor: Actor,
    rule: z.string().nullable().describe('The detection rule that has led to it.'),
    environment: z.string().nullable().describe('Whose instance it was detected in.'),
    since: z.number(),
  })
  .meta({ id: 'BlockedImage' })
export type BlockedImageView = z.infer<typeof BlockedImageView>
export const BlockedImageList = z.object({ images: z.array(BlockedImageView) }).meta({ id: 'BlockedImageList' })

export const BlockImageRequest = z
  .strictObject({
    image: z.string().min(1).describe('A name or digest of an image of the store, or the whole digest of one that is not there.'),
    reason: z.string().min(1).max(1024).describe('For people: everybody who is refused reads it.'),
  })
  .meta({ id: 'BlockImageRequest' })

export const BlockedDigest = z.object({ digest: Digest })

export const EvidenceView = z
  .object({
    take: z.int().describe('Names it within the environment: the place of its decision in the record.'),
    instance: z.string(),
    rule: z.string(),
    time: z.number(),
    files: z.array(z.object({ name: z.string(), bytes: z.number(), sha256: z.string() })),
    gaps: z.array(z.string()).describe('What is not in them, and why.'),
  })
  .meta({ id: 'Evidence' })
export type EvidenceView = z.infer<typeof EvidenceView>
export const EvidenceList = z.object({ evidence: z.array(EvidenceView) }).meta({ id: 'EvidenceList' })

export const NotifyTestRequest = z
  .strictObject({ targets: z.array(z.string().min(1)).default([]).describe('Names of spec.notify in the DetectionSettings. None: all.') })
  .meta({ id: 'NotifyTestRequest' })

export const NotifyTestView = z
  .object({ results: z.array(z.object({ name: z.string(), type: z.string(), failure: z.string().nullable().describe('null: it was sent.') })) })
  .meta({ id: 'NotifyTest' })
export type NotifyTestView = z.infer<typeof NotifyTestView>

export const DeliveryView = z
  .object({
    target: z.string(),
    id: z.string(),
    kind: z.string(),
    at: z.number().describe('Of the last attempt, ms.'),
    outcome: z.enum(['delivered', 'refused']),
    failure: z.string().nullable().describe('Why it was given up.'),
    text: z.string(),
  })
  .meta({ id: 'Delivery' })
export type DeliveryView = z.infer<typeof DeliveryView>
export const DeliveryList = z.object({ deliveries: z.array(DeliveryView) }).meta({ id: 'DeliveryList' })

export const ReplayRequest = z
  .strictObject({
    target: z.string().min(1).optional().describe('Only to this one.'),
    id: z.string().min(1).optional(),
    since: z.number().min(0).optional().describe('All that were sent at or after this time, ms.'),
  })
  .refine(({ id, since }) => (id === undefined) !== (since === undefined), 'either id or since')
  .meta({ id: 'ReplayRequest' })
export type ReplayRequest = z.infer<typeof ReplayRequest>
export const ReplayView = z.object({ count: z.int() }).meta({ id: 'Replay' })

export const NotifyStateView = z
  .object({
    targets: z.array(
      z.object({
        name: z.string(),
        type: z.string(),
        waiting: z.int(),
        failure: z.string().nullable().describe('Of the last attempt.'),
        delivered: z.int().describe('Since the daemon has started.'),
        lost: z.int().describe('Left out since then: too many at once, too old, or refused.'),
      }),
    ),
  })
  .meta({ id: 'NotifyState' })
export type NotifyStateView = z.infer<typeof NotifyStateView>
