/** The linux backend when parts of it die, hang or resist: what waited in a pool, what is being made, what is to go, what was just being started. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { delimiter, join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Stage, Started } from './linux/stage.ts'
import { childrenOf, lives, makeStage, signal, until } from './linux/stage.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root: it makes real containers'

/** Two starts of one shape make it worth preparing. */
const prepare = async (stage: Stage, script: string, change: Parameters<Stage['workload']>[1] = {}): Promise<Started[]> => {
  const workload = stage.workload(script, change)
  const started = [await stage.start(stage.request(workload)), await stage.start(stage.request(workload))]
  await until('something is prepared', () =>
    stage
      .backend()
      .pool()
      .prepared.some(({ ready, wanted }) => ready > 0 && ready === wanted),
  )
  return started
}
/** Cells that no instance has. */
const pooled = (stage: Stage): Map<string, number> =>
  new Map([...stage.monitors()].filter(([cell]) => statSync(join(stage.runDir, 'instances', cell, 'owner.json')).size === 0))
const isPrepared = (stage: Stage, cell: string): boolean => existsSync(join(stage.runDir, 'instances', cell, 'config.json'))
const exitCode = async (stage: Stage, { id }: Started): Promise<number> => (await stage.backend().wait(id, signal())).code

describe('what waited in a pool and has died', { skip }, () => {
  it('a cell: the start takes another, or makes one', async () => {
    await using stage = await makeStage({ preparedMemory: 0 })
    await until('cells', () => stage.backend().pool().cells >= 4)
    for (const pid of pooled(stage).values()) process.kill(pid, 'SIGKILL')
    // Within this turn nobody has heard of it.
    assert.equal(stage.backend().pool().cells, 4)
    const started = await stage.start(stage.request(stage.workload('exit 7')))
    assert.equal(await exitCode(stage, started), 7)
    await until('other cells', () => stage.backend().pool().cells >= 4)
    assert.equal(pooled(stage).size, 4)
    await stage.remove(started)
  })

  it('a prepared container that was killed, or its monitor: the start takes another, or is a cold one', async () => {
    await using stage = await makeStage()
    const all = await prepare(stage, 'exit 8')
    for (const victim of ['container', 'monitor']) {
      for (const [cell, pid] of pooled(stage)) {
        if (!isPrepared(stage, cell)) continue
        const [init] = childrenOf(pid)
        assert.ok(init !== undefined)
        process.kill(victim === 'monitor' ? pid : init, 'SIGKILL')
        // The kernel takes its time with a process that waits; what is tested is whether the backend sees it.
        await until('it is dead', () => !lives(init))
      }
      const started = await stage.start(stage.request(stage.workload('exit 8')))
      assert.equal(started.start, 'cold', victim)
      all.push(started)
      await until('something is prepared again', () =>
        stage
          .backend()
          .pool()
          .prepared.some(({ ready }) => ready > 0),
      )
    }
    const last = await stage.start(stage.request(stage.workload('exit 8')))
    assert.equal(last.start, 'prepared')
    for (const started of [...all, last]) assert.equal(await exitCode(stage, started), 8)
    await stage.remove(...all, last)
  })

  it('is noticed, taken down and made again although nobody asks for it', async () => {
    await using stage = await makeStage()
    const all = await prepare(stage, 'exit 0')
    const dead = [...pooled(stage)].filter(([cell]) => isPrepared(stage, cell))
    for (const [, pid] of dead) for (const child of childrenOf(pid)) process.kill(child, 'SIGKILL')
    await until('they are gone', () => dead.every(([cell]) => !existsSync(join(stage.runDir, 'instances', cell))))
    await until('others are there', () =>
      stage
        .backend()
        .pool()
        .prepared.some(({ ready, wanted }) => ready === wanted),
    )
    await stage.remove(...all)
  })

  it('a prepared container whose monitor hangs: the start takes another', async () => {
    await using stage = await makeStage({ createPatience: 1500 })
    const all = await prepare(stage, 'exit 9')
    const hanging = [...pooled(stage)].filter(([cell]) => isPrepared(stage, cell))
    for (const [, pid] of hanging) process.kill(pid, 'SIGSTOP')
    const started = await stage.start(stage.request(stage.workload('exit 9')))
    assert.equal(await exitCode(stage, started), 9)
    await stage.backend().forgetImage(stage.image)
    await until('the hanging are gone', () => hanging.every(([cell]) => !existsSync(join(stage.runDir, 'instances', cell))))
    await stage.remove(...all, started)
  })
})

