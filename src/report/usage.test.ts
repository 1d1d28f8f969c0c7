import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Sample } from '../model/activity.ts'
import { InstanceUsage } from '../model/usage.ts'
import { createUsageMeter } from './usage.ts'

const GiB = 1024 ** 3
const sample = (time: number, cpu: number, memory: number, more: Partial<Sample> = {}): Sample => ({
  ...{ type: 'sample', environment: 'e', instance: 'i', time, cpu, memory },
  ...more,
})
const usageOf = (samples: readonly Sample[]) => {
  const meter = createUsageMeter()
  for (const one of samples) meter.see(one)
  return meter.total()
}

describe('what an instance used', () => {
  test('is memory over time, and processor time since its creation', () => {
    const used = usageOf([
      sample(1000, 50_000, 0),
      sample(2000, 550_000, GiB, { sent: 10, received: 5000 }),
      sample(4000, 1_500_000, GiB, { sent: 30, received: 90_000, memoryPeak: 2 * GiB }),
    ])
    assert.deepEqual(used, {
      ...{
        cpuSeconds: 1.5,
        memoryGiBSeconds: 0.5 + 2,
        peak: 2 * GiB,
        sent: 30,
        received: 90_000,
        lifetime: 3000,
        samples: 3,
        idle: 0,
        idleGiBSeconds: 0,
      },
    })
  })

  test('says how long nothing happened: no processor, and nothing that came in', () => {
    const used = usageOf([
      sample(0, 0, GiB, { received: 0 }),
      sample(10_000, 50_000, GiB, { received: 100 }),
      sample(20_000, 60_000, GiB, { received: 1_000_000 }),
      sample(30_000, 5_000_000, GiB, { received: 1_000_000 }),
    ])
    assert.deepEqual([used?.idle, used?.idleGiBSeconds], [10_000, 10])
  })

  test('of a life of 5 ms is little, and not nothing', () => {
    assert.deepEqual(usageOf([sample(1000, 0, 0), sample(1005, 4000, GiB)])?.memoryGiBSeconds, 0.0025)
    assert.equal(usageOf([sample(1000, 700, 5)])?.cpuSeconds, 0.0007)
    assert.equal(usageOf([]), undefined)
  })

  test('is never negative, whatever samples say, and fits the record', () => {
    const amount = fc.nat(2 ** 31)
    const any = fc.record({ time: amount, cpu: amount, memory: amount, sent: amount, received: amount })
    fc.assert(
      fc.property(fc.array(any, { minLength: 1, maxLength: 30 }), list => {
        const used = usageOf(list.map(({ time, cpu, memory, sent, received }) => sample(time, cpu, memory, { sent, received })))
        assert.ok(InstanceUsage.safeParse(used).success)
        assert.ok(used && used.idle <= used.lifetime && used.idleGiBSeconds <= used.memoryGiBSeconds)
      }),
    )
  })
})
