import { z } from 'zod'
import { EnvironmentRef } from '../parameters.ts'
import type { Route } from '../route.ts'
import { defineRoute, nothing } from '../route.ts'
import {
  BlockedDigest,
  BlockedImageList,
  BlockedImageView,
  BlockImageRequest,
  DeliveryList,
  EvidenceList,
  NotifyStateView,
  NotifyTestRequest,
  NotifyTestView,
  ReplayRequest,
  ReplayView,
} from '../schemas/responses.ts'
import type { Services } from '../services.ts'

const EvidenceFile = EnvironmentRef.extend({
  take: z
    .string()
    .regex(/^\d{1,15}$/, 'must be a whole number')
    .transform(Number),
  file: z.string().min(1).max(255),
})

export const responseRoutes = (services: Services): Route[] => [
  defineRoute({
    method: 'GET',
    path: '/v1/blocked-images',
    summary: 'Images that are not admitted any more',
    params: nothing,
    query: nothing,
    body: nothing,
    answers: [{ status: 200, description: 'The one that was blocked first comes first.', mediaType: 'application/json', schema: BlockedImageList }],
    handle: async () => ({ kind: 'json', status: 200, body: { images: services.responses.blockedImages() } }),
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/blocked-images',
    summary: 'Block an image',
    description: 'By its digest: no start of it is admitted from now on, whatever policy says. What runs goes on. Blocking it again changes nothing.',
    params: nothing,
    query: nothing,
    body: BlockImageRequest,
    answers: [{ status: 200, description: 'It is blocked.', mediaType: 'application/json', schema: BlockedImageView }],
    handle: async ({ body, actor }) => ({ kind: 'json', status: 200, body: await services.responses.blockImage(body.image, body.reason, actor) }),
  }),
  defineRoute({
    method: 'DELETE',
    path: '/v1/blocked-images/:digest',
    summary: 'Let an image be admitted again',
    params: BlockedDigest,
    query: nothing,
    body: nothing,
    answers: [{ status: 200, description: 'What it was blocked for.', mediaType: 'application/json', schema: BlockedImageView }],
    handle: async ({ params, actor }) => ({ kind: 'json', status: 200, body: services.responses.unblockImage(params.digest, actor) }),
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/environments/:ref/evidence',
    summary: 'Evidence that was taken of instances, oldest first',
    params: EnvironmentRef,
    query: nothing,
    body: nothing,
    answers: [{ status: 200, description: 'Files by take.', mediaType: 'application/json', schema: EvidenceList }],
    handle: async ({ params }) => ({ kind: 'json', status: 200, body: { evidence: services.responses.evidence(params.ref) } }),
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/environments/:ref/evidence/:take/:file',
    summary: 'One file of evidence',
    params: EvidenceFile,
    query: nothing,
    body: nothing,
    answers: [{ status: 200, description: 'As it was written: hold it against its hash.', mediaType: 'application/octet-stream' }],
    handle: async ({ params: { ref, take, file } }) => ({
      kind: 'bytes',
      mediaType: 'application/octet-stream',
      bytes: services.responses.evidenceFile(ref, take, file),
    }),
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/notify',
    summary: 'How it stands with those who are told of detections',
    params: nothing,
    query: nothing,
    body: nothing,
    answers: [{ status: 200, description: 'By target.', mediaType: 'application/json', schema: NotifyStateView }],
    handle: async () => ({ kind: 'json', status: 200, body: { targets: services.responses.notifyState() } }),
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/notify/deliveries',
    summary: 'What was sent to those who are told, the oldest of each target first',
    description: 'Of each target the last 1,000, as far as they fit into 16 MiB.',
    params: nothing,
    query: z.strictObject({ target: z.string().min(1).optional() }),
    body: nothing,
    answers: [{ status: 200, description: 'The deliveries.', mediaType: 'application/json', schema: DeliveryList }],
    handle: async ({ query }) => ({ kind: 'json', status: 200, body: { deliveries: await services.responses.notifyDeliveries(query.target) } }),
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/notify/replay',
    summary: 'Send deliveries again',
    description: 'Through the queue of their target, with the ids that they had.',
    params: nothing,
    query: nothing,
    body: ReplayRequest,
    answers: [{ status: 200, description: 'How many will be.', mediaType: 'application/json', schema: ReplayView }],
    handle: async ({ body }) => ({ kind: 'json', status: 200, body: { count: await services.responses.notifyReplay(body) } }),
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/notify/test',
    summary: 'Send a test message to those who are told of detections',
    description: 'At once, past what waits. That one has failed is no error of the call.',
    params: nothing,
    query: nothing,
    body: NotifyTestRequest,
    answers: [{ status: 200, description: 'How each came out.', mediaType: 'application/json', schema: NotifyTestView }],
    handle: async ({ body, signal }) => ({ kind: 'json', status: 200, body: { results: await services.responses.notifyTest(body.targets, signal) } }),
  }),
]
