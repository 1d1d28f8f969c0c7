import { z } from 'zod'
import type { Route } from '../route.ts'
import { defineRoute, nothing } from '../route.ts'
import type { Services } from '../services.ts'

export const backupRoutes = (services: Services): Route[] => [
  defineRoute({
    method: 'POST',
    path: '/v1/backup',
    summary: 'All of the state that cannot be had again, as one archive',
    description:
      'A tar archive as of now, while the daemon goes on: records, what instances did, logs, keys, policies and rules, and a manifest with the hash of each, which comes last: ' +
      'an archive without it was cut off. It holds keys. docs/operations.md says how it is restored.',
    params: nothing,
    query: nothing,
    body: z.strictObject({ evidence: z.boolean().default(false).describe('Evidence that was taken of instances, too; it may be large.') }),
    answers: [{ status: 200, description: 'The archive.', mediaType: 'application/x-tar' }],
    handle: async ({ body, signal }) => ({ kind: 'bytes', mediaType: 'application/x-tar', bytes: services.backup(body.evidence, signal) }),
  }),
]
