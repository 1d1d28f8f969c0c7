import { given } from '../../base/given.ts'
import type { Route } from '../route.ts'
import { defineRoute, nothing } from '../route.ts'
import {
  DetectionId,
  DetectionList,
  DetectionQuery,
  FindingList,
  FindingQuery,
  InventoryDetailView,
  InventoryDigest,
  InventoryList,
  StoryView,
} from '../schemas/security.ts'
import type { Services } from '../services.ts'

export const findingRoutes = (services: Services): Route[] => [
  defineRoute({
    method: 'GET',
    path: '/v1/findings',
    summary: 'What is wrong with what runs and what ran, by risk',
    description:
      'Vulnerabilities, secrets and misconfigurations of images that records speak of, detections, and denied starts: the same thing once, with the places where it is.',
    params: nothing,
    query: FindingQuery,
    body: nothing,
    answers: [{ status: 200, description: 'The findings.', mediaType: 'application/json', schema: FindingList }],
    handle: async ({ query, signal }) => ({ kind: 'json', status: 200, body: await services.security.findings(query, signal) }),
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/detections',
    summary: 'What rules have detected, of all records',
    params: nothing,
    query: DetectionQuery,
    body: nothing,
    answers: [{ status: 200, description: 'The detections.', mediaType: 'application/json', schema: DetectionList }],
    handle: async ({ query }) => {
      const { environment, instance, ...rest } = query
      const body = services.security.detections({
        ...rest,
        ...given({
          environment: environment === undefined ? undefined : services.lifecycle.environment(environment).id,
          instance: instance === undefined ? undefined : services.lifecycle.instance(instance).id,
        }),
      })
      return { kind: 'json', status: 200, body }
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/detections/:id',
    summary: 'One detection, with what the instance did in the minute before it, and what was done about it',
    params: DetectionId,
    query: nothing,
    body: nothing,
    answers: [{ status: 200, description: 'The story.', mediaType: 'application/json', schema: StoryView }],
    handle: async ({ params, signal }) => ({ kind: 'json', status: 200, body: await services.security.story(params.id, signal) }),
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/inventory',
    summary: 'Images that ran, as long as a record speaks of them',
    description: 'Also those that were removed from the image store since.',
    params: nothing,
    query: nothing,
    body: nothing,
    answers: [{ status: 200, description: 'The images.', mediaType: 'application/json', schema: InventoryList }],
    handle: async () => ({ kind: 'json', status: 200, body: { images: await services.security.inventory() } }),
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/inventory/:digest',
    summary: 'What an image that ran holds, and where it ran',
    params: InventoryDigest,
    query: nothing,
    body: nothing,
    answers: [{ status: 200, description: 'The image.', mediaType: 'application/json', schema: InventoryDetailView }],
    handle: async ({ params }) => ({ kind: 'json', status: 200, body: await services.security.inventoryOf(params.digest) }),
  }),
]
