import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { World } from '../../../test/engine/world.ts'
import { hour, never, noSecrets, openWorld, user } from '../../../test/engine/world.ts'
import { manualClock, settle } from '../../backends/fake/clock.ts'
import { fakeWorkload } from '../../backends/fake/workload.ts'
import { DayflyError } from '../../base/errors.ts'
import { createLog } from '../../base/log.ts'
import type { Engine } from '../../engine/engine.ts'
import type { Exposure } from '../../model/deployment.ts'
import { noRestart } from '../../model/deployment.ts'
import type { EnvironmentSpec } from '../../model/environment.ts'
import { createDoors } from './doors.ts'

const spec = (...expose: Exposure[]): EnvironmentSpec => ({
  ...{ name: 'shop', owner: 'tester', labels: {}, lease: { ttl: 10 * hour, idle: 10 * hour, retention: hour } },
  workloads: {
    db: fakeWorkload([{ on: 'SIGTERM', exit: 0 }, { sleep: 100 * hour }], {
      kind: 'service',
      deployment: {
        ...{ scale: { min: 1, max: 1, window: 0 }, restart: noRestart, dependsOn: {}, networks: {}, expose },
        update: { order: 'start-first', parallelism: 1 },
      },
    }),
  },
})

/** A listener on a free port of the loopback. */
const takePort = async () => {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return { port: address.port, [Symbol.asyncDispose]: async () => void (await new Promise(resolve => server.close(resolve))) }
}
const freePort = async (): Promise<number> => {
  await using taken = await takePort()
  return taken.port
}
const isOpen = async (port: number): Promise<boolean> => {
  const socket = connect({ host: '127.0.0.1', port })
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
const until = async (check: () => Promise<boolean>): Promise<void> => {
  for (let left = 500; !(await check()); left--) {
    assert.ok(left > 0, 'it came about')
    await sleep(10)
  }
}

const inWorld = async (body: (world: World, doors: ReturnType<typeof createDoors>) => Promise<void>): Promise<void> => {
  let engine: Engine | undefined
  const doors = createDoors({
    ...{ gateway: { listen: { host: '127.0.0.1', port: 0 }, domains: ['localhost'] }, clock: manualClock() },
    log: createLog({ write: () => {}, level: 'error', json: true }),
    engine: () => engine ?? assert.fail('there is an engine'),
    usage: async () => new Map(),
  })
  await using stack = new AsyncDisposableStack()
  stack.use(doors)
  const world = stack.use(await openWorld({ engine: { audience: doors.audience } }))
  engine = world.engine
  await body(world, doors)
  for (const { id, state } of world.store.environments()) {
    if (state !== 'ended') await world.engine.end(id, 'requested', 'the test is over', user, true, never())
  }
}
const up = async (world: World, wanted: EnvironmentSpec): Promise<string> => {
  const { environment } = await world.engine.up(wanted, noSecrets, new Map(), user, never())
  await settle()
  return environment.id
}

describe('doors', () => {
  it('follow an update that publishes by another port', async () => {
    await inWorld(async (world, doors) => {
      const [first, second] = [await freePort(), await freePort()]
      const id = await up(world, spec({ port: 5432, protocol: 'tcp', published: first }))
      assert.equal(doors.tcpPort(id, 'db', 5432), first)
      await up(world, spec({ port: 5432, protocol: 'tcp', published: second }))
      assert.equal(doors.tcpPort(id, 'db', 5432), second)
      assert.ok(await isOpen(second))
      await until(async () => !(await isOpen(first)))
    })
  })

  it('refuse an update whose port is taken, and leave everything as it was', async () => {
    await inWorld(async (world, doors) => {
      await using taken = await takePort()
      const [first, other] = [await freePort(), await freePort()]
      const id = await up(world, spec({ port: 5432, protocol: 'tcp', published: first }))
      const wanted = spec({ port: 81, protocol: 'tcp', published: other }, { port: 5432, protocol: 'tcp', published: taken.port })
      await assert.rejects(up(world, wanted), (error: unknown) => error instanceof DayflyError && error.code === 'conflict')
      assert.equal(doors.tcpPort(id, 'db', 5432), first)
      assert.ok(await isOpen(first))
      await until(async () => !(await isOpen(other)))
      assert.deepEqual(world.store.environment(id)?.spec.workloads['db']?.deployment?.expose.length, 1)
    })
  })

  it('answer 410 for what has ended', async () => {
    await inWorld(async (world, doors) => {
      const id = await up(world, spec({ port: 80, protocol: 'http' }))
      await world.engine.end(id, 'requested', 'enough', user, true, never())
      const ask = async (): Promise<number> => {
        const socket = connect({ host: '127.0.0.1', port: doors.httpPort ?? 0 })
        socket.end('GET / HTTP/1.1\r\nHost: db.shop.localhost\r\nConnection: close\r\n\r\n')
        const [answer] = await once(socket, 'data')
        socket.destroy()
        return Number(String(answer).split(' ')[1])
      }
      await until(async () => (await ask()) === 410)
    })
  })
})
