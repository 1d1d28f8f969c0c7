import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createLog } from '../../base/log.ts'
import { createSecretKeeper } from './secrets.ts'

const log = createLog({ write: () => {}, level: 'debug', json: true })
const secrets = new Map([['web', new Map([['token', new Uint8Array([0, 255, 10])]])]])

test('secrets outlive the daemon in memory only, for its user alone', () => {
  const folder = mkdtempSync('/dev/shm/dayfly-secrets-')
  try {
    createSecretKeeper(folder, log).keep('e1', secrets)
    const next = createSecretKeeper(folder, log)
    assert.deepEqual(next.find('e1'), secrets)
    assert.equal(statSync(join(folder, 'secrets')).mode & 0o777, 0o700)
    assert.equal(statSync(join(folder, 'secrets/e1')).mode & 0o777, 0o600)
    assert.deepEqual(next.find('e2'), new Map())
    next.keep('e1', new Map())
    assert.deepEqual(readdirSync(join(folder, 'secrets')), [])
    next.keep('e1', secrets)
    next.forget('e1')
    next.forget('e1')
    assert.deepEqual(readdirSync(join(folder, 'secrets')), [])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('on a disk nothing is written', () => {
  const folder = mkdtempSync('/var/tmp/dayfly-secrets-')
  try {
    const keeper = createSecretKeeper(folder, log)
    keeper.keep('e1', secrets)
    assert.deepEqual(keeper.find('e1'), secrets)
    assert.deepEqual(readdirSync(folder), [])
    assert.throws(() => readFileSync(join(folder, 'secrets/e1')))
  } finally {
    rmSync(folder, { recursive: true })
  }
})
