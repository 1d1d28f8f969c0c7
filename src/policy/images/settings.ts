/** What may be asked of an image. Everything left out is not asked. */
import { z } from 'zod'
import { parseDuration } from '../../base/durations.ts'
import { ImageMisconfiguration, Severity } from '../../model/finding.ts'

const Action = z.enum(['deny', 'warn', 'audit'])

/** `7d`, `12h`: ms. */
const Age = z.union([
  z.int().min(0),
  z.string().transform((text, context) => {
    try {
      return parseDuration(text, 'the age')
    } catch {
      context.addIssue({ code: 'custom', message: 'a time like 12h or 30d' })
      return z.NEVER
    }
  }),
])

export const ImageRules = z.strictObject({
  /** An image that nobody has looked at, or could, is denied whatever else is said. This is about scans that could not understand everything. */
  incompleteScan: Action.optional(),
  vulnerabilities: z
    .strictObject({
      action: Action,
      /** From this severity on. */
      severity: Severity,
      /** Only those that an update would mend. */
      fixable: z.boolean().default(true),
      /** How long after its publication one is only warned of. One without a date gets none. */
      grace: z.partialRecord(Severity, Age).default({}),
      /** Known to be exploited: how long then, instead of `grace`, and whatever the severity. */
      exploitedGrace: Age.optional(),
    })
    .optional(),
  /** Newest vulnerability data may be so old; none at all is too old. */
  dataAge: z.strictObject({ action: Action, most: Age }).optional(),
  secrets: z.strictObject({ action: Action, severity: Severity }).optional(),
  /** By id of a misconfiguration of images, e.g. `image-root-user`. */
  misconfigurations: z.partialRecord(ImageMisconfiguration, Action).default({}),
  /** Names of trusted keys, one of which must have signed the digest; empty: any. */
  signature: z.strictObject({ action: Action, keys: z.array(z.string()).default([]) }).optional(),
  /** in-toto predicate types that a trusted key must have attested, e.g. `https://slsa.dev/provenance/v1`. */
  attestations: z.strictObject({ action: Action, types: z.array(z.string()).min(1) }).optional(),
  registries: z.strictObject({ action: Action, allowed: z.array(z.string()).min(1) }).optional(),
  /** Named by digest, so that what was judged is what runs. */
  digest: z.strictObject({ action: Action }).optional(),
})
export type ImageRules = z.output<typeof ImageRules>
