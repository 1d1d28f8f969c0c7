/** The document of `--format json`. Its fields are an interface: they are added to, and change with `schemaVersion` only. */
import { z } from 'zod'
import { Finding } from '../../model/finding.ts'
import { Distribution } from '../../model/package.ts'
import type { Report } from './report.ts'
import { countsOf } from './report.ts'

const Count = z.int().min(0)

export const ScanDocument = z.strictObject({
  schemaVersion: z.literal(1),
  tool: z.strictObject({ name: z.literal('dayfly'), version: z.string() }),
  /** ISO, UTC. */
  scannedAt: z.iso.datetime(),
  target: z.strictObject({ kind: z.enum(['folder', 'compose', 'image', 'manifests']), name: z.string(), digest: z.string().nullable() }),
  distribution: Distribution.nullable(),
  /** How many there are; `--format cyclonedx` and `spdx` list them. */
  packages: Count,
  /** Of the vulnerability data. ISO, UTC; null where there is none about these packages. */
  dataFrom: z.iso.datetime().nullable(),
  /** Whether everything could be looked at: `problems` is empty. */
  complete: z.boolean(),
  problems: z.array(z.string()),
  /** By severity, of `findings`. */
  summary: z.strictObject({ critical: Count, high: Count, medium: Count, low: Count, negligible: Count, unknown: Count }),
  /** How many findings are not here, by reason. */
  leftOut: z.strictObject({ severity: Count, unfixed: Count, vex: Count, baseline: Count }),
  /** The worst first. */
  findings: z.array(Finding),
})
export type ScanDocument = z.infer<typeof ScanDocument>

const iso = (at: number): string => new Date(at).toISOString()

export const scanDocument = ({ target, version, at, distribution, packages, findings, leftOut, problems, dataFrom }: Report): ScanDocument => ({
  schemaVersion: 1,
  tool: { name: 'dayfly', version },
  scannedAt: iso(at),
  target: { kind: target.kind, name: target.name, digest: target.digest ?? null },
  distribution: distribution ?? null,
  packages: packages.length,
  dataFrom: dataFrom === undefined ? null : iso(dataFrom),
  complete: problems.length === 0,
  problems: [...problems],
  summary: { ...countsOf(findings) },
  leftOut: { ...leftOut },
  findings: [...findings],
})
