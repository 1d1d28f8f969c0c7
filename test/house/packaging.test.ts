/** The unit file, judged by systemd's own tools where they are installed. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { grantableCapabilities, minimumCapabilities } from '../../src/host/oci/capabilities.ts'

const unit = readFileSync(resolve(import.meta.dirname, '../../packaging/systemd/dayfly.service'), 'utf8')
const missing = spawnSync('systemd-analyze', ['--version']).status === 0 ? false : 'systemd is not installed'

/** Runs `systemd-analyze` on the unit, whose program is one that is there. */
const analyze = (...args: readonly string[]): { status: number | null; text: string } => {
  const folder = mkdtempSync(join(tmpdir(), 'unit-'))
  try {
    mkdirSync(join(folder, 'bin'))
    const program = join(folder, 'bin/dayfly')
    writeFileSync(program, '#!/bin/sh\n')
    chmodSync(program, 0o755)
    const path = join(folder, 'dayfly.service')
    writeFileSync(path, unit.replaceAll('/opt/dayfly/bin/dayfly', program))
    const { status, stdout, stderr } = spawnSync('systemd-analyze', [...args, path], {
      encoding: 'utf8',
      env: { ...process.env, SYSTEMD_COLORS: '0' },
    })
    return { status, text: `${stdout}${stderr}` }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

test('systemd takes the unit as it is', { skip: missing }, () => {
  const { status, text } = analyze('verify', '--recursive-errors=no')
  const about = text.split('\n').filter(line => line.includes('dayfly'))
  assert.deepEqual(about, [])
  assert.equal(status, 0, text)
})

test('its exposure does not grow', { skip: missing }, () => {
  const { status, text } = analyze('security', '--offline=true', '--threshold=92')
  assert.equal(status, 0, text)
})

test('instances survive the daemon, and nothing is taken from them that may be granted', () => {
  for (const line of ['Type=notify', 'KillMode=process', 'Delegate=yes', 'RuntimeDirectoryPreserve=yes'])
    assert.ok(unit.split('\n').includes(line), line)
  // Of all of these a filter of system calls, or of devices, would be inherited.
  assert.doesNotMatch(
    unit,
    /^(SystemCall|DevicePolicy|PrivateDevices|ProtectClock|NoNewPrivileges|RestrictSUIDSGID|RestrictNamespaces|MemoryDeny|LockPersonality)/m,
  )
  const [, taken = ''] = /^CapabilityBoundingSet=~(.*)$/m.exec(unit) ?? []
  assert.ok(taken !== '')
  for (const name of [...minimumCapabilities, ...grantableCapabilities]) assert.ok(!taken.split(' ').includes(`CAP_${name}`), name)
})
