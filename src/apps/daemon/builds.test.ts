import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultBounds, parseBounds } from './builds.ts'

test('what is left out has its default', () => {
  assert.deepEqual(parseBounds(''), defaultBounds())
  assert.deepEqual(parseBounds('memory=2g'), { ...defaultBounds(), memory: 2 * 1024 ** 3 })
  assert.deepEqual(parseBounds('cpus=0.5,memory=512m,pids=100,timeout=90s'), { cpus: 0.5, memory: 512 * 1024 ** 2, pids: 100, timeout: 90_000 })
})

for (const text of [
  'cpus',
  'cpus=',
  'cpus=0',
  'cpus=-1',
  'cpus=many',
  'memory=0',
  'memory=much',
  'pids=0',
  'timeout=5',
  'timeout=25d',
  'disk=5g',
  'cpus=1;memory=1g',
]) {
  test(`${text} is refused`, () => assert.throws(() => parseBounds(text), { code: 'invalid', field: '--build-limits' }))
}
