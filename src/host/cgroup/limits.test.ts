import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Hierarchy } from './hierarchy.ts'
import { controllers } from './hierarchy.ts'
import { deviceSettings, settings } from './limits.ts'

const v1: Hierarchy = { mode: 'v1', mounts: new Map(controllers.map(name => [name, `/c/${name}`])) }
const v2: Hierarchy = {
  mode: 'v2',
  mounts: new Map((['cpu', 'cpuacct', 'memory', 'pids', 'blkio', 'freezer'] as const).map(name => [name, '/c'])),
}
const limits = { cpus: 1.5, memory: 64 * 1024 * 1024, pids: 100, io: 1_000_000 }
const texts = (hierarchy: Hierarchy, of = limits, disk: string | undefined = '8:0'): Record<string, string> =>
  Object.fromEntries(settings(hierarchy, of, disk).map(({ file, value }) => [file, value]))

describe('limits as texts', () => {
  it('v1', () => {
    assert.deepEqual(texts(v1), {
      'cpu.cfs_period_us': '100000',
      'cpu.cfs_quota_us': '150000',
      'memory.limit_in_bytes': '67108864',
      'memory.memsw.limit_in_bytes': '67108864',
      'pids.max': '100',
      'blkio.throttle.read_bps_device': '8:0 1000000',
      'blkio.throttle.write_bps_device': '8:0 1000000',
    })
  })

  it('v2', () => {
    assert.deepEqual(texts(v2), {
      'cpu.max': '150000 100000',
      'memory.max': '67108864',
      'memory.swap.max': '0',
      'pids.max': '100',
      'io.max': '8:0 rbps=1000000 wbps=1000000',
    })
  })

  it('gives the smallest share of a core that the kernel takes', () => {
    assert.equal(texts(v1, { ...limits, cpus: 0.001 })['cpu.cfs_quota_us'], '1000')
    assert.equal(texts(v2, { ...limits, cpus: 0.001 })['cpu.max'], '1000 100000')
  })

  it('writes nothing for a disk that is not known, nor for a controller that is not there', () => {
    assert.ok(!Object.keys(Object.fromEntries(settings(v1, limits, undefined).map(({ file }) => [file, 1]))).some(file => file.startsWith('blkio')))
    assert.deepEqual(
      settings({ ...v1, mounts: new Map([['pids', '/c/pids']]) }, limits, '8:0').map(({ file }) => file),
      ['pids.max'],
    )
  })

  it('denies every device before it allows the few, on v1 only', () => {
    const [first, ...rest] = deviceSettings(v1).map(({ file, value }) => `${file} ${value}`)
    assert.equal(first, 'devices.deny a')
    assert.deepEqual(
      rest.map(text => text.replace('devices.allow ', '')),
      ['c 1:3 rwm', 'c 1:5 rwm', 'c 1:7 rwm', 'c 1:8 rwm', 'c 1:9 rwm', 'c 5:0 rwm', 'c 5:2 rwm', 'c 136:* rwm'],
    )
    assert.deepEqual(deviceSettings(v2), [])
  })
})
