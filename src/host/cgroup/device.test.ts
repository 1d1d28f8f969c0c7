import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { describe, it } from 'node:test'
import { blockDeviceOf, deviceNumber } from './device.ts'

/** The device number of a folder as stat(1) decodes it, independently of ours. */
const numberOf = (folder: string): string => execFileSync('stat', ['-c', '%Hd:%Ld', folder], { encoding: 'utf8' }).trim()

const fakeSystem = (t: TestContext): string => {
  const folder = mkdtempSync(join(tmpdir(), 'dayfly-disk-'))
  t.after(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'dev/block'), { recursive: true })
  mkdirSync(join(folder, 'devices/sda/sda2'), { recursive: true })
  writeFileSync(join(folder, 'devices/sda/dev'), '8:0\n')
  writeFileSync(join(folder, 'devices/sda/sda2/dev'), '8:2\n')
  writeFileSync(join(folder, 'devices/sda/sda2/partition'), '2\n')
  writeFileSync(join(folder, 'mountinfo'), '')
  return folder
}

describe('the disk of a folder', () => {
  it('is the whole disk, not the partition', t => {
    const system = fakeSystem(t)
    symlinkSync(join(system, 'devices/sda/sda2'), join(system, 'dev/block', numberOf(system)))
    assert.deepEqual(blockDeviceOf(system, system, join(system, 'mountinfo')), { major: 8, minor: 0 })
  })

  it('is the disk itself when it has no partitions', t => {
    const system = fakeSystem(t)
    symlinkSync(join(system, 'devices/sda'), join(system, 'dev/block', numberOf(system)))
    assert.deepEqual(blockDeviceOf(system, system, join(system, 'mountinfo')), { major: 8, minor: 0 })
  })

  it('has a reason when the file system has none', t => {
    const system = fakeSystem(t)
    writeFileSync(join(system, 'mountinfo'), `30 20 ${numberOf(system)} / /x rw,relatime shared:1 - tmpfs tmpfs rw\n`)
    assert.deepEqual(blockDeviceOf(system, system, join(system, 'mountinfo')), `${system} is on tmpfs without a disk of its own`)
    assert.match(String(blockDeviceOf(join(system, 'missing'))), /cannot be found: ENOENT/)
  })

  it('agrees with the kernel on this machine’s own folders', () => {
    const device = blockDeviceOf('/')
    if (typeof device === 'string') assert.match(device, /without a disk of its own/)
    else assert.ok(existsSync(`/sys/dev/block/${deviceNumber(device)}/queue`), 'only whole disks have a queue')
    assert.equal(typeof blockDeviceOf('/proc'), 'string')
  })
})
