import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { controllers } from './hierarchy.ts'
import { parseIo, readUsage, usageFiles } from './usage.ts'

test('bytes of devices are summed up, as either version writes them', () => {
  assert.deepEqual(parseIo('8:0 Read 4096\n8:0 Write 100\n8:0 Sync 1\n8:16 Read 4\n8:16 Write 1\nTotal 5000'), { read: 4100, written: 101 })
  assert.deepEqual(parseIo('8:0 rbytes=4096 wbytes=100 rios=1 wios=1 dbytes=7 dios=0\n8:16 rbytes=4 wbytes=1 rios=0 wios=0'), {
    read: 4100,
    written: 101,
  })
  assert.deepEqual(parseIo(''), { read: 0, written: 0 })
})

const inFolder = (files: Record<string, string>, work: (mount: string) => void): void => {
  const mount = mkdtempSync(join(tmpdir(), 'dayfly-usage-'))
  try {
    mkdirSync(join(mount, 'g'))
    for (const [name, text] of Object.entries(files)) writeFileSync(join(mount, 'g', name), text)
    work(mount)
  } finally {
    rmSync(mount, { recursive: true })
  }
}
const mounts = (mount: string) => new Map(controllers.map(name => [name, mount] as const))

test('a group of version 1 is read', () => {
  const files = {
    'cpuacct.usage': '1500999\n',
    ...{ 'memory.usage_in_bytes': '4096\n', 'memory.max_usage_in_bytes': '8192\n', 'pids.current': '3\n' },
    'blkio.throttle.io_service_bytes': '8:0 Read 10\n8:0 Write 20\nTotal 30\n',
  }
  inFolder(files, mount => {
    const usage = readUsage(usageFiles({ mode: 'hybrid', mounts: mounts(mount) }, 'g'))
    assert.deepEqual(usage, { cpu: 1501, memory: 4096, memoryPeak: 8192, processes: 3, read: 10, written: 20 })
  })
})

test('a group of version 2 is read; what its kernel does not tell is left out; one that is gone has none', () => {
  const files = { 'cpu.stat': 'usage_usec 1500\nuser_usec 1000\n', 'memory.current': '4096\n', 'pids.current': '3\n', 'io.stat': '' }
  inFolder(files, mount => {
    const hierarchy = { mode: 'v2', mounts: mounts(mount) } as const
    const usage = readUsage(usageFiles(hierarchy, 'g'))
    assert.deepEqual(usage, { cpu: 1500, memory: 4096, memoryPeak: undefined, processes: 3, read: 0, written: 0 })
    assert.equal(readUsage(usageFiles(hierarchy, 'gone')), undefined)
  })
})
