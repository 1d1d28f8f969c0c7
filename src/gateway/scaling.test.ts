import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage, RequestListener } from 'node:http'
import { Agent, request } from 'node:http'
import { describe, it } from 'node:test'
import type { Instance } from '../../test/gateway.ts'
import { ask, portOf, read, route, startGateway, startInstance, until } from '../../test/gateway.ts'
import { DayflyError } from '../base/errors.ts'

/** An instance whose answers are held until they are let go. */
const startHeld = async () => {
  const held: (() => void)[] = []
  const handler: RequestListener = (_, response) => void held.push(() => response.end('ok'))
  const instance = await startInstance(handler)
  return { held, ...instance, release: () => held.splice(0).map(answer => answer()) }
}

describe('an environment that is over', () => {
  it('has what is under way there cut and told, and others keep theirs', async () => {
    await using held = await startHeld()
    await using test = await startGateway()
    const other = { ...route([held.endpoint]), id: 'other', environment: 'e2', hosts: ['other.localhost'] }
    await test.gateway.setRoutes({ set: [route([held.endpoint]), other] })
    const cut = [ask(test.gateway), ask(test.gateway)]
    const kept = ask(test.gateway, { headers: { host: 'other.localhost' } })
    await until(() => held.held.length === 3)
    assert.equal(await test.gateway.cut('e1'), 2)
    await test.gateway.flush()
    assert.deepEqual(
      test.access().map(({ environment, status }) => [environment, status]),
      [
        ['e1', 502],
        ['e1', 502],
      ],
    )
    for (const { status } of await Promise.all(cut)) assert.equal(status, 502)
    assert.equal(await test.gateway.cut('e1'), 0)
    held.release()
    assert.equal((await kept).status, 200)
  })
})

describe('a route without an endpoint', () => {
  it('is woken once, by however many who wait, and all of them are served', async () => {
    await using instance = await startInstance((_, response) => response.end('ok'))
    const woken: string[] = []
    await using test = await startGateway({
      onWake: async target => {
        woken.push(target)
        await until(() => (test.last('web')?.waiting ?? 0) === 100)
        await test.gateway.setRoutes({ set: [route([instance.endpoint])] })
      },
    })
    await test.gateway.setRoutes({ set: [route([])] })
    const answers = await Promise.all(Array.from({ length: 100 }, () => ask(test.gateway)))
    assert.ok(answers.every(({ status }) => status === 200))
    assert.deepEqual(woken, ['web'])
  })

  it('says why it could not be woken, and is woken again by the next', async () => {
    let wakes = 0
    await using test = await startGateway({
      onWake: async () => {
        if (++wakes === 1) throw new DayflyError('exhausted', 'the owner has 20 instances, and may have no more')
        await test.gateway.setRoutes({ set: [route([instance.endpoint])] })
      },
    })
    await using instance = await startInstance((_, response) => response.end('ok'))
    await test.gateway.setRoutes({ set: [route([])] })
    const { status, headers, body } = await ask(test.gateway)
    assert.deepEqual([status, headers['retry-after']], [503, '5'])
    assert.match(body, /the owner has 20 instances/)
    assert.equal((await ask(test.gateway)).status, 200)
  })

  it('is not woken for a client that has left', async () => {
    let signal: AbortSignal | undefined
    await using test = await startGateway({
      onWake: (_, given) => {
        signal = given
        return new Promise((_, reject) => given.addEventListener('abort', () => reject(given.reason)))
      },
    })
    await test.gateway.setRoutes({ set: [route([])] })
    const sent = request({ host: '127.0.0.1', port: test.gateway.port, agent: false, headers: { host: 'web.shop.localhost' } })
    sent.on('error', () => {})
    sent.end()
    await until(() => signal !== undefined)
    assert.equal(signal?.aborted, false)
    sent.destroy()
    await until(() => signal?.aborted === true)
    await until(() => test.access().some(({ status }) => status === 499))
  })

  it('gives up after its wait', async () => {
    await using test = await startGateway({ onWake: (_, signal) => once(signal, 'abort').then(() => {}) })
    await test.gateway.setRoutes({ set: [route([], { wait: 200 })] })
    const { status, headers, body } = await ask(test.gateway)
    assert.equal(status, 503)
    assert.ok(headers['retry-after'])
    assert.match(body, /no instance yet/)
  })

  it('waits for an instance that does not listen yet', async () => {
    const first = await startInstance((_, response) => response.end('ok'))
    const port = portOf(first.server)
    await first[Symbol.asyncDispose]()
    await using test = await startGateway()
    await test.gateway.setRoutes({ set: [route([{ ...first.endpoint }])] })
    const asked = Promise.all(Array.from({ length: 50 }, () => ask(test.gateway, { method: 'POST', body: 'x' })))
    await until(() => (test.last('web')?.waiting ?? 0) > 0)
    await using _late = await startInstance((incoming, response) => void incoming.resume().on('end', () => response.end('ok')), port)
    assert.ok((await asked).every(({ status }) => status === 200))
  })
})

