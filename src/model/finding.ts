/**
 * Something wrong, in one shape for all sources. A finding is a fact: whether it matters is what policy says.
 * No field ever holds a secret in the clear.
 */
import { z } from 'zod'

export const FindingKind = z.enum(['vulnerability', 'misconfiguration', 'secret', 'policy', 'detection'])
export type FindingKind = z.infer<typeof FindingKind>

/** From least to most. `unknown` is a vulnerability that nobody has rated. */
export const severities = ['unknown', 'negligible', 'low', 'medium', 'high', 'critical'] as const
export const Severity = z.enum(severities)
export type Severity = z.infer<typeof Severity>

/** Negative when `left` is the milder one. */
export const compareSeverity = (left: Severity, right: Severity): number => severities.indexOf(left) - severities.indexOf(right)

/** Where it is: as much as is known. */
export const Place = z.object({
  /** Path in the image without a leading slash, or of a file of the host relative to what was scanned. */
  path: z.string().optional(),
  /** From 1. */
  line: z.int().min(1).optional(),
  column: z.int().min(1).optional(),
  /** Diff id of the layer that has it. */
  layer: z.string().optional(),
  /** A later layer removed or replaced the file: it is not seen at run time, but whoever has the image has it. */
  hidden: z.boolean().optional(),
  /** Of what is not a file: `env.DATABASE_URL`, `labels.maintainer`, `history[3]`, `services.web.environment.TOKEN`. */
  field: z.string().optional(),
  /** Of a document: `Pod/default/web`, `service/web`. */
  object: z.string().optional(),
})
export type Place = z.infer<typeof Place>

/** One rating. `score` is 0–10; version as the vector says. */
export const Rating = z.object({ version: z.enum(['2.0', '3.0', '3.1', '4.0']), vector: z.string(), score: z.number().min(0).max(10) })
export type Rating = z.infer<typeof Rating>

const common = {
  /** Of the rule or the vulnerability: `CVE-2023-0464`, `image-root-user`, `aws-access-key`, `pss/privileged`, a policy's name. */
  id: z.string(),
  severity: Severity,
  /** One line for people. */
  title: z.string(),
  /** What to do about it, in one sentence. */
  remedy: z.string().optional(),
  /** Documents about it. */
  references: z.array(z.string()).optional(),
  places: z.array(Place),
  /** 32 hex digits: the same thing found again has the same one, whatever the order, time or line. Baselines and SARIF use it. */
  fingerprint: z.string().regex(/^[0-9a-f]{32}$/),
}

export const VulnerabilityFinding = z.object({
  kind: z.literal('vulnerability'),
  ...common,
  package: z.object({ purl: z.string(), name: z.string(), version: z.string() }),
  /** The lowest version without it; undefined where there is none. */
  fixed: z.string().optional(),
  /** Other names of it. */
  aliases: z.array(z.string()),
  ratings: z.array(Rating),
  /** Probability of exploitation within 30 days, 0–1 (EPSS). */
  epss: z.number().min(0).max(1).optional(),
  /** It is exploited (CISA's KEV). */
  exploited: z.boolean().optional(),
  /** Wall ms. */
  publishedAt: z.number().optional(),
  /** What an OpenVEX statement says of it here. Only `not_affected` and `fixed` take a finding out of the sum. */
  vex: z.object({ status: z.enum(['not_affected', 'affected', 'fixed', 'under_investigation']), justification: z.string().optional() }).optional(),
})
export type VulnerabilityFinding = z.infer<typeof VulnerabilityFinding>

export const SecretFinding = z.object({
  kind: z.literal('secret'),
  ...common,
  /** First and last characters only, the rest as dots. */
  redacted: z.string(),
  /** Hex SHA-256 of salt and secret: tells two apart without saying either. */
  hash: z.string(),
})
export type SecretFinding = z.infer<typeof SecretFinding>

/** What is wrong with how an image is made: ids that policies and exemptions name. `scan/misconfigurations.ts` says what each is. */
export const imageMisconfigurations = [
  ...(['image-root-user', 'image-setuid-file', 'image-setuid-usual', 'image-world-writable', 'image-shell', 'image-package-manager'] as const),
  ...(['image-privileged-port', 'image-tag-latest', 'image-without-digest'] as const),
] as const
export const ImageMisconfiguration = z.enum(imageMisconfigurations)
export type ImageMisconfiguration = z.infer<typeof ImageMisconfiguration>

export const MisconfigurationFinding = z.object({ kind: z.literal('misconfiguration'), ...common })
export type MisconfigurationFinding = z.infer<typeof MisconfigurationFinding>

export const PolicyFinding = z.object({ kind: z.literal('policy'), ...common })
export type PolicyFinding = z.infer<typeof PolicyFinding>

export const DetectionFinding = z.object({ kind: z.literal('detection'), ...common })
export type DetectionFinding = z.infer<typeof DetectionFinding>

export const Finding = z.discriminatedUnion('kind', [VulnerabilityFinding, SecretFinding, MisconfigurationFinding, PolicyFinding, DetectionFinding])
export type Finding = z.infer<typeof Finding>
