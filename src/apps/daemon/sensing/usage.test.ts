import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Sample } from '../../../model/activity.ts'
import { InstanceUsage } from '../../../model/usage.ts'
import { openActivityStore } from '../../../store/activity/open.ts'
import { createUsages } from './usage.ts'

const GiB = 1024 ** 3
const sample = (time: number): Sample => ({ type: 'sample', environment: 'e1', instance: 'i1', time, cpu: time * 100, memory: GiB })
const samples = Array.from({ length: 1500 }, (_, index) => sample(index * 1000))

test('what an instance used is told once, and the same when a thread took over in its middle', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dayfly-usage-'))
  using _folder = { [Symbol.dispose]: () => rmSync(folder, { recursive: true }) }
  using store = openActivityStore({ path: join(folder, 'activity.sqlite') })
  store.introduce({ environment: 'e1', instance: 'i1', workload: 'web', image: 'sha256:ab', imageName: 'x', owner: 'anna' })
  const whole = createUsages(store)
  for (const one of samples) whole.see(one)
  const [said, ...none] = whole.settle(['i1', 'i2'])
  assert.deepEqual(none, [])
  assert.equal(said?.type, 'instance.used')
  const used = InstanceUsage.parse(said?.data)
  assert.deepEqual([used.lifetime, used.samples, used.cpuSeconds, Math.round(used.memoryGiBSeconds)], [1_499_000, 1500, 149.9, 1499])
  assert.deepEqual(whole.settle(['i1']), [])

  // The first 1,200 were kept by a thread before; the 1,201st is the first that this one sees.
  store.append(samples.slice(0, 1200))
  const next = createUsages(store)
  for (const one of samples.slice(1200)) next.see(one)
  assert.deepEqual(next.settle(['i1'])[0]?.data, said?.data)
})