describe('what is to go and resists', { skip }, () => {
  it('is tried again until it is gone, and explained meanwhile', async () => {
    await using stage = await makeStage()
    const all = await prepare(stage, 'exit 0')
    const [cell = ''] = [...pooled(stage).keys()].filter(each => isPrepared(stage, each))
    const file = join(stage.stateDir, 'scratch', cell, 'upper', 'fixed')
    writeFileSync(file, '')
    execFileSync('chattr', ['+i', file])
    try {
      await stage.backend().forgetImage(stage.image)
      assert.ok(existsSync(file))
      await stage.remove(...all)
    } finally {
      execFileSync('chattr', ['-i', file])
    }
    await until('it is gone', () => !existsSync(join(stage.stateDir, 'scratch', cell)))
    assert.ok(!stage.monitors().has(cell))
  })

  it('of an earlier daemon is taken down by the next, which starts all the same', async () => {
    await using stage = await makeStage({ preparedMemory: 0 })
    await stage.shut()
    const left = join(stage.stateDir, 'scratch', 'cleft0000000')
    mkdirSync(left)
    writeFileSync(join(left, 'fixed'), '')
    execFileSync('chattr', ['+i', join(left, 'fixed')])
    try {
      await stage.reopen()
      assert.deepEqual(await stage.backend().owned(), [], 'it is explained')
    } finally {
      execFileSync('chattr', ['-i', join(left, 'fixed')])
    }
    await until('it is gone', () => !existsSync(left))
  })

  it('of an environment keeps that from its end', async () => {
    await using stage = await makeStage({ preparedMemory: 0 })
    await until('cells', () => stage.backend().pool().cells >= 4)
    const files = [...pooled(stage).keys()].map(cell => join(stage.stateDir, 'scratch', cell, 'upper', 'fixed'))
    for (const file of files) {
      writeFileSync(file, '')
      execFileSync('chattr', ['+i', file])
    }
    const request = stage.request(stage.workload('', { command: ['/no/such/program'] }))
    try {
      await assert.rejects(stage.backend().create(request, new Map(), signal()), { code: 'command_not_found' })
      await stage.backend().remove(request.id, signal())
      await assert.rejects(stage.backend().removeEnvironment(request.environment, signal()))
    } finally {
      for (const file of files) execFileSync('chattr', ['-i', file])
    }
    await stage.backend().removeEnvironment(request.environment, signal())
    assert.deepEqual(await stage.backend().owned(), [])
  })
})

