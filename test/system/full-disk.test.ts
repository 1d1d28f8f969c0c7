import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'

const skip = process.getuid?.() === 0 ? false : 'needs root, to mount a small file system in a mount namespace of its own'

it('with the disk of the store really full, runs are refused, ends are carried out, and everything is written when there is room', { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'dayfly-full-'))
  try {
    const [small, roomy] = ['small', 'roomy'].map(name => join(folder, name))
    mkdirSync(small ?? '')
    mkdirSync(roomy ?? '')
    const script = 'mount -t tmpfs -o size=4m,mode=0700 tmpfs "$1" && exec "$2" "$3" "$1" "$4"'
    const program = join(import.meta.dirname, 'full-disk/on-a-small-disk.ts')
    const { stdout, stderr, status } = spawnSync(
      'unshare',
      ['--mount', 'sh', '-c', script, 'sh', small ?? '', process.execPath, program, roomy ?? ''],
      {
        encoding: 'utf8',
        timeout: 120_000,
      },
    )
    assert.deepEqual({ stdout, status }, { stdout: 'held\n', status: 0 }, stderr)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
