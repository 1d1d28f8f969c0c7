import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bound } from '../../../backends/linux/sensor.ts'
import { silentLog } from '../../../base/log.ts'
import { createSensing } from './create.ts'

const until = async (condition: () => boolean): Promise<void> => {
  for (const limit = AbortSignal.timeout(30_000); !condition(); await sleep(5)) assert.ok(!limit.aborted)
}

const bound = (cookie: number, instance: string): Bound => ({
  ...{ environment: 'e', instance, cookie, adopted: false, ids: { first: 0, count: 0 }, hostInterface: '' },
  usage: { mode: 'v2', cpu: undefined, memory: undefined, memoryPeak: undefined, processes: undefined, io: undefined },
})

test('the record says that nobody saw the end of what ended while the thread was down, or died over it', { timeout: 60_000 }, async context => {
  const folder = mkdtempSync(join(tmpdir(), 'dayfly-sensing-'))
  context.after(() => rmSync(folder, { recursive: true }))
  // Without its folder the thread crashes over its store, again and again.
  const stateDir = join(folder, 'state')
  await using sensing = createSensing({ demand: 'auto', stateDir, runDir: folder, sensor: { binary: '/bin/false' }, log: silentLog() })
  sensing.begin({ testify: () => undefined, onDetections: () => undefined })
  const { sensor, witness } = sensing
  const since = Date.now()
  const released: string[] = []
  const live = (cookie: number, instance: string): void => {
    const registration = { cookie, namespace: cookie, root: '/', adopted: false }
    sensor.register(registration, () => released.push(instance))
    sensor.bind(bound(cookie, instance))
  }
  live(1, 'died-over')
  live(2, 'lives-on')
  sensor.release(1, 'died-over')
  assert.deepEqual(released, [])
  await until(() => sensing.health().state === 'down')
  live(3, 'ended-meanwhile')
  sensor.release(3, 'ended-meanwhile')
  assert.deepEqual(released, ['ended-meanwhile'])
  await until(() => released.length === 2)
  mkdirSync(stateDir)
  await until(() => sensing.health().state !== 'starting' && sensing.health().reason !== 'the thread of sensing has crashed')
  const gaps = (await witness.settle('e')).filter(({ type }) => type === 'sensor.gap')
  assert.deepEqual(gaps.map(({ instance }) => instance).toSorted(), ['died-over', 'ended-meanwhile'])
  for (const { data } of gaps) assert.ok(Number(data['from']) >= since && Number(data['to']) >= Number(data['from']))
})
