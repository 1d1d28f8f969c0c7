/** What is known about a layer and about an image, by looking: no judgement, no vulnerability data. Kept as JSON, by digest and by version of the scanner. */
import { z } from 'zod'
import { MisconfigurationFinding, SecretFinding } from '../model/finding.ts'
import { Distribution, Package } from '../model/package.ts'

/** Raised with every change that makes a new scan find something else: facts of another version are made again. */
export const scannerVersion = 1

/** A file that stands out. */
export const RemarkableFile = z.object({ path: z.string(), mode: z.int(), uid: z.int(), gid: z.int() })
export type RemarkableFile = z.infer<typeof RemarkableFile>

export const LayerFacts = z.object({
  scannerVersion: z.int(),
  /** `sha256:…` of the secret rules that were used. */
  secretRules: z.string(),
  diffId: z.string(),
  entries: z.int(),
  bytes: z.int(),
  distribution: Distribution.optional(),
  packages: z.array(Package),
  /** Places have no `layer` here: it is this one. */
  secrets: z.array(SecretFinding),
  setuid: z.array(RemarkableFile),
  worldWritable: z.array(RemarkableFile),
  shells: z.array(z.string()),
  packageManagers: z.array(z.string()),
  /** Why the scan is incomplete, if it is. Lists above are bounded; what was cut off is a problem too. */
  problems: z.array(z.string()),
})
export type LayerFacts = z.infer<typeof LayerFacts>

export const ImageFacts = z.object({
  scannerVersion: z.int(),
  secretRules: z.string(),
  /** Manifest digest. */
  digest: z.string(),
  distribution: Distribution.optional(),
  /** Of the merged file system: what a later layer removed or replaced is not here. */
  packages: z.array(Package),
  /** Of every layer and of the configuration; those that a later layer hides are marked. */
  secrets: z.array(SecretFinding),
  misconfigurations: z.array(MisconfigurationFinding),
  problems: z.array(z.string()),
})
export type ImageFacts = z.infer<typeof ImageFacts>
