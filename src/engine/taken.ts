/** Evidence that was taken, as the record has it. */
import { z } from 'zod'

export const EvidenceFile = z.object({ name: z.string(), bytes: z.number(), sha256: z.string() })
export type EvidenceFile = z.infer<typeof EvidenceFile>

/** One take, as the record has it. */
export interface Taken {
  /** Sequence of the decision in the record: with the environment it names the take. */
  readonly take: number
  readonly instance: string
  readonly rule: string
  /** Wall ms. */
  readonly time: number
  readonly files: readonly EvidenceFile[]
  readonly gaps: readonly string[]
}
