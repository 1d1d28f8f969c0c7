import { z } from 'zod'
import { DayflyError } from '../../base/errors.ts'
import { Flag } from '../parameters.ts'
import type { Route } from '../route.ts'
import { defineRoute, nothing } from '../route.ts'
import type { DataLine } from '../schemas/scans.ts'
import { DataLine as DataLineSchema, DataStatusView, ScanLine, ScanRequest, UpdateDataRequest, WhoView } from '../schemas/scans.ts'
import type { Services } from '../services.ts'
import { toldThen } from '../told.ts'

const WhoQuery = z.object({
  package: z
    .string()
    .min(1)
    .max(1024)
    .optional()
    .describe('`openssl`, `openssl@3.0.11`, `@scope/name@1.2.3`, or a purl. The name may be that of the source package.'),
  cve: z.string().min(1).max(256).optional().describe('Any name of a vulnerability.'),
  image: z.string().min(1).max(1024).optional().describe('A name or a digest.'),
  since: z.coerce.number().optional().describe('Wall ms: what ran then or later.'),
  running: Flag.describe('Only what runs now.'),
  limit: z.coerce.number().int().min(1).max(10_000).default(1_000),
})

/** `@scope/name@1.2.3` → name and version; a purl stays one. */
const packageOf = (text: string): { purl: string } | { name: string; version: string | undefined } => {
  if (text.startsWith('pkg:')) return { purl: text }
  const at = text.lastIndexOf('@')
  return at > 0 && at < text.length - 1
    ? { name: text.slice(0, at), version: text.slice(at + 1) }
    : { name: text.replace(/(?<=.)@$/, ''), version: undefined }
}

export const scanRoutes = (services: Services): Route[] => [
  defineRoute({
    method: 'POST',
    path: '/v1/images/scan',
    summary: 'Say what an image holds, and what is wrong with it',
    description: 'Fetched first where it is missing. What admission is decided by is the same.',
    params: nothing,
    query: nothing,
    body: ScanRequest,
    answers: [{ status: 200, description: 'Progress, then the scan.', mediaType: 'application/x-ndjson', schema: ScanLine }],
    handle: async ({ body, signal }) => ({
      kind: 'lines',
      lines: toldThen<z.infer<typeof ScanLine>>(async tell => {
        const onProgress: Parameters<Services['scans']['scan']>[1] = progress => tell({ progress })
        if (body.format === 'findings') return { scan: await services.scans.scan(body, onProgress, signal) }
        return { document: await services.scans.document(body, body.format, onProgress, signal) }
      }),
    }),
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/vulnerabilities',
    summary: 'What vulnerability data there is',
    params: nothing,
    query: nothing,
    body: nothing,
    answers: [{ status: 200, description: 'Its sources and age.', mediaType: 'application/json', schema: DataStatusView }],
    handle: async () => ({ kind: 'json', status: 200, body: services.vulnerabilityData.status() }),
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/vulnerabilities/update',
    summary: 'Bring vulnerability data in: all of it or none',
    description: 'Until it is all there, what was there counts. A client that goes away cancels it.',
    params: nothing,
    query: nothing,
    body: UpdateDataRequest,
    answers: [{ status: 200, description: 'Progress, then what there is now.', mediaType: 'application/x-ndjson', schema: DataLineSchema }],
    handle: async ({ body, signal }) => ({
      kind: 'lines',
      lines: toldThen<DataLine>(async tell => ({
        data: await services.vulnerabilityData.update(body.sources, progress => tell({ progress }), signal),
      })),
    }),
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/who',
    summary: 'Which environments ran a package, a vulnerability or an image',
    description: 'Of all that a record speaks of, whether or not the image is still there. At least one of package, cve and image is needed.',
    params: nothing,
    query: WhoQuery,
    body: nothing,
    answers: [{ status: 200, description: 'What ran where.', mediaType: 'application/json', schema: WhoView }],
    handle: async ({ query }) => {
      const { package: of, cve, image, since, running, limit } = query
      if (of === undefined && cve === undefined && image === undefined) {
        throw new DayflyError('invalid', 'package: neither a package, nor a vulnerability, nor an image is asked for', {
          field: 'package',
          remedy: 'Name one of them: package, cve or image.',
        })
      }
      const question = {
        ...(of === undefined ? {} : { package: packageOf(of) }),
        ...(cve === undefined ? {} : { vulnerability: cve }),
        ...(image === undefined ? {} : { image }),
        ...(since === undefined ? {} : { since }),
        ...{ running, limit },
      }
      return { kind: 'json', status: 200, body: services.who(question) }
    },
  }),
]
