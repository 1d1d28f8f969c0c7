import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { AccessEntry } from '../../gateway/gateway.ts'
import { createAccessLog } from './access-log.ts'

const entry = (environment: string, path: string): AccessEntry => ({
  ...{ time: 1, target: 't', environment, workload: 'web', instance: undefined, client: '127.0.0.1', protocol: 'HTTP/1.1', method: 'GET' },
  ...{ host: 'web.shop.localhost', path, status: 200, bytesIn: 0, bytesOut: 5, duration: 1 },
})

test('an access log is a document a line, for its owner, and no longer than it may be', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'dayfly-access-'))
  try {
    const pathOf = (environment: string): string => join(folder, environment)
    const size = JSON.stringify(entry('a', '/1')).length + 1
    const log = createAccessLog(pathOf, size * 3)
    assert.deepEqual(await log.write([entry('a', '/1'), entry('b', '/1'), entry('a', '/2')]), new Map())
    // The next daemon goes on where the file ends.
    const next = createAccessLog(pathOf, size * 3)
    assert.deepEqual(await next.write([entry('a', '/3'), entry('a', '/4'), entry('a', '/5')]), new Map([['a', 2]]))
    const lines = readFileSync(pathOf('a'), 'utf8').trim().split('\n')
    assert.deepEqual(
      lines.map(line => JSON.parse(line).path),
      ['/1', '/2', '/3'],
    )
    assert.equal(statSync(pathOf('a')).mode & 0o777, 0o600)
    assert.deepEqual(await next.write([entry('b', '/2')]), new Map())
  } finally {
    rmSync(folder, { recursive: true })
  }
})
