/** Environments that are kept running, on the real kernel and through the real gateway: demand, crashes of the daemon, many at once. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { Agent, get as httpGet } from 'node:http'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { frameKind } from '../../src/api/frames.ts'
import type { UpInput, WorkloadView } from '../../src/api/schemas/workloads.ts'
import { DayflyError } from '../../src/base/errors.ts'
import type { Daemon } from '../daemon.ts'
import { makeFolder, root, startDaemon } from '../daemon.ts'

type Draft = UpInput['draft']
type Workload = Draft['workloads'][string]

const folder = makeFolder('/tmp/dayfly-environments-')
let daemon: Daemon

const start = async (): Promise<void> => {
  daemon = startDaemon({ folder })
  await daemon.ready
}
before(async () => {
  await start()
  const tar = execFileSync(join(root, 'scripts/make-image'), [], { encoding: 'utf8' }).trim()
  await daemon.client.importImage({ path: tar, name: 'busybox' }, () => {})
})
after(async () => {
  const left = await daemon.client.leaks()
  await daemon.stop()
  rmSync(folder, { recursive: true, force: true })
  assert.deepEqual(left, [])
})
afterEach(async () => {
  // What a failed test has left must not fail the next one.
  const left = await daemon.client.environments({})
  await Promise.all(left.filter(({ state }) => state !== 'ended').map(({ id }) => daemon.client.end(id, { force: true })))
})

/** ms: longer than anything here takes on a busy machine. */
const patience = 90_000
const noRestart = { condition: 'no', attempts: 0, delay: 100, window: 10_000 } as const
/** Ends at once on SIGTERM: busybox's servers have no handler, and a first process without one ignores it. */
const serve = (setUp: string): string[] => ['/bin/sh', '-c', `${setUp}; trap 'kill $!; exit 0' TERM; httpd -f -p 8080 -h /tmp & wait`]
const web = (text: string, change: Partial<NonNullable<Workload['deployment']>> = {}): Workload => ({
  image: 'busybox',
  command: serve(`echo "${text} $HOSTNAME" > /tmp/index.html`),
  limits: { memory: 16 * 1024 * 1024, cpus: 0.5, pids: 32 },
  deployment: {
    expose: [{ port: 8080, protocol: 'http' }],
    health: {
      command: ['wget', '-q', '-O', '/dev/null', 'http://127.0.0.1:8080/'],
      ...{ interval: 1000, timeout: 5000, retries: 10, startPeriod: 0, startInterval: 100 },
    },
    restart: noRestart,
    ...change,
  },
})

const up = (draft: Draft) => daemon.client.up({ draft }, () => {})
const end = (name: string) => daemon.client.end(name, { force: true })
const workloadsOf = (name: string): Promise<WorkloadView[]> => daemon.client.workloads(name)

/** Resolves with what holds when it does. */
const until = async <T>(what: () => Promise<T | undefined>): Promise<T> => {
  for (const limit = AbortSignal.timeout(patience); ; limit.throwIfAborted()) {
    const found = await what()
    if (found !== undefined) return found
    await sleep(20)
  }
}
const allReady = (name: string): Promise<WorkloadView[]> =>
  until(async () => {
    const those = await workloadsOf(name)
    const failed = those.find(({ state }) => state === 'failed')
    assert.equal(failed, undefined, `${failed?.name} failed: ${failed?.reason}`)
    return those.length > 0 && those.every(({ state }) => state === 'ready' || state === 'completed') ? those : undefined
  })
const urlOf = async (name: string, workload: string): Promise<URL> => {
  const found = (await workloadsOf(name)).find(other => other.name === workload)
  return new URL(found?.exposed[0]?.url ?? '')
}
const get = async (url: URL, agent = new Agent()): Promise<{ status: number; text: string }> =>
  await new Promise((resolve, reject) => {
    const asked = httpGet({ host: '127.0.0.1', port: url.port, headers: { host: url.host }, agent }, answer => {
      let text = ''
      answer.on('data', (piece: Buffer) => {
        text += piece.toString()
      })
      answer.on('error', reject)
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }))
    })
    asked.on('error', reject)
  })

