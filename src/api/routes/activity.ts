import { z } from 'zod'
import { given } from '../../base/given.ts'
import { flag } from '../parameters.ts'
import type { Route } from '../route.ts'
import { defineRoute, nothing } from '../route.ts'
import { FoundList } from '../schemas/activity.ts'
import type { Services } from '../services.ts'

const Whole = z
  .string()
  .regex(/^\d{1,15}$/, 'must be a whole number')
  .transform(Number)

const Text = z.string().min(1).max(4096).optional()

const usualLimit = 1000
/** An answer of more would keep the daemon from others. */
const mostFound = 10_000

export const activityRoutes = (services: Services): Route[] => [
  defineRoute({
    method: 'GET',
    path: '/v1/activity',
    summary: 'What instances did: kernel events, and samples of what they used',
    description: 'All that is said must fit. Newest first, in the order in which it was kept.',
    params: nothing,
    query: z.strictObject({
      since: Whole.optional().describe('Wall ms: at or after it.'),
      until: Whole.optional().describe('Wall ms: at or before it.'),
      environment: Text.describe('An id, a unique prefix of one of at least 4 characters, or a name.'),
      instance: Text.describe('An instance, as in the path of other routes.'),
      workload: Text,
      image: Text.describe('Its digest, or the name that was asked for.'),
      owner: Text,
      type: z
        .union([z.string().transform(text => [text]), z.array(z.string())])
        .optional()
        .describe('Of kernel events, or `sample`; several: any of them.'),
      process: Text.describe("A program's path or its last name, or what the process calls itself."),
      address: Text.describe('Of either side, or a name that was asked for.'),
      port: Whole.optional(),
      path: Text.describe('Of a file; what ends with `/` stands for all below that folder.'),
      text: Text.describe('Words that all occur in its arguments, paths, names and addresses. Dots, hyphens and underlines can be part of a word.'),
      oldestFirst: flag('false'),
      after: Whole.optional().describe('Goes on after this position: `next` of the answer before.'),
      limit: Whole.pipe(z.int().min(1).max(mostFound)).default(usualLimit).describe(`At most so many, up to ${mostFound}.`),
    }),
    body: nothing,
    answers: [{ status: 200, description: 'What was found.', mediaType: 'application/json', schema: FoundList }],
    handle: async ({ query, signal }) => {
      const { environment, instance, type, ...rest } = query
      const found = await services.activity.search(
        given({
          ...rest,
          environment: environment === undefined ? undefined : services.lifecycle.environment(environment).id,
          instance: instance === undefined ? undefined : services.lifecycle.instance(instance).id,
          types: type,
        }),
        signal,
      )
      return { kind: 'json', status: 200, body: { found, next: found.length < query.limit ? null : (found.at(-1)?.position ?? null) } }
    },
  }),
]
