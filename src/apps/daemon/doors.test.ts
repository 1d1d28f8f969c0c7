import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { World } from '../../../test/engine/world.ts'
import { hour, never, noSecrets, openWorld, user } from '../../../test/engine/world.ts'
import { manualClock, settle } from '../../backends/fake/clock.ts'
import { fakeWorkload } from '../../backends/fake/workload.ts'
import { DayflyError } from '../../base/errors.ts'
import { createLog } from '../../base/log.ts'
import type { Exposure } from '../../model/deployment.ts'
import { noRestart } from '../../model/deployment.ts'
import type { EnvironmentSpec } from '../../model/environment.ts'
import { checkAccessLog } from '../../seal/access-log.ts'
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

/** One life of a daemon: its doors, and the engine that they are told by. */
const openDoors = (stack: AsyncDisposableStack, world: () => World, listen: { host: string; port: number } | undefined, domains: string[]) =>
  stack.use(
    createDoors({
      ...{ gateway: { listen, domains }, clock: manualClock() },
      log: createLog({ write: () => {}, level: 'error', json: true }),
      engine: () => world().engine,
      store: {
        fact: name => world().store.fact(name),
        setFact: (name, value) => world().store.setFact(name, value),
        environment: id => world().store.environment(id),
        environments: filter => world().store.environments(filter),
      },
      usage: async () => new Map(),
    }),
  )
type OpenDoors = ReturnType<typeof openDoors>

const anywhere = { host: '127.0.0.1', port: 0 }

const inWorld = async (
  body: (world: World, doors: OpenDoors, restart: () => Promise<OpenDoors>) => Promise<void>,
  { listen = anywhere, domains = ['localhost'] }: { listen?: { host: string; port: number } | null; domains?: string[] } = {},
): Promise<void> => {
  await using stack = new AsyncDisposableStack()
  const made: { world?: World } = {}
  const world = (): World => made.world ?? assert.fail('there is a world')
  const life = (): { doors: OpenDoors; stop: () => Promise<void> } => {
    const own = stack.use(new AsyncDisposableStack())
    return { doors: openDoors(own, world, listen ?? undefined, domains), stop: () => own.disposeAsync() }
  }
  let now = life()
  made.world = stack.use(await openWorld({ engine: { audience: now.doors.audience } }))
  await body(made.world, now.doors, async () => {
    made.world?.crash()
    await now.stop()
    now = life()
    now.doors.recall()
    await made.world?.restart({ engine: { audience: now.doors.audience } })
    await settle()
    return now.doors
  })
  for (const { id, state } of made.world.store.environments()) {
    if (state !== 'ended') await made.world.engine.end(id, 'requested', 'the test is over', user, true, never())
  }
}
/** What waits for an instance has no status of its own: nothing listens where the fake's instances are. */
const waits = -1
const ask = async (doors: OpenDoors, host: string, path = '/'): Promise<{ status: number; text: string }> => {
  const socket = connect({ host: '127.0.0.1', port: doors.httpPort ?? 0 })
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.on('error', () => {})
  let waited = false
  socket.setTimeout(500, () => {
    waited = true
    socket.destroy()
  })
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
  await new Promise(resolve => socket.once('close', resolve))
  const text = Buffer.concat(chunks).toString()
  return { status: waited ? waits : Number(text.split(' ')[1] ?? 0), text }
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

  it('answer 410 for what has ended, with its reason, after a restart too; and lead to its successor', async () => {
    await inWorld(async (world, doors, restart) => {
      const id = await up(world, spec({ port: 80, protocol: 'http' }))
      await world.engine.end(id, 'requested', 'enough of it', user, true, never())
      await until(async () => (await ask(doors, 'db.shop.localhost')).status === 410)
      const after = await restart()
      await until(async () => after.httpPort !== undefined)
      for (const host of ['db.shop.localhost', 'db-80.shop.localhost']) {
        await until(async () => (await ask(after, host)).status === 410)
        assert.match((await ask(after, host)).text, /The environment shop has ended: enough of it/)
      }
      assert.equal((await ask(after, 'other.shop.localhost')).status, 404)
      const next = await up(world, spec({ port: 80, protocol: 'http' }))
      await until(async () => (await ask(after, 'db.shop.localhost')).status === waits)
      // It is the living one's name after a restart, too.
      const last = await restart()
      await until(async () => last.httpPort !== undefined && (await ask(last, 'db.shop.localhost')).status === waits)
      await world.engine.end(next, 'requested', 'that too', user, true, never())
      await until(async () => (await ask(last, 'db.shop.localhost')).text.includes('that too'))
    })
  })

  it('know an end that the next daemon has to finish', async () => {
    await inWorld(async (world, _, restart) => {
      const id = await up(world, spec({ port: 80, protocol: 'http' }))
      world.full(true)
      await assert.rejects(world.engine.end(id, 'requested', 'cut off', user, true, never()))
      world.full(false)
      const after = await restart()
      await world.engine.end(id, 'requested', 'cut off', user, true, never())
      await until(async () => after.httpPort !== undefined && (await ask(after, 'db.shop.localhost')).status === 410)
    })
  })

  it('forget an ended environment whose record is purged', async () => {
    await inWorld(async (world, _, restart) => {
      const id = await up(world, spec({ port: 80, protocol: 'http' }))
      await world.engine.end(id, 'requested', 'enough', user, true, never())
      assert.deepEqual(JSON.parse(world.store.fact('gateway.gone') ?? ''), [id])
      world.store.purge(id)
      const after = await restart()
      assert.equal(after.httpPort, undefined)
      assert.deepEqual(JSON.parse(world.store.fact('gateway.gone') ?? ''), [])
    })
  })

  it('open at the same ports after a restart, and at others where somebody has taken them', async () => {
    await inWorld(
      async (world, doors, restart) => {
        const id = await up(world, spec({ port: 80, protocol: 'http' }, { port: 5432, protocol: 'tcp', published: 0 }))
        const portsOf = (of: OpenDoors) => ({ http: of.httpPort, tcp: of.tcpPort(id, 'db', 5432) })
        const before = portsOf(doors)
        assert.ok(before.http !== undefined && before.tcp !== undefined)
        const after = await restart()
        await until(async () => portsOf(after).tcp !== undefined)
        assert.deepEqual(portsOf(after), before)

        // Somebody listens there before the next daemon does.
        world.crash()
        await after[Symbol.asyncDispose]()
        const others = [before.http, before.tcp].map(port => createServer().listen(port, '127.0.0.1'))
        try {
          for (const other of others) if (!other.listening) await once(other, 'listening')
          const last = await restart()
          await until(async () => portsOf(last).tcp !== undefined)
          assert.notEqual(portsOf(last).http, before.http)
          assert.notEqual(portsOf(last).tcp, before.tcp)
          assert.ok(await isOpen(portsOf(last).http ?? 0))
        } finally {
          for (const other of others) other.close()
        }
        await world.engine.end(id, 'requested', 'enough', user, true, never())
        assert.deepEqual(JSON.parse(world.store.fact('gateway.ports') ?? '').forwards, {})
      },
      { listen: null },
    )
  })

  it('give a name of its own to one environment at a time', async () => {
    await inWorld(
      async (world, doors) => {
        const first = await up(world, spec({ port: 80, protocol: 'http', host: 'shop.preview.example' }))
        await until(async () => (await ask(doors, 'shop.preview.example')).status === waits)
        const rival = { ...spec({ port: 80, protocol: 'http', host: 'shop.preview.example' }), name: 'rival' }
        await assert.rejects(up(world, rival), (error: unknown) => {
          assert.ok(error instanceof DayflyError && error.code === 'conflict')
          assert.match(error.message, /environment shop has the name shop\.preview\.example/)
          return true
        })
        // A refused update takes nothing.
        const own = { ...spec({ port: 80, protocol: 'http', host: 'own.preview.example' }), name: 'rival' }
        await up(world, own)
        await assert.rejects(
          up(world, {
            ...spec({ port: 80, protocol: 'http', host: 'new.preview.example' }, { port: 81, protocol: 'http', host: 'shop.preview.example' }),
            name: 'rival',
          }),
        )
        await up(world, { ...spec({ port: 80, protocol: 'http', host: 'new.preview.example' }), name: 'third' })
        await world.engine.end(first, 'requested', 'enough', user, true, never())
        await until(async () => (await ask(doors, 'shop.preview.example')).status === 410)
        await up(world, { ...rival, name: 'fourth' })
        await until(async () => (await ask(doors, 'shop.preview.example')).status === waits)
      },
      { domains: ['localhost', 'preview.example'] },
    )
  })
})