describe('instances', () => {
  it('share the load evenly, by what is in flight', async () => {
    await using stack = new AsyncDisposableStack()
    const instances = await Promise.all(Array.from({ length: 4 }, () => startHeld()))
    for (const instance of instances) stack.use(instance)
    await using test = await startGateway()
    await test.gateway.setRoutes({ set: [route(instances.map(({ endpoint }) => endpoint))] })
    const asked = Array.from({ length: 40 }, () => ask(test.gateway))
    await until(() => instances.reduce((sum, { held }) => sum + held.length, 0) === 40)
    assert.deepEqual(
      instances.map(({ held }) => held.length),
      [10, 10, 10, 10],
    )
    instances[0]?.release()
    await Promise.all(asked.splice(0, 0))
    await until(() => test.last('web')?.inFlight === 30)
    const more = Array.from({ length: 10 }, () => ask(test.gateway))
    await until(() => instances[0]?.held.length === 10)
    for (const instance of instances) instance.release()
    await Promise.all([...asked, ...more])
  })

  it('are given no more than they take; the others wait in line, and beyond it are refused', async () => {
    await using instance = await startHeld()
    await using test = await startGateway()
    await test.gateway.setRoutes({ set: [route([instance.endpoint], { concurrency: 2, queue: 3, wait: 60_000 })] })
    const asked = Array.from({ length: 5 }, () => ask(test.gateway))
    await until(() => instance.held.length === 2 && test.last('web')?.waiting === 3)
    const refused = await ask(test.gateway)
    assert.equal(refused.status, 503)
    assert.equal(refused.headers['retry-after'], '1')
    for (let served = 0; served < 5; served += 2) {
      await until(() => instance.held.length === Math.min(2, 5 - served))
      instance.release()
    }
    assert.ok((await Promise.all(asked)).every(({ status }) => status === 200))
  })

  it('that refuse are passed over; what was lost before it was answered is asked again', async () => {
    let broken = 0
    await using good = await startInstance((incoming, response) => void incoming.resume().on('end', () => response.end('ok')))
    await using bad = await startInstance((_, response) => {
      broken++
      response.destroy()
    })
    const closed = await startInstance(() => {})
    await closed[Symbol.asyncDispose]()
    await using test = await startGateway()
    await test.gateway.setRoutes({ set: [route([closed.endpoint, good.endpoint])] })
    for (let at = 0; at < 20; at++) assert.equal((await ask(test.gateway, { method: 'POST', body: 'x' })).status, 200)
    await test.gateway.setRoutes({ set: [route([bad.endpoint, good.endpoint])] })
    for (let at = 0; at < 20; at++) assert.equal((await ask(test.gateway)).status, 200)
    assert.ok(broken > 0)
    // It may have been done: it is not done twice.
    const before = broken
    const posts = await Promise.all(
      Array.from({ length: 10 }, () => ask(test.gateway, { method: 'POST', headers: { host: 'web.shop.localhost', 'content-length': 0 } })),
    )
    assert.equal(posts.filter(({ status }) => status === 502).length, broken - before)
  })

  it('come and go under a thousand requests, and none fails', async () => {
    const instances = new Map<Instance, Promise<void>>()
    const handler: RequestListener = (incoming, response) => {
      let bytes = 0
      incoming.on('data', (chunk: Buffer) => {
        bytes += chunk.length
      })
      incoming.on('end', () => setTimeout(() => response.end(String(bytes)), 5))
    }
    await using test = await startGateway()
    const set = (): Promise<void> =>
      test.gateway.setRoutes({
        set: [
          route(
            [...instances.keys()].map(({ endpoint }) => endpoint),
            { queue: 2_000 },
          ),
        ],
      })
    const grow = async (): Promise<void> => {
      instances.set(await startInstance(handler), Promise.resolve())
      await set()
    }
    const shrink = async (): Promise<void> => {
      const [oldest] = instances.keys()
      if (oldest === undefined) return
      instances.delete(oldest)
      await set()
      assert.equal(await test.gateway.drain(oldest.endpoint.instance, 60_000), 0)
      await oldest[Symbol.asyncDispose]()
    }
    await grow()
    const agent = new Agent({ keepAlive: true, maxSockets: 1_000 })
    let asking = true
    const failures: string[] = []
    const body = Buffer.alloc(3_000, 'x')
    const client = async (number: number): Promise<number> => {
      let served = 0
      while (asking || served < 2) {
        const posts = (number + served) % 2 === 0
        const answer = await ask(test.gateway, posts ? { agent, method: 'POST', body } : { agent }).catch((error: Error) => ({
          status: 0,
          body: String(error),
        }))
        if (answer.status !== 200 || answer.body !== (posts ? '3000' : '0')) failures.push(`${answer.status} ${answer.body}`)
        served++
      }
      return served
    }
    const clients = Array.from({ length: 1_000 }, (_, number) => client(number))
    for (let round = 0; round < 5; round++) {
      await grow()
      await grow()
      await shrink()
      if (round % 3 === 2) await shrink()
      if (round % 3 === 2) await shrink()
    }
    asking = false
    const served = (await Promise.all(clients)).reduce((sum, count) => sum + count, 0)
    agent.destroy()
    for (const instance of instances.keys()) await instance[Symbol.asyncDispose]()
    assert.deepEqual(failures.slice(0, 3), [])
    assert.ok(served >= 2_000)
    await until(() => test.sum('web', 'finished') === served)
  })
})