describe('the making of a container', { skip }, () => {
  /** A backend that finds this program as crun. */
  const withRuntime = async (script: string, createPatience: number, body: (stage: Stage) => Promise<void>): Promise<void> => {
    const path = process.env['PATH'] ?? ''
    const folder = join('/tmp', `dayfly-runtime-${process.pid}`)
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'crun'), `#!/bin/sh\n${script}\n`)
    chmodSync(join(folder, 'crun'), 0o755)
    process.env['PATH'] = `${folder}${delimiter}${path}`
    try {
      await using stage = await makeStage({ createPatience, preparedMemory: 0 })
      await body(stage)
    } finally {
      process.env['PATH'] = path
      rmSync(folder, { recursive: true })
    }
  }
  const assertNothing = async (stage: Stage): Promise<void> => {
    assert.deepEqual(
      (await stage.backend().owned()).filter(({ kind }) => kind !== 'interface' && kind !== 'nft'),
      [],
    )
    assert.equal([...stage.monitors().keys()].filter(cell => isPrepared(stage, cell)).length, 0)
  }

  it('that does not come to an end is given up, leaves nothing, and holds nobody up', async () => {
    await withRuntime('exec sleep 1000', 400, async stage => {
      const requests = Array.from({ length: availableParallelism() * 2 + 1 }, () => stage.request(stage.workload('exit 0')))
      const outcomes = await Promise.allSettled(requests.map(request => stage.backend().create(request, new Map(), signal())))
      for (const outcome of outcomes) assert.equal(outcome.status === 'rejected' && outcome.reason.code, 'timeout')
      await assertNothing(stage)
      await stage.remove(...requests)
    })
  })

  it('that is cancelled ends at once, also while it waits for its turn, and leaves nothing', async () => {
    await withRuntime('exec sleep 1000', 600_000, async stage => {
      const controller = new AbortController()
      const requests = Array.from({ length: availableParallelism() * 2 + 2 }, () => stage.request(stage.workload('exit 0')))
      const creations = requests.map(request => stage.backend().create(request, new Map(), controller.signal))
      const settled = Promise.allSettled(creations)
      await until('the runtime is at work', () => [...stage.monitors().values()].some(pid => commands(pid).includes('sleep')))
      controller.abort()
      for (const outcome of await settled) assert.equal(outcome.status === 'rejected' && outcome.reason.code, 'aborted')
      await assertNothing(stage)
      await stage.remove(...requests)
    })
  })

  it('is not slowed down by the limit that it sets', async () => {
    await using stage = await makeStage({ preparedMemory: 0 })
    const limits = { ...stage.workload('').limits, cpus: 0.01 }
    const request = stage.request(stage.workload('exit 3', { limits }))
    const { pid } = await stage.backend().create(request, new Map(), signal())
    const group = cpuGroup(pid)
    assert.match(readFileSync(join(group, 'cpu.stat'), 'utf8'), /^nr_throttled 0$/m)
    const quota = existsSync(join(group, 'cpu.max')) ? 'cpu.max' : 'cpu.cfs_quota_us'
    assert.match(readFileSync(join(group, quota), 'utf8'), /^1000\b/)
    await stage.backend().start(request.id, signal())
    assert.equal((await stage.backend().wait(request.id, signal())).code, 3)
    await stage.remove(request)
  })
})

const commands = (pid: number): string[] => childrenOf(pid).map(child => readFileSync(`/proc/${child}/comm`, 'utf8').trim())

/** The folder of a process's group that limits its CPU. */
const cpuGroup = (pid: number): string => {
  const line = readFileSync(`/proc/${pid}/cgroup`, 'utf8')
    .split('\n')
    .find(each => each.startsWith('0::') || /:(cpu|[^:]*,cpu|cpu,[^:]*):/.test(each))
  const path = line?.split(':')[2] ?? ''
  return existsSync('/sys/fs/cgroup/cgroup.controllers') ? join('/sys/fs/cgroup', path) : join('/sys/fs/cgroup/cpu', path)
}

