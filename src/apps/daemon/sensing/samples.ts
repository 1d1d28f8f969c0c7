/**
 * What instances use, each second: the files of their cgroups, a few instances at a time, so that nothing else waits for a thousand of them; and one reading
 * of all interfaces of the host.
 */
import { readFileSync } from 'node:fs'
import type { Bound } from '../../../backends/linux/sensor.ts'
import { readUsage } from '../../../host/cgroup/usage.ts'
import type { Sample } from '../../../model/activity.ts'

const interval = 1000
/** Read at once; others get their turn in between. */
const batch = 16

export interface Sampler extends Disposable {
  add(bound: Bound): void
  /** One that was taken at its start or end. */
  note(sample: Sample): void
  remove(instance: string): void
}

interface Sampled {
  readonly bound: Bound
  /** Its veth goes before its last sample. */
  traffic: { received: number; sent: number } | undefined
}

/** By name of the host's end, as the instance sees it: what the host's end sends, it receives. Pure. */
export const parseInterfaces = (text: string): ReadonlyMap<string, { received: number; sent: number }> =>
  new Map(
    text.split('\n').flatMap(line => {
      const colon = line.indexOf(':')
      if (colon < 0) return []
      const numbers = line
        .slice(colon + 1)
        .trim()
        .split(/\s+/)
      return [[line.slice(0, colon).trim(), { received: Number(numbers[8]), sent: Number(numbers[0]) }] as const]
    }),
  )

export const createSampler = (sink: (sample: Sample) => void): Sampler => {
  const sampled = new Map<string, Sampled>()
  let turn: NodeJS.Immediate | undefined

  const read = ({ bound, traffic }: Sampled): void => {
    const usage = readUsage(bound.usage)
    if (usage === undefined) return
    const { cpu, memory, memoryPeak, processes, read, written } = usage
    sink({
      ...{ type: 'sample', time: Date.now(), environment: bound.environment, instance: bound.instance, cpu, memory },
      ...(memoryPeak === undefined ? {} : { memoryPeak }),
      ...(processes === undefined ? {} : { processes }),
      ...(read === undefined || written === undefined ? {} : { read, written }),
      ...traffic,
    })
  }

  const look = (): void => {
    if (turn !== undefined || sampled.size === 0) return
    const traffic = parseInterfaces(readFileSync('/proc/net/dev', 'latin1'))
    const left = [...sampled.keys()]
    const some = (): void => {
      turn = undefined
      for (const instance of left.splice(0, batch)) {
        const one = sampled.get(instance)
        if (one === undefined) continue
        one.traffic = traffic.get(one.bound.hostInterface) ?? one.traffic
        read(one)
      }
      if (left.length > 0) turn = setImmediate(some)
    }
    some()
  }
  const timer = setInterval(look, interval)

  return {
    add: bound => void sampled.set(bound.instance, { bound, traffic: undefined }),
    note: sample => {
      const one = sampled.get(sample.instance)
      if (one !== undefined && sample.received !== undefined && sample.sent !== undefined)
        one.traffic = { received: sample.received, sent: sample.sent }
      sink({ ...one?.traffic, ...sample })
    },
    remove: instance => void sampled.delete(instance),
    [Symbol.dispose]: () => {
      clearInterval(timer)
      clearImmediate(turn)
    },
  }
}