describe('demand', { timeout: 120_000 }, () => {
  it('brings twenty instances out of nothing under a burst of 1,000 requests, none of which fails, and takes them away again', async () => {
    await up({ name: 'burst', workloads: { web: web('burst', { scale: { min: 0, max: 20, target: { concurrency: 10 }, window: 1000 } }) } })
    await until(async () => ((await workloadsOf('burst'))[0]?.state === 'idle' ? true : undefined))
    const url = await urlOf('burst', 'web')
    const agent = new Agent({ maxSockets: 1000 })
    const answers = await Promise.all(Array.from({ length: 1000 }, () => get(url, agent)))
    agent.destroy()
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
    assert.ok(answers.every(({ text }) => text.startsWith('burst ')))
    const { instances } = await daemon.client.environment('burst')
    assert.ok(instances.length > 1, `${instances.length} instances were started`)
    await until(async () => ((await workloadsOf('burst'))[0]?.state === 'idle' ? true : undefined))
    assert.equal((await get(url)).status, 200, 'it wakes again')
    await end('burst')
    const { status, text } = await get(url)
    assert.equal(status, 410)
    assert.match(text, /asked for it/)
  })

  it('loses no request in a rolling update', async () => {
    const two = { scale: { min: 2, max: 2, window: 0 } }
    await up({ name: 'rolling', workloads: { web: web('one', two) } })
    await allReady('rolling')
    const url = await urlOf('rolling', 'web')
    const seen = new Set<string>()
    let over = false
    const clients = Array.from({ length: 4 }, async () => {
      while (!over) {
        const { status, text } = await get(url)
        assert.equal(status, 200)
        seen.add(text.split(' ')[0] ?? '')
      }
    })
    await up({ name: 'rolling', workloads: { web: web('two', two) } })
    await until(async () => {
      const [status] = await workloadsOf('rolling')
      return status?.state === 'ready' && status.instances.every(({ outdated, state }) => !outdated || state !== 'running') ? true : undefined
    })
    over = true
    await Promise.all(clients)
    assert.deepEqual([...seen].toSorted(), ['one', 'two'])
    await end('rolling')
  })

  it('wakes what was paused', async () => {
    await up({ name: 'sleepy', workloads: { web: web('awake') } })
    await allReady('sleepy')
    const url = await urlOf('sleepy', 'web')
    await daemon.client.pause('sleepy')
    await until(async () => ((await workloadsOf('sleepy'))[0]?.instances[0]?.paused ? true : undefined))
    assert.equal((await get(url)).status, 200)
    await end('sleepy')
  })
})

describe('a daemon that is killed', { timeout: 240_000 }, () => {
  const draft = (version: string): Draft => ({
    name: 'crash',
    volumes: ['data'],
    workloads: {
      db: {
        image: 'busybox',
        command: ['/bin/sh', '-c', 'date > /data/ready; trap "exit 0" TERM; sleep 1000 & wait'],
        mounts: [{ type: 'volume', volume: 'data', target: '/data', readOnly: false, copy: true }],
        deployment: {
          restart: noRestart,
          health: { command: ['test', '-e', '/data/ready'], interval: 1000, timeout: 5000, retries: 10, startPeriod: 0, startInterval: 100 },
          update: { order: 'stop-first' },
        },
      },
      web: { ...web(version, { dependsOn: { db: { condition: 'healthy', required: true, restart: false } }, scale: { min: 2, max: 2, window: 0 } }) },
    },
  })
  /** Kills the daemon so many ms after the work has begun; the next one takes over. */
  const killedAfter = async (ms: number, work: () => Promise<unknown>): Promise<void> => {
    const doing = work().then(
      () => undefined,
      (error: unknown) => assert.ok(error instanceof DayflyError, String(error)),
    )
    await sleep(ms)
    await daemon.kill()
    await doing
    await start()
  }
  const living = async (): Promise<boolean> =>
    (await daemon.client.environments({})).some(({ name, state }) => name === 'crash' && state === 'running')

  for (const ms of [2, 15, 30, 60, 120, 250, 500]) {
    it(`${ms} ms into an up, an update and a down: each is finished or undone`, async () => {
      await killedAfter(ms, () => up(draft('one')))
      // Undone, or on its way: up again brings about what was wanted either way.
      if (await living()) await allReady('crash')
      await up(draft('one'))
      const before = await allReady('crash')
      assert.equal(before.find(({ name }) => name === 'web')?.ready, 2)

      await killedAfter(ms, () => up(draft('two')))
      await until(async () => {
        const web = (await workloadsOf('crash')).find(({ name }) => name === 'web')
        return web?.state === 'ready' && web.instances.filter(({ state }) => state === 'running').length === 2 ? true : undefined
      })
      const { text } = await get(await urlOf('crash', 'web'))
      assert.match(text, /^(one|two) /)

      await killedAfter(ms, () => daemon.client.end('crash', { force: false }))
      // Whatever became of it: it waits for an end that is under way, or changes what still lives.
      await up(draft('one'))
      if (await living()) await end('crash')
      await until(async () =>
        (await daemon.client.environments({})).every(({ name, state }) => name !== 'crash' || state === 'ended') ? true : undefined,
      )
      assert.deepEqual(await daemon.client.leaks(), [])
    })
  }
})