describe('what is said never to have run', { skip }, () => {
  /** The container leaves a mark, in its cell's scratch folder. */
  const mark = (stage: Stage, cell: string): boolean => existsSync(join(stage.stateDir, 'scratch', cell, 'upper', 'ran'))
  const cellOf = (stage: Stage, id: string): string =>
    readdirSync(join(stage.runDir, 'instances')).find(cell => {
      const file = join(stage.runDir, 'instances', cell, 'owner.json')
      return existsSync(file) && readFileSync(file, 'utf8').includes(id)
    }) ?? ''
  const stateOf = async (stage: Stage, id: string): Promise<string> =>
    (await stage.backend().observe()).find(observed => observed.id === id)?.state ?? 'nothing'

  it('never ran, wherever its monitor is killed, under this daemon and the next', async () => {
    await using stage = await makeStage({ preparedMemory: 0 })
    const counts = new Map<string, number>()
    for (let n = 0; n < 40; n++) {
      const request = stage.request(stage.workload('echo > /ran; sleep 1000'))
      await stage.backend().create(request, new Map(), signal())
      const cell = cellOf(stage, request.id)
      const pid = stage.monitors().get(cell) ?? 0
      assert.ok(pid > 0)
      const starting = stage
        .backend()
        .start(request.id, signal())
        .catch(() => {})
      for (const end = performance.now() + Math.random() * 3; performance.now() < end; ) if (Math.random() < 0.05) await sleep(0)
      process.kill(pid, 'SIGKILL')
      await starting
      await sleep(30)
      await until('the end of its monitor is noticed', async () => (await stateOf(stage, request.id)) !== 'running')
      const ran = mark(stage, cell)
      const here = await stateOf(stage, request.id)
      await stage.reopen()
      const next = await stateOf(stage, request.id)
      counts.set(`${here} ${next}`, (counts.get(`${here} ${next}`) ?? 0) + 1)
      if (ran) assert.deepEqual([here, next], ['gone', 'gone'])
      if (here === 'created') assert.equal(next, 'nothing')
      await stage.remove(request)
    }
    assert.ok((counts.get('gone gone') ?? 0) > 0, JSON.stringify([...counts]))
  })

  it('is told apart by an earlier daemon’s last act: a start that only the monitor knows of', async () => {
    await using stage = await makeStage({ preparedMemory: 0 })
    const started = await stage.start(stage.request(stage.workload('echo > /ran; sleep 1000')))
    const waiting = stage.request(stage.workload('echo > /ran; sleep 1000'))
    await stage.backend().create(waiting, new Map(), signal())
    const cell = cellOf(stage, started.id)
    await until('it runs', () => mark(stage, cell))
    const pid = stage.monitors().get(cell) ?? 0
    await stage.shut()
    process.kill(pid, 'SIGKILL')
    await stage.reopen()
    assert.equal(await stateOf(stage, started.id), 'gone')
    assert.equal(await stateOf(stage, waiting.id), 'nothing')
    // A daemon that dies before it has written that leaves as much to the next.
    await stage.reopen()
    assert.equal(await stateOf(stage, started.id), 'gone')
    assert.ok(!lives(started.pid), 'and it does not run on')
    await assert.rejects(stage.backend().wait(started.id, signal()), { code: 'wrong_state' })
    await stage.remove(started, waiting)
  })

  it('is a start that was refused', async () => {
    await using stage = await makeStage({ preparedMemory: 0 })
    const request = stage.request(stage.workload('echo > /ran'))
    const { pid } = await stage.backend().create(request, new Map(), signal())
    process.kill(pid, 'SIGKILL')
    await until('it is dead', () => !lives(pid))
    await assert.rejects(stage.backend().start(request.id, signal()))
    assert.equal(await stateOf(stage, request.id), 'created')
    await stage.remove(request)
  })

  it('is not a start that nobody has answered yet', async () => {
    await using stage = await makeStage({ preparedMemory: 0 })
    const request = stage.request(stage.workload('echo > /ran; exit 5'))
    await stage.backend().create(request, new Map(), signal())
    const pid = stage.monitors().get(cellOf(stage, request.id)) ?? 0
    process.kill(pid, 'SIGSTOP')
    const starting = stage.backend().start(request.id, signal())
    assert.equal(await stateOf(stage, request.id), 'running')
    process.kill(pid, 'SIGCONT')
    await starting
    assert.equal((await stage.backend().wait(request.id, signal())).code, 5)
    await stage.remove(request)
  })
})

const noGvisor = skip || (existsSync('/usr/bin/runsc') ? false : 'runsc is not installed')

