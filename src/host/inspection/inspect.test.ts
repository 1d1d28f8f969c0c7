import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkDisk } from './disk.ts'
import { inspectHost } from './inspect.ts'
import { checkTools } from './tools.ts'
import { isAtLeast, versionIn } from './versions.ts'

test('versions are compared part by part, as numbers', () => {
  for (const [version, least, expected] of [
    ['1.8', '1.8', true],
    ['1.8.1', '1.8', true],
    ['1.14.1', '1.8', true],
    ['1.7.9', '1.8', false],
    ['2', '1.8', true],
    ['6.18.44', '5.19', true],
    ['5.4', '5.19', false],
  ] as const) {
    assert.equal(isAtLeast(version, least), expected, `${version} ≥ ${least}`)
  }
  assert.equal(versionIn('crun version 1.14.1\ncommit: de53'), '1.14.1')
  assert.equal(versionIn('no number'), undefined)
})

test('every check says what was found, and what to do unless it is ok', async () => {
  const checks = await inspectHost({
    stateDir: '/var/lib/dayfly',
    greetNative: () => Promise.reject(new Error('dayfly-helper is not built')),
    scratchDisk: () => ({ device: '/var/lib/dayfly is on tmpfs without a disk of its own', fileSystem: 0x01021994 }),
    firewalls: { nft: () => Promise.reject(new Error('no nftables')), legacy: async () => undefined, outside: 'eth0' },
    signal: AbortSignal.timeout(20_000),
  })
  for (const { name, state, found, remedy } of checks) {
    assert.ok(name !== '' && found !== '', name)
    assert.equal(remedy === null, state === 'ok', name)
  }
  assert.deepEqual(
    checks.find(({ name }) => name === 'native programs'),
    {
      name: 'native programs',
      state: 'fail',
      found: 'dayfly-helper is not built',
      remedy: 'Run `make setup` once more: it installs their libraries and builds them.',
    },
  )
  assert.equal(new Set(checks.map(({ name }) => name)).size, checks.length)
})

test('tools: what is missing and what is too old is told with how to get it', async () => {
  const folder = mkdtempSync('/tmp/dayfly-tools-')
  const path = process.env['PATH']
  try {
    writeFileSync(join(folder, 'crun'), '#!/bin/sh\necho crun version 1.7.2\n')
    writeFileSync(join(folder, 'runsc'), '#!/bin/sh\necho runsc version release-20240102.0\n')
    for (const name of ['crun', 'runsc']) chmodSync(join(folder, name), 0o755)
    process.env['PATH'] = folder
    const checks = new Map((await checkTools(AbortSignal.timeout(20_000))).map(check => [check.name, check]))
    assert.deepEqual(checks.get('crun'), { name: 'crun', state: 'fail', found: '1.7.2 is older than 1.8', remedy: 'Install crun 1.8 or newer.' })
    assert.deepEqual(checks.get('skopeo'), {
      name: 'skopeo',
      state: 'fail',
      found: 'not installed; it fetches images',
      remedy: 'apt-get install skopeo',
    })
    assert.deepEqual(checks.get('runsc'), { name: 'runsc', state: 'ok', found: 'release-20240102.0', remedy: null })
  } finally {
    process.env['PATH'] = path
    rmSync(folder, { recursive: true, force: true })
  }
})

test('the disk is that of the nearest folder that exists', () => {
  assert.match(checkDisk('/tmp/dayfly-not-there/state/x').found, / at \/tmp$/)
  assert.equal(checkDisk('/').name, 'disk')
  const { state, found } = checkDisk('/proc/self')
  assert.deepEqual([state, /cannot be written to: E/.test(found)], ['fail', true], found)
})