describe('an instance that is drained', () => {
  it('gets nothing new, ends what it has, and may come back once it was in no route', async () => {
    await using old = await startHeld()
    await using fresh = await startInstance((_, response) => response.end('fresh'))
    await using test = await startGateway()
    await test.gateway.setRoutes({ set: [route([old.endpoint])] })
    const asked = ask(test.gateway)
    await until(() => old.held.length === 1)
    await test.gateway.setRoutes({ set: [route([old.endpoint, fresh.endpoint])] })
    let drained = false
    const draining = test.gateway.drain(old.endpoint.instance, 60_000).then(cut => {
      drained = true
      return cut
    })
    for (let at = 0; at < 10; at++) assert.equal((await ask(test.gateway)).body, 'fresh')
    assert.equal(drained, false)
    old.release()
    assert.equal((await asked).body, 'ok')
    assert.equal(await draining, 0)
    await test.gateway.setRoutes({ set: [route([fresh.endpoint])] })
    await test.gateway.setRoutes({ set: [route([old.endpoint])] })
    const back = ask(test.gateway)
    await until(() => old.held.length === 1)
    old.release()
    assert.equal((await back).status, 200)
  })

  it('may come back although a request of a route that was taken away has not ended there', async () => {
    await using instance = await startHeld()
    await using test = await startGateway()
    await test.gateway.setRoutes({ set: [route([instance.endpoint])] })
    const asked = ask(test.gateway)
    await until(() => instance.held.length === 1)
    const draining = test.gateway.drain(instance.endpoint.instance, 60_000)
    await test.gateway.setRoutes({ remove: ['web'] })
    await test.gateway.setRoutes({ set: [route([instance.endpoint])] })
    const back = ask(test.gateway)
    await until(() => instance.held.length === 2)
    instance.release()
    assert.deepEqual([(await asked).status, (await back).status], [200, 200])
    assert.equal(await draining, 0)
  })

  it('is cut off when its time is over, and says so', async () => {
    await using instance = await startHeld()
    await using test = await startGateway()
    await test.gateway.setRoutes({ set: [route([instance.endpoint])] })
    const asked = [ask(test.gateway), ask(test.gateway)]
    await until(() => instance.held.length === 2)
    await test.gateway.setRoutes({ remove: ['web'] })
    assert.equal(await test.gateway.drain(instance.endpoint.instance, 50), 2)
    assert.deepEqual(
      (await Promise.all(asked)).map(({ status }) => status),
      [502, 502],
    )
    assert.equal(await test.gateway.drain(instance.endpoint.instance, 50), 0)
    assert.equal(await test.gateway.drain('nobody', 50), 0)
  })
})

describe('the thread of the gateway', () => {
  it('that crashes is started again on its port, and knows what it knew', async () => {
    const threads: import('node:worker_threads').Worker[] = []
    const seen = (thread: import('node:worker_threads').Worker): void => void threads.push(thread)
    process.on('worker', seen)
    await using instance = await startInstance((_, response) => response.end('ok'))
    await using test = await startGateway()
    try {
      await test.gateway.setRoutes({ set: [route([instance.endpoint])] })
      const port = await test.gateway.setForward({
        id: 'f',
        listen: { host: '127.0.0.1', port: 0 },
        environment: 'e1',
        workload: 'web',
        endpoints: [instance.endpoint],
      })
      assert.equal((await ask(test.gateway)).status, 200)
      await threads[0]?.terminate()
      await until(() => threads.length === 2)
      let status = 0
      while (status !== 200)
        status = await ask(test.gateway).then(
          answer => answer.status,
          () => 0,
        )
      const sent = request({ host: '127.0.0.1', port, agent: false })
      sent.end()
      const [response]: IncomingMessage[] = await once(sent, 'response')
      assert.ok(response)
      assert.equal((await read(response)).body, 'ok')
      assert.ok(test.lines.some(line => line.includes('the gateway is started again')))
    } finally {
      process.off('worker', seen)
    }
  })

  it('does not come about on a port that is taken, or with a limit that is none', async () => {
    await using test = await startGateway()
    await assert.rejects(startGateway({ listen: { host: '127.0.0.1', port: test.gateway.port } }), (error: unknown) => {
      return (
        error instanceof DayflyError &&
        error.code === 'conflict' &&
        error.message.includes(String(test.gateway.port)) &&
        error.field === 'gateway.listen'
      )
    })
    await assert.rejects(startGateway({ limits: { stall: -1 } }), (error: unknown) => error instanceof DayflyError && error.field === 'limits.stall')
    await assert.rejects(
      startGateway({ listen: { host: '192.0.2.1', port: 0 } }),
      (error: unknown) => error instanceof DayflyError && error.code === 'invalid',
    )
  })
})