describe('gVisor', { skip: noGvisor }, () => {
  const limits = { cpus: 1, memory: 256 * 1024 * 1024, pids: 16, io: 100 * 1024 * 1024 }

  it('is not ended by the limit of processes, which its own threads count for', async () => {
    await using stage = await makeStage({ preparedMemory: 0 })
    for (let n = 0; n < 4; n++) {
      const started = await stage.start(stage.request(stage.workload('hostname; ls /; cat /etc/hosts; exit 5', { runtime: 'runsc', limits })))
      assert.equal(await exitCode(stage, started), 5)
      await stage.remove(started)
    }
  })

  it('is prepared for a host name, which it keeps, and gets its secrets and addresses later', async () => {
    await using stage = await makeStage()
    const workload = stage.workload('hostname; cat /etc/hostname /etc/hosts /run/secrets/key', { runtime: 'runsc', limits, secrets: ['key'] })
    const run = async (hostname: string, secret: string): Promise<{ start: string; lines: string[]; request: Parameters<Stage['start']>[0] }> => {
      const request = stage.request(workload, { hostname })
      const { start } = await stage.backend().create(request, new Map([['key', Buffer.from(secret)]]), signal())
      await stage.backend().start(request.id, signal())
      assert.equal((await stage.backend().wait(request.id, signal())).code, 0)
      return { start, lines: stage.log(request.id).split('\n'), request }
    }
    const all = [await run('web', 'one'), await run('web', 'two')]
    await until('one is prepared', () =>
      stage
        .backend()
        .pool()
        .prepared.some(({ ready }) => ready > 0),
    )
    all.push(await run('other', 'three'), await run('web', 'four'))
    assert.deepEqual(
      all.map(({ start, lines: [name, file, local, own, secret] }) => [start, name, file, local, own?.split('\t')[1], secret]),
      [
        ['cold', 'web', 'web', '127.0.0.1\tlocalhost', 'web', 'one'],
        ['cold', 'web', 'web', '127.0.0.1\tlocalhost', 'web', 'two'],
        ['cold', 'other', 'other', '127.0.0.1\tlocalhost', 'other', 'three'],
        ['prepared', 'web', 'web', '127.0.0.1\tlocalhost', 'web', 'four'],
      ],
    )
    await stage.remove(...all.map(({ request }) => request))
  })

  it('that refuses the command at its start is said not to have run', async () => {
    await using stage = await makeStage({ preparedMemory: 0 })
    const request = stage.request(stage.workload('', { runtime: 'runsc', limits, command: ['/no/such/program'] }))
    await stage.backend().create(request, new Map(), signal())
    await assert.rejects(stage.backend().start(request.id, signal()), { code: 'command_not_found' })
    assert.equal((await stage.backend().observe())[0]?.state, 'created')
    await stage.remove(request)
  })
})

describe('an exec', { skip }, () => {
  it('of what does not exist says so once', async () => {
    await using stage = await makeStage({ preparedMemory: 0 })
    const started = await stage.start(stage.request(stage.workload('sleep 1000')))
    const request = { command: ['/no/such/program'], env: {}, user: undefined, workdir: undefined, tty: false, rows: 24, columns: 80 }
    await using session = await stage.backend().exec(started.id, request, signal())
    for await (const { data } of session.output) assert.fail(`printed ${Buffer.from(data)}`)
    await assert.rejects(session.exit, { code: 'command_not_found', message: /^the command "\/no\/such\/program" is not in the image$/ })
    await stage.remove(started)
  })

  it('that meets the end of its instance says that, not that a container could not be created', async () => {
    await using stage = await makeStage({ preparedMemory: 0 })
    const request = { command: ['/bin/true'], env: {}, user: undefined, workdir: undefined, tty: false, rows: 24, columns: 80 }
    const refusals = new Set<string>()
    for (let n = 0; n < 12; n++) {
      const started = await stage.start(stage.request(stage.workload('sleep 1000')))
      const execs = Promise.allSettled(
        Array.from({ length: 4 }, async () => {
          await using session = await stage.backend().exec(started.id, request, signal())
          return await session.exit
        }),
      )
      await sleep(Math.random() * 40)
      await stage.backend().signal(started.id, 'SIGKILL')
      for (const outcome of await execs) {
        if (outcome.status === 'fulfilled') assert.ok(outcome.value === 0 || outcome.value === 137, String(outcome.value))
        else {
          refusals.add(outcome.reason.message)
          assert.equal(outcome.reason.code, 'wrong_state', outcome.reason.message)
        }
      }
      await stage.remove(started)
    }
    assert.ok(refusals.size > 0)
  })
})

describe('a slice', { skip }, () => {
  it('is not taken from a daemon that lives, whoever removed its folder', async () => {
    await using first = await makeStage({ preparedMemory: 0 })
    await using second = await makeStage({ preparedMemory: 0 })
    await second.shut()
    writeFileSync(join(second.stateDir, 'slice'), readFileSync(join(first.stateDir, 'slice')))
    rmSync(first.runDir, { recursive: true })
    await second.reopen()
    mkdirSync(join(first.runDir, 'instances'), { recursive: true })
    assert.notEqual(readFileSync(join(second.stateDir, 'slice'), 'utf8'), readFileSync(join(first.stateDir, 'slice'), 'utf8'))
  })
})
