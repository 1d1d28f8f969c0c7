import { z } from 'zod'
import { DayflyError } from '../../base/errors.ts'
import { authorization } from '../authorization.ts'
import { docsPage, docsPolicy } from '../docs-page.ts'
import { openapiDocument } from '../openapi.ts'
import type { Route } from '../route.ts'
import { defineRoute, nothing, routeKey } from '../route.ts'

/** What the API says of itself. `all`: every route, these among them. */
export const documentRoutes = (all: () => readonly Route[], version: string): Route[] => {
  const document = (): ReturnType<typeof openapiDocument> => openapiDocument(all(), version)
  return [
    defineRoute({
      method: 'GET',
      path: '/v1/openapi.json',
      summary: 'This API as an OpenAPI 3.1 document',
      params: nothing,
      query: nothing,
      body: nothing,
      answers: [{ status: 200, description: 'The document.', mediaType: 'application/json', schema: z.looseObject({ openapi: z.string() }) }],
      handle: async () => ({ kind: 'json', status: 200, body: document() }),
    }),
    defineRoute({
      method: 'GET',
      path: '/v1/docs',
      summary: 'This API for people to read',
      params: nothing,
      query: nothing,
      body: nothing,
      answers: [{ status: 200, description: 'A page without scripts.', mediaType: 'text/html' }],
      handle: async () => {
        const accessOf = (route: Route) => {
          const access = authorization[routeKey(route)]
          if (access === undefined) throw new DayflyError('internal', `${routeKey(route)} is not in the authorisation matrix`)
          return access
        }
        return { kind: 'page', html: docsPage(all(), document(), accessOf), policy: docsPolicy }
      },
    }),
  ]
}