describe('the record of an environment', () => {
  it('has the totals and vouches for every line of the access log', async () => {
    await inWorld(async (world, doors) => {
      const wanted = spec({ port: 80, protocol: 'http' })
      const id = await up(world, wanted)
      const other = await up(world, { ...wanted, name: 'other' })
      // Nothing listens where the fake's instance is: they are under way until the environment ends, and that is in its record.
      const asked = Array.from({ length: 30 }, (_, index) => ask(doors, 'db.shop.localhost', `/${index}?secret`))
      await sleep(50)
      await world.engine.end(id, 'requested', 'enough', user, true, never())
      await Promise.all(asked)
      const events = world.store.events({ environment: id })
      assert.equal(events.at(-1)?.type, 'record.sealed')
      const totals = events.filter(({ type }) => type === 'gateway.traffic')
      const path = world.engine.accessLogPath(id)
      const verdict = await checkAccessLog(events, [readFileSync(path)])
      assert.equal(verdict.fault, undefined)
      assert.equal(verdict.rest, 0)
      assert.equal(
        totals.reduce((sum, { data }) => sum + Number(data['requests']), 0),
        verdict.lines,
      )
      assert.ok(verdict.lines > 0)
      assert.doesNotMatch(readFileSync(path, 'utf8'), /secret/)
      assert.equal(world.store.verify(id), undefined)
      // Anything else than that is found out.
      const content = readFileSync(path, 'utf8')
      const shorter = content.slice(content.indexOf('\n') + 1)
      assert.ok((await checkAccessLog(events, [Buffer.from(shorter)])).fault)
      assert.ok((await checkAccessLog(events, [])).fault)
      assert.deepEqual(
        world.store.events({ environment: other }).filter(({ type }) => type.startsWith('gateway.')),
        [],
      )
    })
  })

  it('vouches for the access log that a daemon left which has died', async () => {
    await inWorld(async (world, doors, restart) => {
      const id = await up(world, spec({ port: 80, protocol: 'http' }))
      const path = world.engine.accessLogPath(id)
      writeFileSync(path, '{"left":"by a daemon before"}\n')
      assert.ok(doors)
      await restart()
      await world.engine.end(id, 'requested', 'enough', user, true, never())
      const events = world.store.events({ environment: id })
      assert.deepEqual(await checkAccessLog(events, [readFileSync(path)]), { bytes: 30, lines: 1, rest: 0, fault: undefined })
    })
  })
})
