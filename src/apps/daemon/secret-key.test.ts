import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { DayflyError } from '../../base/errors.ts'
import { secretKey } from './secret-key.ts'

test('the key stays the same, is for one user alone, and is never half of one', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dayfly-key-'))
  try {
    const key = secretKey(folder)
    assert.equal(key.length, 32)
    assert.deepEqual(secretKey(folder), key)
    const path = join(folder, 'secret.key')
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.deepEqual(readdirSync(folder), ['secret.key'])
    // A daemon that was killed in the middle of making one.
    rmSync(path)
    writeFileSync(`${path}.new`, 'half')
    const other = secretKey(folder)
    assert.equal(other.length, 32)
    assert.notDeepEqual(other, key)
    assert.deepEqual(new Uint8Array(readFileSync(path)), new Uint8Array(other))
    writeFileSync(path, 'short')
    assert.throws(
      () => secretKey(folder),
      (error: unknown) => error instanceof DayflyError && error.code === 'host' && error.remedy !== undefined,
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
})
