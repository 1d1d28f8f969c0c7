/** What instances use, summed up while they live: the record is told at the end, and keeps it when their samples are gone. */
import type { Testimony } from '../../../engine/witness.ts'
import type { Sample } from '../../../model/activity.ts'
import { instanceUsedType } from '../../../model/usage.ts'
import type { UsageMeter } from '../../../report/usage.ts'
import { createUsageMeter } from '../../../report/usage.ts'
import type { ActivityReader } from '../../../store/activity/activity-store.ts'

const page = 1000

export interface Usages {
  see(sample: Sample): void
  /** Of these, what the record is to say. They are forgotten. */
  settle(instances: Iterable<string>): Testimony[]
}

export const createUsages = (store: Pick<ActivityReader, 'head' | 'search'>): Usages => {
  const meters = new Map<string, UsageMeter>()

  /** One that a thread before has seen is made up from what that has kept. */
  const meterOf = ({ environment, instance }: Sample): UsageMeter => {
    const known = meters.get(instance)
    if (known !== undefined) return known
    const meter = createUsageMeter()
    meters.set(instance, meter)
    if (store.head(environment).blocks === 0) return meter
    for (let after: number | undefined; ; ) {
      const found = store.search({
        environment,
        instance,
        types: ['sample'],
        oldestFirst: true,
        limit: page,
        ...(after === undefined ? {} : { after }),
      })
      for (const { activity } of found) if (activity.type === 'sample') meter.see(activity)
      if (found.length < page) return meter
      after = found.at(-1)?.position
    }
  }

  return {
    see: sample => meterOf(sample).see(sample),
    settle: instances =>
      [...instances].flatMap(instance => {
        const used = meters.get(instance)?.total()
        meters.delete(instance)
        if (used === undefined) return []
        const reason = `${used.cpuSeconds.toFixed(3)} s of processor time, and ${used.memoryGiBSeconds.toFixed(3)} GiB × s of memory`
        return [{ instance, type: instanceUsedType, reason, data: { ...used } as Testimony['data'] }]
      }),
  }
}
