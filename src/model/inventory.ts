/**
 * What is remembered of the images that environments ran: their packages and what is known to be wrong with these. It is kept as long as a record speaks of
 * an instance of the image, also when the image itself has been removed, and brought up to date whenever there is other vulnerability data.
 */
import type { Severity, VulnerabilityFinding } from './finding.ts'
import type { Distribution, Package } from './package.ts'
import type { Teams } from './principal.ts'

/** What somebody found out about an image. */
export interface ImageKnowledge {
  /** Manifest digest. */
  readonly digest: string
  /** What users called it; they are added to those that are known. */
  readonly names: readonly string[]
  readonly distribution: Distribution | undefined
  readonly packages: readonly Package[]
  readonly findings: readonly VulnerabilityFinding[]
  /** Why something of it may be missing. */
  readonly problems: readonly string[]
  /** Of what looked at it. Another one knows more, or less. */
  readonly scanner: string
  /** Version of the vulnerability data; undefined: there was none. */
  readonly data: string | undefined
  /** Wall ms of the newest of that data about this image. */
  readonly dataFrom: number | undefined
  /** Wall ms. */
  readonly scannedAt: number
}

/** A vulnerability of an image, as it is remembered. */
export interface RememberedVulnerability {
  readonly id: string
  /** All its names, `id` among them. */
  readonly names: readonly string[]
  readonly fingerprint: string
  readonly severity: Severity
  readonly fixed: string | undefined
  readonly exploited: boolean
  /** An OpenVEX statement says that it does no harm here, or is mended. */
  readonly settled: boolean
  readonly package: { readonly purl: string; readonly name: string; readonly version: string }
  /** Wall ms when it became known; undefined: it was, when the image was first looked at. */
  readonly since: number | undefined
  /** Wall ms: the data said nothing of it from `gone` until `at`, the last time that this was so. */
  readonly back: { readonly gone: number; readonly at: number } | undefined
}

/**
 * Whether it became known after `from` (wall ms), when somebody began to run the image. Data that is lost and comes back is no news to those who ran the image
 * before it was lost.
 */
export const isNewsTo = ({ since, back }: Pick<RememberedVulnerability, 'since' | 'back'>, from: number): boolean =>
  (since !== undefined && since >= from) || (back !== undefined && back.gone < from && from <= back.at)

/** The same of what was remembered at `at` just now: whether it is news to them by that. */
export const becomesNewsTo = ({ since, back }: Pick<RememberedVulnerability, 'since' | 'back'>, from: number, at: number): boolean =>
  from <= at && (back?.at === at ? back.gone < from : since === at)

/** A workload that runs an image. */
export interface Use {
  readonly environment: string
  readonly workload: string
  /** Wall ms when the first of its instances with the image was started. */
  readonly from: number
}

/** What a workload of an environment did with an image, as long as a record speaks of it. */
export interface PastUse {
  readonly environment: { readonly id: string; readonly name: string; readonly owner: string }
  readonly workload: string
  /** Instances of that workload with that image, and how many of them run now. */
  readonly instances: number
  readonly running: number
  /** Wall ms: the first start, and the last end; undefined while one runs. */
  readonly from: number
  readonly until: number | undefined
}

export interface RememberedImage {
  readonly digest: string
  readonly names: readonly string[]
  readonly distribution: Distribution | undefined
  readonly problems: readonly string[]
  readonly scannedAt: number
  /** Wall ms when it was last held against vulnerability data. */
  readonly matchedAt: number
  readonly dataFrom: number | undefined
}

export interface WhoQuestion {
  /** Name of a package or of what it was built from, and its version: as its ecosystem writes it, or without what a distribution adds. Or a purl. */
  readonly package?: { readonly name: string; readonly version: string | undefined } | { readonly purl: string }
  /** Any name of a vulnerability. */
  readonly vulnerability?: string
  /** A name that a user gave, a digest, or 12 hex digits or more of its beginning. */
  readonly image?: string
  /** Wall ms: what ran at that time or later. */
  readonly since?: number
  /** Only what runs now. */
  readonly running?: boolean
  /** Only what environments of these ran. */
  readonly teams?: Teams
  /** Rows of the answer, at most. */
  readonly limit: number
}

/** One package (where the question is about one) of one image that a workload of an environment ran. */
export interface WhoRow {
  readonly environment: { readonly id: string; readonly name: string; readonly owner: string }
  readonly workload: string
  readonly image: { readonly digest: string; readonly names: readonly string[] }
  /** Instances of that workload with that image, and how many of them run now. */
  readonly instances: number
  readonly running: number
  /** Wall ms: the first start, and the last end; undefined while one runs. */
  readonly from: number
  readonly until: number | undefined
  /** undefined where the question names neither a package nor a vulnerability. */
  readonly package: { readonly purl: string; readonly type: string; readonly name: string; readonly version: string } | undefined
  /** What is known of that package there; of one that was asked for, that. Worst first. */
  readonly vulnerabilities: readonly Pick<RememberedVulnerability, 'id' | 'severity' | 'fixed' | 'exploited' | 'settled'>[]
}

export interface WhoAnswer {
  readonly rows: readonly WhoRow[]
  /** There are more rows than the limit. */
  readonly more: boolean
  /** Images of records of which nothing is known: they might have it. */
  readonly unknown: readonly string[]
}

/** Changes are within the store's transactions. */
export interface Inventory {
  /** Images that records speak of and that are not known by this scanner and data, or are to be looked at again by now; those that run come first. */
  stale(scanner: string, data: string | undefined, now: number, limit: number): string[]
  image(digest: string): RememberedImage | undefined
  /** All that are remembered, in the order of their digests. */
  images(): RememberedImage[]
  /** Who runs it and who did: those that run first, then the newest. */
  history(digest: string, limit: number): PastUse[]
  /** Without paths, licences and digests of files. */
  packages(digest: string): Package[]
  /** Those that are known now, worst first. */
  vulnerabilities(digest: string): RememberedVulnerability[]
  /**
   * Replaces what was known of the image. `again`: wall ms when it is to be looked at once more; undefined: not before there is another scanner or other data.
   * Returns what was not known of it just before, by none of its names, worst first; nothing where the image itself was not known.
   */
  remember(knowledge: ImageKnowledge, now: number, again?: number): RememberedVulnerability[]
  /** Who runs it now. */
  uses(digest: string): Use[]
  /** Digests of what runs now. */
  running(): string[]
  who(question: WhoQuestion): WhoAnswer
  /** Forgets images that no record speaks of and that were looked at before `wall` (ms), and returns how many those were. */
  prune(wall: number): number
}
