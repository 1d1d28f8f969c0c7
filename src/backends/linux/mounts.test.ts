import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Mount } from '../../model/mount.ts'
import { mountsKeep, orderedMounts } from './mounts.ts'

const tmpfs = (target: string): Mount => ({ type: 'tmpfs', target, size: 4096, mode: 0o755 })
const targets = (mounts: readonly Mount[], secrets: string[] = []): string[] =>
  orderedMounts({ mounts: [...mounts], secrets }).map(({ target }) => target)

test('outer mounts come before what is in them, others in the order of the request, without detours in their paths', () => {
  assert.deepEqual(targets([tmpfs('/b/c/d'), tmpfs('/a//x/'), tmpfs('/b/./c'), tmpfs('/b')]), ['/b', '/a/x', '/b/c', '/b/c/d'])
})

test('nothing hides the kernel’s files or the secrets, and no two are at one place', () => {
  for (const target of ['/proc', '//proc/self', '/sys/./fs', '/dev', '/dev/./init']) {
    assert.throws(() => targets([tmpfs(target)]), { code: 'invalid', field: 'mounts' }, target)
  }
  assert.deepEqual(targets([tmpfs('/dev/shm'), tmpfs('/process'), tmpfs('/run/secrets')]), ['/process', '/dev/shm', '/run/secrets'])
  for (const target of ['/run/secrets', '/run/secrets/']) assert.throws(() => targets([tmpfs(target)], ['token']), { field: 'mounts' })
  assert.throws(() => targets([tmpfs('/a/b'), tmpfs('/a/./b/')]), { field: 'mounts' })
})

test('what may be another folder by the time it is used keeps a container from waiting', () => {
  const volume: Mount = { type: 'volume', volume: 'data', target: '/data', readOnly: false, copy: true }
  assert.ok(mountsKeep({}))
  assert.ok(mountsKeep({ mounts: [volume, tmpfs('/x')] }))
  assert.ok(!mountsKeep({ mounts: [{ ...volume, subpath: 'a' }] }))
  assert.ok(!mountsKeep({ mounts: [{ type: 'bind', source: '/srv', target: '/srv', readOnly: true }] }))
})
