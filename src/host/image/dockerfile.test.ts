import assert from 'node:assert/strict'
import { test } from 'node:test'
import { imagesOf } from './dockerfile.ts'

test('images that it begins from, not its own stages, not scratch', () => {
  const text = `# syntax=docker/dockerfile:1
FROM --platform=linux/amd64 node:22 AS build
RUN echo FROM nowhere
COPY --from=tools:1 /bin/a /bin/a
COPY --from=build /x /y
COPY --from=0 /x /y
FROM scratch
RUN --mount=type=bind,from=cache:2,source=/x ls
FROM build
from debian:12-slim as last
`
  assert.deepEqual(imagesOf(text, {}), ['node:22', 'tools:1', 'cache:2', 'debian:12-slim'])
})

test('arguments before the first FROM, their defaults and those of the build', () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a Dockerfile's variable
  const text = 'ARG BASE=debian\nARG TAG\nARG UNSET\nFROM ${BASE}:${TAG:-12}\nFROM "$BASE$UNSET"\nARG BASE=late\nFROM $BASE:$OTHER-x\n'
  assert.deepEqual(imagesOf(text, { TAG: '13', OTHER: 'not declared' }), ['debian:13', 'debian', 'debian:-x'])
})

test('lines that go on, comments between them, and another escape', () => {
  assert.deepEqual(imagesOf('FROM \\\n# a comment\n  debian:12 \\\n  AS base\nFROM base\n', {}), ['debian:12'])
  assert.deepEqual(imagesOf('# escape=`\nFROM `\n debian\n', {}), ['debian'])
})
