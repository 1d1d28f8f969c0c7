import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { silentLog } from '../../base/log.ts'
import type { AccessEntry } from '../../model/access.ts'
import type { AccessLog, AccessMark } from './access-log.ts'
import { createAccessLog } from './access-log.ts'

const entry = (environment: string, path: string): AccessEntry => ({
  ...{ time: 1, target: 't', environment, workload: 'web', client: '127.0.0.1', protocol: 'HTTP/1.1', method: 'GET' },
  ...{ host: 'web.shop.localhost', path, status: 200, bytesIn: 0, bytesOut: 5, duration: 1 },
})
const size = JSON.stringify(entry('a', '/1')).length + 1

const inFolder = async (body: (open: (longest?: number, mostWaiting?: number) => AccessLog, pathOf: (id: string) => string) => Promise<void>) => {
  const folder = mkdtempSync(join(tmpdir(), 'dayfly-access-'))
  try {
    const pathOf = (environment: string): string => join(folder, environment)
    await body((longest = size * 100, mostWaiting = 1000) => createAccessLog({ pathOf, longest, mostWaiting, log: silentLog() }), pathOf)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
const paths = (file: string): string[] =>
  readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line).path)
const assertMark = (mark: AccessMark | undefined, file: string, dropped: number): void => {
  const content = readFileSync(file)
  const lines = content.toString().split('\n').length - 1
  assert.deepEqual(mark, { bytes: content.length, lines, sha256: createHash('sha256').update(content).digest('hex'), dropped })
}

describe('an access log', () => {
  test('is a document a line, for its owner, and no longer than it may be', async () => {
    await inFolder(async (open, pathOf) => {
      const log = open(size * 3)
      assert.deepEqual(await log.write([entry('a', '/1'), entry('b', '/1'), entry('a', '/2')]), [])
      // The next daemon goes on where the file ends.
      const next = open(size * 3)
      assert.deepEqual(await next.write([entry('a', '/3'), entry('a', '/4'), entry('a', '/5')]), ['a'])
      assert.deepEqual(await next.write([entry('a', '/6')]), [], 'it is said once')
      assert.deepEqual(paths(pathOf('a')), ['/1', '/2', '/3'])
      assert.equal(statSync(pathOf('a')).mode & 0o777, 0o600)
      assertMark(await next.mark('a'), pathOf('a'), 3)
    })
  })

  test('is marked with what was written before, in the order of the calls, once', async () => {
    await inFolder(async (open, pathOf) => {
      const log = open()
      assert.equal(await log.mark('a'), undefined, 'there is none')
      const writes = Array.from({ length: 20 }, (_, index) => log.write([entry('a', `/${index}`), entry('b', '/')]))
      log.drop('a', 7)
      const mark = await log.mark('a')
      await Promise.all(writes)
      assert.equal(mark?.lines, 20)
      assertMark(mark, pathOf('a'), 7)
      assert.deepEqual(
        paths(pathOf('a')),
        Array.from({ length: 20 }, (_, index) => `/${index}`),
      )
      assert.equal(await log.mark('a'), undefined, 'nothing has changed')
      // Another daemon has written nothing, but vouches for what there is.
      assertMark(await open().mark('a'), pathOf('a'), 0)
    })
  })

  test('that a crash has torn goes on with a whole line, and the torn one is counted', async () => {
    await inFolder(async (open, pathOf) => {
      await open().write([entry('a', '/1')])
      appendFileSync(pathOf('a'), '{"time":')
      const next = open()
      await next.write([entry('a', '/2')])
      assert.deepEqual(paths(pathOf('a')), ['/1', '/2'])
      assertMark(await next.mark('a'), pathOf('a'), 1)
    })
  })

  test('longer than a chunk is taken up whole', async () => {
    await inFolder(async (open, pathOf) => {
      const many = Array.from({ length: 5000 }, (_, index) => entry('a', `/${index}`))
      await open(1 << 24, 10_000).write(many)
      const mark = await open(1 << 24).mark('a')
      assert.equal(mark?.lines, 5000)
      assertMark(mark, pathOf('a'), 0)
    })
  })

  test('drops and counts what a slow disk leaves waiting, and what it cannot write', async () => {
    await inFolder(async (open, pathOf) => {
      const log = open(undefined, 2)
      await Promise.all([log.write([entry('a', '/1'), entry('a', '/2')]), log.write([entry('a', '/3')])])
      assertMark(await log.mark('a'), pathOf('a'), 1)
      mkdirSync(pathOf('b'))
      assert.deepEqual(await log.write([entry('b', '/1')]), [])
      rmSync(pathOf('b'), { recursive: true })
      assert.deepEqual(await log.write([entry('b', '/2')]), [])
      assertMark(await log.mark('b'), pathOf('b'), 1)
    })
  })

  test('knows only what it wrote itself: a line that somebody changed meanwhile is in no mark', async () => {
    await inFolder(async (open, pathOf) => {
      const log = open()
      await log.write([entry('a', '/1')])
      const honest = createHash('sha256')
        .update(readFileSync(pathOf('a')))
        .digest('hex')
      rmSync(pathOf('a'))
      assert.equal((await log.mark('a'))?.sha256, honest)
    })
  })
})
