import { z } from 'zod'
import { pageOf, pageQuery } from '../pages.ts'
import type { Route } from '../route.ts'
import { defineRoute, nothing } from '../route.ts'
import {
  BuildRequest,
  CollectRequest,
  ImageDetailView,
  ImageList,
  ImageView,
  ImportRequest,
  PullProgress,
  PullRequest,
  RemovedView,
} from '../schemas/images.ts'
import type { OnLog, OnProgress, Services } from '../services.ts'
import { toldThen } from '../told.ts'

const Name = z.object({ name: z.string().min(1).describe('A name, a digest, or a unique prefix of one. Slashes are written %2F.') })

const PullLine = z
  .union([z.object({ progress: PullProgress }), z.object({ image: ImageView })])
  .describe('Progress; the last line is the image, or an Error.')

const progressLines = (work: (onProgress: OnProgress) => Promise<ImageView>): AsyncGenerator<z.infer<typeof PullLine>> =>
  toldThen(async tell => ({ image: await work(progress => tell({ progress })) }))

const BuildLine = z
  .union([z.object({ log: z.string() }), z.object({ progress: PullProgress }), z.object({ image: ImageView })])
  .describe('A piece of what the build prints, or progress; the last line is the image, or an Error.')

const buildLines = (work: (onLog: OnLog, onProgress: OnProgress) => Promise<ImageView>): AsyncGenerator<z.infer<typeof BuildLine>> =>
  toldThen(async tell => ({
    image: await work(
      log => tell({ log }),
      progress => tell({ progress }),
    ),
  }))

export const imageRoutes = (services: Services): Route[] => [
  defineRoute({
    method: 'GET',
    path: '/v1/images',
    summary: 'List images, the last that came first',
    params: nothing,
    query: z.strictObject(pageQuery),
    body: nothing,
    answers: [{ status: 200, description: 'The images.', mediaType: 'application/json', schema: ImageList }],
    handle: async ({ query }) => {
      const found = (await services.images.list()).map(image => ({ image, id: image.digest, createdAt: image.pulledAt }))
      const { page, next } = pageOf(found, query)
      return { kind: 'json', status: 200, body: { images: page.map(({ image }) => image), next } }
    },
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/images/:name',
    summary: 'One image',
    params: Name,
    query: nothing,
    body: nothing,
    answers: [{ status: 200, description: 'The image.', mediaType: 'application/json', schema: ImageDetailView }],
    handle: async ({ params, signal }) => {
      const image = await services.images.inspect(params.name)
      // What is wrong with the vulnerability data, or with a layer, must not hide the rest.
      const scan = await services.scans.summary(image, signal).catch(() => null)
      return { kind: 'json', status: 200, body: { ...image, scan } }
    },
  }),
  defineRoute({
    method: 'DELETE',
    path: '/v1/images/:name',
    summary: 'Remove a name (the image with its last one), or by digest an image with all its names',
    params: Name,
    query: nothing,
    body: nothing,
    answers: [{ status: 200, description: 'What was removed.', mediaType: 'application/json', schema: RemovedView }],
    handle: async ({ params }) => ({ kind: 'json', status: 200, body: await services.images.remove(params.name) }),
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/images/pull',
    summary: 'Fetch an image',
    params: nothing,
    query: nothing,
    body: PullRequest,
    answers: [{ status: 200, description: 'Progress, then the image.', mediaType: 'application/x-ndjson', schema: PullLine }],
    handle: async ({ body, signal }) => ({ kind: 'lines', lines: progressLines(onProgress => services.images.pull(body, onProgress, signal)) }),
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/images/import',
    summary: 'Make an image of a root file system',
    params: nothing,
    query: nothing,
    body: ImportRequest,
    answers: [{ status: 200, description: 'Progress, then the image.', mediaType: 'application/x-ndjson', schema: PullLine }],
    handle: async ({ body, signal }) => ({ kind: 'lines', lines: progressLines(onProgress => services.images.import(body, onProgress, signal)) }),
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/images/build',
    summary: 'Make an image of a Dockerfile',
    params: nothing,
    query: nothing,
    body: BuildRequest,
    answers: [{ status: 200, description: 'What the build prints, then the image.', mediaType: 'application/x-ndjson', schema: BuildLine }],
    handle: async ({ body, signal }) => ({
      kind: 'lines',
      lines: buildLines((onLog, onProgress) => services.images.build(body, onLog, onProgress, signal)),
    }),
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/images/gc',
    summary: 'Remove what no name and no living environment refers to',
    params: nothing,
    query: nothing,
    body: CollectRequest,
    answers: [{ status: 200, description: 'What was removed.', mediaType: 'application/json', schema: RemovedView }],
    handle: async ({ body }) => ({ kind: 'json', status: 200, body: await services.images.collect(body.all) }),
  }),
]
