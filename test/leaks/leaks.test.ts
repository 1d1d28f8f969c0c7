/** The last test of all: what the others have left on this host. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { dayflyProgram, makeFolder, root, startDaemon } from '../daemon.ts'

const needsRoot = process.getuid?.() === 0 ? false : 'needs root: it reads every process'

test('the kernel has nothing of Dayfly that it did not have before the tests', { skip: needsRoot }, () => {
  const baseline = process.env['DAYFLY_LEAK_BASELINE'] ?? ''
  const before = new Set(existsSync(baseline) ? readFileSync(baseline, 'utf8').split('\n') : [])
  const { stdout, stderr, status } = spawnSync(join(root, 'scripts/leaks'), { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  assert.deepEqual(
    stdout.split('\n').filter(line => !before.has(line)),
    [],
  )
})

test('doctor --leaks of a new daemon finds nothing, and says so', { skip: needsRoot }, async () => {
  const folder = makeFolder('/tmp/dayfly-leaks-')
  try {
    await using daemon = startDaemon({ folder })
    await daemon.ready
    assert.deepEqual(await daemon.client.leaks(), [])
    const { status, stderr } = spawnSync(dayflyProgram, ['doctor', '--leaks', '--run-dir', daemon.runDir], { encoding: 'utf8' })
    assert.equal(status, 0, stderr)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
