/** Wire schemas of what becomes of a record: its seal, its export, what was used. */
import { z } from 'zod'
import { Verification } from '../../model/seal.ts'
import { Cost, groupings, PriceTable } from '../../model/usage.ts'

export const VerificationView = Verification.meta({ id: 'Verification' })

export const RecordKeyView = z
  .object({
    id: z.string().describe('Hex SHA-256 of the key as SPKI in DER.'),
    publicKey: z.string().describe('PEM.'),
    madeAt: z.number(),
    current: z.boolean().describe('What is signed now is signed with it. Others vouch for what they have signed.'),
  })
  .meta({ id: 'RecordKey' })
export type RecordKeyView = z.infer<typeof RecordKeyView>
export const RecordKeyList = z.object({ keys: z.array(RecordKeyView) }).meta({ id: 'RecordKeyList' })

export const CostRow = z
  .object({
    key: z.string().describe('Owner, id of an environment, digest of an image, value of the label, or day.'),
    name: z.string().describe('What people call it: of environments and images.'),
    instances: z.int(),
    environments: z.int(),
    cpuSeconds: z.number(),
    memoryGiBSeconds: z.number(),
    sent: z.number(),
    received: z.number(),
    lifetime: z.number().describe('Of all instances together.'),
    idle: z.number().describe('Of that, without any activity.'),
    idleGiBSeconds: z.number(),
    savedGiBSeconds: z.number(),
    cost: Cost,
  })
  .meta({ id: 'CostRow' })

export const CostView = z
  .object({
    by: z.enum(groupings),
    label: z.string().nullable(),
    prices: PriceTable.meta({ id: 'PriceTable' }),
    rows: z.array(CostRow).describe('The greatest memory first, at most 1,000; days in their order.'),
    total: CostRow.describe('Of all, also of those that are no rows.'),
  })
  .meta({ id: 'Cost' })
export type CostView = z.infer<typeof CostView>

const Moment = z
  .string()
  .regex(/^\d{1,15}$/, 'must be a whole number')
  .transform(Number)

export const CostQuery = z
  .strictObject({
    by: z.enum(groupings).default('owner'),
    label: z
      .string()
      .regex(/^[A-Za-z0-9]([A-Za-z0-9_./-]{0,126}[A-Za-z0-9])?$/, 'the name of a label')
      .optional()
      .describe('Its name, with `by=label`.'),
    since: Moment.optional().describe('Only instances that ended at or after this time.'),
    until: Moment.optional().describe('Only instances that ended before this time.'),
  })
  .refine(({ by, label }) => (by === 'label') === (label !== undefined), {
    path: ['label'],
    message: 'a label goes with by=label, and needs to be named',
  })
