/** Which process's namespace is watched when an instance is adopted: its own, or none. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readlinkSync } from 'node:fs'
import { describe, it } from 'node:test'
import type { Cell } from './cell.ts'
import { startTimeOf } from './processes.ts'
import type { Bound, Registration, Sensor } from './sensor.ts'
import { createWatching } from './watching.ts'

const tenant = { environment: 'e', instance: 'i' }

const world = () => {
  const registered: Registration[] = []
  const bound: Bound[] = []
  const sensor: Sensor = {
    register: (registration, released) => {
      registered.push(registration)
      released()
    },
    sees: async () => undefined,
    bind: one => void bound.push(one),
    sample: () => undefined,
    asked: () => undefined,
    release: () => undefined,
  }
  const cgroup = { usageFiles: {} }
  const cell = { id: 'c', slot: { slice: 0, slot: 1 }, index: 0, paths: { rootfs: '/r' }, process: undefined, monitor: undefined, cgroup }
  return { registered, bound, watching: createWatching(sensor), cell: cell as unknown as Cell }
}

describe('an instance that is adopted', () => {
  it('is watched by the namespace of its first process, while that lives', async () => {
    const child = spawn('sleep', ['1000'], { stdio: 'ignore' })
    try {
      const { registered, bound, watching, cell } = world()
      const pid = child.pid ?? 0
      watching.adopt(cell, tenant, 7, { pid, startTime: startTimeOf(pid) ?? 0 })
      assert.deepEqual(
        registered.map(({ cookie, namespace, adopted }) => [cookie, `pid:[${namespace}]`, adopted]),
        [[7, readlinkSync('/proc/self/ns/pid'), true]],
      )
      assert.deepEqual([bound[0]?.cookie, bound[0]?.adopted], [7, true])
    } finally {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
  })

  it('is not watched by that of somebody else who has its pid by now, nor when it has ended', () => {
    for (const init of [{ pid: process.pid, startTime: (startTimeOf(process.pid) ?? 0) - 1 }, { pid: 2 ** 22 + 1, startTime: 1 }, undefined]) {
      const { registered, bound, watching, cell } = world()
      watching.adopt(cell, tenant, 7, init)
      assert.deepEqual([registered, bound[0]?.cookie, bound[0]?.adopted], [[], 7, true])
    }
  })
})
