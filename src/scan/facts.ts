/** What is known about a layer and about an image, by looking: no judgement, no vulnerability data. Kept as JSON, by digest and by version of the scanner. */
import { z } from 'zod'
import { MisconfigurationFinding, SecretFinding } from '../model/finding.ts'
import { Distribution, Package } from '../model/package.ts'

/** Raised with every change that makes a new scan find something else: facts of another version are made again. */
export const scannerVersion = 3

/** A file that stands out. */
export const RemarkableFile = z.object({ path: z.string(), mode: z.int(), uid: z.int(), gid: z.int() })
export type RemarkableFile = z.infer<typeof RemarkableFile>

/** Files that a package of the distribution has brought, as a list of its manager says; only those that language packages may be found in. */
export const OwnedFiles = z.object({
  /** The file that says so. */
  list: z.string(),
  /** The file that says that the package is installed. */
  declaredIn: z.string(),
  /** The package's; without it, any that is declared there. */
  name: z.string().optional(),
  paths: z.array(z.string()),
})
export type OwnedFiles = z.infer<typeof OwnedFiles>

export const LayerFacts = z.object({
  scannerVersion: z.int(),
  /** `sha256:…` of the secret rules that were used. */
  secretRules: z.string(),
  diffId: z.string(),
  entries: z.int(),
  bytes: z.int(),
  distribution: Distribution.optional(),
  packages: z.array(Package),
  /** Bounded; what was cut off only makes more packages be listed. */
  owned: z.array(OwnedFiles),
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
  /**
   * Of the merged file system: what a later layer removed or replaced is not here, nor are language packages whose files a distribution's package has brought:
   * that package is.
   */
  packages: z.array(Package),
  /** Of every layer and of the configuration; those that a later layer hides are marked. */
  secrets: z.array(SecretFinding),
  misconfigurations: z.array(MisconfigurationFinding),
  problems: z.array(z.string()),
})
export type ImageFacts = z.infer<typeof ImageFacts>