describe('fifty environments of four workloads', { timeout: 400_000 }, () => {
  const names = Array.from({ length: 50 }, (_, index) => `fleet-${index + 1}`)
  const quiet: Workload = {
    image: 'busybox',
    command: ['/bin/sh', '-c', 'trap "exit 0" TERM; sleep 100000 & wait'],
    limits: { memory: 16 * 1024 * 1024, cpus: 0.2, pids: 16 },
    deployment: { restart: noRestart },
  }
  const needs = (name: string) => ({ dependsOn: { [name]: { condition: 'started', required: true, restart: false } as const } })

  it('are all well, see nothing of each other, and are gone when their time is over', async () => {
    const ttl = 600_000
    await Promise.all(
      names.map(name =>
        up({
          name,
          lease: { ttl, idle: ttl },
          workloads: {
            db: quiet,
            cache: quiet,
            worker: { ...quiet, deployment: { restart: noRestart, ...needs('db') } },
            web: web(name, needs('cache')),
          },
        }),
      ),
    )
    await Promise.all(names.map(allReady))
    const answers = await Promise.all(names.map(async name => (await get(await urlOf(name, 'web'))).text.split(' ')[0]))
    assert.deepEqual(answers, names)

    const views = await Promise.all(names.map(name => daemon.client.environment(name)))
    const addressOf = (index: number): string => views[index]?.instances.find(({ workload }) => workload === 'web')?.address ?? ''
    const inside = async (index: number, command: readonly string[]): Promise<number> => {
      const instance = views[index]?.instances.find(({ workload }) => workload === 'worker')
      return await execIn(instance?.id ?? '', command)
    }
    // busybox is linked statically: its wget can neither look a name up nor keep a time limit of its own.
    const fetch = (address: string): string[] => ['timeout', '2', 'wget', '-q', '-O', '/dev/null', `http://${address}:8080/`]
    for (const index of [0, 24, 49]) {
      assert.equal(await inside(index, ['nslookup', 'web']), 0, 'its own web has a name')
      assert.equal(await inside(index, fetch(addressOf(index))), 0, 'and is reached')
      const other = (index + 7) % 50
      assert.notEqual(await inside(index, fetch(addressOf(other))), 0, "another's is not")
      assert.notEqual(await inside(index, ['nslookup', `web.fleet-${other + 1}`]), 0, 'and has no name')
    }

    await Promise.all(names.map(name => daemon.client.end(name, { force: true })))
    assert.deepEqual(await daemon.client.leaks(), [])
  })

  it('are gone on time', async () => {
    const short = names.slice(0, 10).map(name => `short-${name}`)
    await Promise.all(short.map(name => up({ name, lease: { ttl: 6000 }, workloads: { a: quiet, b: quiet, c: quiet, d: quiet } })))
    await Promise.all(
      short.map(name =>
        until(async () => {
          const found = (await daemon.client.environments({})).find(other => other.name === name && other.state !== 'ended')
          return found === undefined ? true : undefined
        }),
      ),
    )
    assert.deepEqual(await daemon.client.leaks(), [])
  })
})

const execIn = async (instance: string, command: readonly string[]): Promise<number> => {
  const stream = await daemon.client.exec(instance, { command: [...command] })
  for await (const { kind, payload } of stream.frames) {
    if (kind === frameKind.exit) return JSON.parse(payload.toString()).code
  }
  throw new Error('the stream ended without an exit')
}
