/** Wire schemas of what is known of images: their packages, what is wrong with them, who ran them, and the vulnerability data. Times are wall ms. */
import { z } from 'zod'
import { Finding, Severity } from '../../model/finding.ts'
import { Distribution, Package } from '../../model/package.ts'
import { PullProgress, RegistryAuth } from './images.ts'

export const ScanRequest = z
  .strictObject({
    image: z.string().min(1).describe('A name, or a manifest digest `sha256:…`.'),
    pull: z.enum(['missing', 'always', 'never']).default('missing').describe('When to fetch the image from its registry.'),
    auth: RegistryAuth.optional(),
    format: z
      .enum(['findings', 'cyclonedx', 'spdx'])
      .default('findings')
      .describe('`cyclonedx` (1.6) and `spdx` (2.3) are documents by these standards.'),
  })
  .meta({ id: 'ScanRequest' })
export type ScanRequest = z.output<typeof ScanRequest>
export type ScanInput = z.input<typeof ScanRequest>

export const ScanView = z
  .object({
    image: z.object({ name: z.string(), digest: z.string() }),
    distribution: Distribution.nullable(),
    packages: z.array(Package),
    findings: z.array(Finding).describe('Vulnerabilities, secrets and misconfigurations.'),
    problems: z.array(z.string()).describe('What could not be understood: something may be missing.'),
    unknown: z.array(z.string()).describe('What there is no vulnerability data about.'),
    scannedAt: z.number(),
    dataFrom: z.number().nullable().describe('The newest vulnerability data about it; null where there is none.'),
  })
  .meta({ id: 'Scan' })
export type ScanView = z.infer<typeof ScanView>

export const ScanLine = z
  .union([
    z.object({ progress: PullProgress }),
    z.object({ scan: ScanView }),
    z.object({ document: z.record(z.string(), z.unknown()).describe('The document of the format that was asked for.') }),
  ])
  .describe('Progress; the last line is the scan or the document, or an Error.')
export type ScanLine = z.infer<typeof ScanLine>

const Location = z.string().min(1).max(4096)

export const UpdateDataRequest = z
  .strictObject({
    sources: z
      .array(
        z.strictObject({
          location: Location.refine(
            text => text.startsWith('/') || /^https?:\/\//.test(text),
            'must be an absolute path or an https:// URL',
          ).describe("A folder, zip or file on the daemon's host, or a URL (https, or http on the loopback)."),
          format: z.enum(['osv', 'debian', 'epss', 'kev', 'openvex']).optional().describe('Left out: by what is in it.'),
        }),
      )
      .max(200)
      .default([])
      .describe('None: those of earlier imports, or the usual public ones.'),
  })
  .meta({ id: 'UpdateDataRequest' })
export type UpdateDataRequest = z.output<typeof UpdateDataRequest>
export type UpdateDataInput = z.input<typeof UpdateDataRequest>

export const DataStatusView = z
  .object({
    records: z.int().describe('Advisories of all sources.'),
    newest: z.number().nullable().describe('The newest of all; null where there are none.'),
    age: z.number().nullable().describe('Since then, ms.'),
    ecosystems: z.array(z.object({ name: z.string(), newest: z.number() })),
    sources: z.array(
      z.object({
        location: z.string(),
        format: z.string(),
        records: z.int(),
        withdrawn: z.int(),
        superseded: z.int(),
        bad: z.int(),
        faults: z.array(z.string()),
        newest: z.number().nullable(),
        importedAt: z.number(),
      }),
    ),
  })
  .meta({ id: 'VulnerabilityData' })
export type DataStatusView = z.infer<typeof DataStatusView>

export const DataProgress = z.object({ location: z.string(), records: z.int() }).meta({ id: 'DataProgress' })
export type DataProgress = z.infer<typeof DataProgress>

export const DataLine = z
  .union([z.object({ progress: DataProgress }), z.object({ data: DataStatusView })])
  .describe('Progress; the last line is what there is now, or an Error, and then nothing has changed.')
export type DataLine = z.infer<typeof DataLine>

export const WhoRowView = z
  .object({
    environment: z.object({ id: z.string(), name: z.string(), owner: z.string() }),
    workload: z.string(),
    image: z.object({ digest: z.string(), names: z.array(z.string()) }),
    instances: z.int(),
    running: z.int().describe('How many of the instances run now.'),
    from: z.number().describe('The first start.'),
    until: z.number().nullable().describe('The last end; null while one runs.'),
    package: z.object({ purl: z.string(), type: z.string(), name: z.string(), version: z.string() }).nullable(),
    vulnerabilities: z.array(
      z.object({
        id: z.string(),
        severity: Severity,
        fixed: z.string().nullable(),
        exploited: z.boolean(),
        settled: z.boolean().describe('An OpenVEX statement says that it does no harm there.'),
      }),
    ),
    fixed: z.string().nullable().describe('The version of the package without all of these; null where there is none, or nothing is wrong with it.'),
  })
  .meta({ id: 'WhoRow' })
export type WhoRowView = z.infer<typeof WhoRowView>

export const WhoView = z
  .object({
    rows: z.array(WhoRowView).describe('Those that run first, then the newest.'),
    more: z.boolean().describe('There are more than the limit.'),
    unknown: z.array(z.string()).describe('Digests of images of which nothing is known: they might have it.'),
  })
  .meta({ id: 'Who' })
export type WhoView = z.infer<typeof WhoView>
