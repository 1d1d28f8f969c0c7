/**
 * What every backend passes. `backendSuite` registers its tests; a backend's own test file gives it a way to open one.
 *
 * Each test opens a fixture of its own, and at its end nothing that says whose it is may be left (`owned()`). Times are real: limits here are generous and
 * nothing is asserted about how long a thing took.
 */
import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../base/clock.ts'
import type { ErrorCode } from '../base/errors.ts'
import { DayflyError } from '../base/errors.ts'
import { newEnvironmentId, newInstanceId } from '../base/ids.ts'
import type { ExecRequest, Session } from '../model/session.ts'
import type { WorkloadSpec } from '../model/workload.ts'
import type { Backend, EnvironmentRequest, InstanceRequest } from './backend.ts'

/** What a test's process does, in order; at the end it exits with 0. */
export type Action =
  /** Writes the text as it is: no newline is added. */
  | { readonly print: string; readonly to?: 'stdout' | 'stderr' }
  /** Writes `line 1\n` to `line N\n` to stdout. */
  | { readonly lines: number }
  /** Writes the value of an environment variable. */
  | { readonly variable: string }
  /** Writes the content of /run/secrets/NAME. */
  | { readonly secret: string }
  /** Copies stdin to stdout until its end. */
  | { readonly echo: true }
  /** From now on, also while it sleeps, this signal makes it exit with that code. Signals without are ignored by a first process, SIGKILL excepted. */
  | { readonly on: string; readonly exit: number }
  /** Milliseconds. Must be interruptible by a signal that has an `on` (in a shell: `sleep N & wait $!`). */
  | { readonly sleep: number }
  /** Takes memory until the limit ends it. */
  | { readonly oom: true }
  | { readonly exit: number }
export type Script = readonly Action[]

export interface BackendFixture extends AsyncDisposable {
  readonly backend: Backend
  readonly clock: Clock
  /** Folder for logs. */
  readonly folder: string
  /** A job that runs the script, with stdin and small limits. Tests change single fields of it. */
  workload(script: Script): WorkloadSpec
  /** argv of an exec that runs the script. */
  command(script: Script): readonly string[]
  /** Drops the backend as kill -9 of the daemon would, and opens another on the same kernel. */
  reopen(): Promise<Backend>
}

export interface Abilities {
  /** Reports that the memory limit ended a process. */
  readonly oom: boolean
}

export interface LoggedLine {
  readonly stream: string
  readonly flag: string
  readonly text: string
}

export const readRecords = async (path: string): Promise<LoggedLine[]> => {
  const text = await readFile(path, 'utf8')
  assert.ok(text === '' || text.endsWith('\n'), 'the last record is whole')
  return text
    .split('\n')
    .slice(0, -1)
    .map(line => {
      const found = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z (stdout|stderr) ([FP]) (.*)$/s.exec(line)
      assert.ok(found, `not a CRI log record: ${JSON.stringify(line)}`)
      return { stream: found[1] ?? '', flag: found[2] ?? '', text: found[3] ?? '' }
    })
}

/** What one stream of a log holds, byte for byte. */
export const contentOf = (records: readonly LoggedLine[], stream: 'stdout' | 'stderr'): string =>
  records
    .filter(record => record.stream === stream)
    .map(record => (record.flag === 'F' ? `${record.text}\n` : record.text))
    .join('')

const patience = 20_000
const long = 120_000
const signal = (): AbortSignal => AbortSignal.timeout(patience)

const code =
  (...expected: ErrorCode[]) =>
  (error: unknown): true => {
    assert.ok(error instanceof DayflyError, `a DayflyError, not ${String(error)}`)
    assert.ok(expected.includes(error.code), `${expected.join(' or ')}, not ${error.code}: ${error.message}`)
    return true
  }

const execRequest = (command: readonly string[], more: Partial<ExecRequest> = {}): ExecRequest => ({
  ...{ command, env: {}, user: undefined, workdir: undefined, tty: false, rows: 24, columns: 80 },
  ...more,
})

const collect = async (session: Session): Promise<{ stdout: string; stderr: string; exit: number }> => {
  const all = { stdout: '', stderr: '' }
  for await (const { stream, data } of session.output) all[stream] += Buffer.from(data).toString('utf8')
  return { ...all, exit: await session.exit }
}

interface Stage {
  readonly fixture: BackendFixture
  readonly environment: string
  request(script: Script, change?: Partial<WorkloadSpec>, more?: Partial<InstanceRequest>): InstanceRequest
  started(script: Script, change?: Partial<WorkloadSpec>, more?: Partial<InstanceRequest>): Promise<InstanceRequest>
  /** Resolves when stdout holds the text. */
  printed(request: InstanceRequest, text: string): Promise<void>
  backend(): Backend
  reopen(): Promise<void>
}

/** Runs a test on a fixture, takes down what it made, and checks that nothing is left. */
const onStage = (open: () => Promise<BackendFixture>, body: (stage: Stage) => Promise<void>) => async (): Promise<void> => {
  await using fixture = await open()
  const environment = newEnvironmentId()
  const made: string[] = []
  let backend = fixture.backend
  const request: Stage['request'] = (script, change = {}, more = {}) => {
    const id = newInstanceId()
    made.push(id)
    return {
      ...{ id, environment, hostname: 'stage', networks: [], workload: { ...fixture.workload(script), ...change } },
      ...{ deadline: fixture.clock.boot() + long, logPath: join(fixture.folder, `${id}.log`) },
      ...more,
    }
  }
  const stage: Stage = {
    fixture,
    environment,
    request,
    started: async (...what) => {
      const wanted = request(...what)
      await backend.create(wanted, new Map(), signal())
      await backend.start(wanted.id, signal())
      return wanted
    },
    printed: async ({ logPath }, text) => {
      for (const limit = signal(); ; await sleep(5)) {
        if (contentOf(await readRecords(logPath), 'stdout').includes(text)) return
        assert.ok(!limit.aborted, `the log never held ${JSON.stringify(text)}`)
      }
    },
    backend: () => backend,
    reopen: async () => {
      backend = await fixture.reopen()
    },
  }
  await body(stage)
  for (const id of made) await backend.remove(id, signal())
  await backend.removeEnvironment(environment, signal())
  assert.deepEqual(
    (await backend.owned()).filter(({ owner }) => owner !== undefined),
    [],
    'nothing is left',
  )
  assert.deepEqual(
    (await backend.observe()).filter(({ id }) => made.includes(id)),
    [],
  )
}

export const backendSuite = (name: string, open: () => Promise<BackendFixture>, abilities: Abilities): void => {
  const check = (what: string, body: (stage: Stage) => Promise<void>): void => {
    it(what, onStage(open, body))
  }

  describe(`the contract of a backend: ${name}`, () => {
    describe('output and exit', () => {
      check('what it printed is in the log when wait resolves, stdout and stderr apart', async ({ backend, started }) => {
        const made = await started([{ print: 'one\n' }, { print: 'two\n', to: 'stderr' }, { print: 'three\nfour' }, { exit: 3 }])
        const exit = await backend().wait(made.id, signal())
        assert.deepEqual(
          { code: exit.code, signal: exit.signal, oom: exit.oom, cause: exit.cause },
          { code: 3, signal: undefined, oom: false, cause: 'exit' },
        )
        const records = await readRecords(made.logPath)
        assert.equal(contentOf(records, 'stdout'), 'one\nthree\nfour')
        assert.equal(contentOf(records, 'stderr'), 'two\n')
        assert.equal(exit.droppedBytes, 0)
      })

      check('a large output is complete', async ({ backend, started }) => {
        const made = await started([{ lines: 20_000 }])
        assert.equal((await backend().wait(made.id, signal())).code, 0)
        const expected = Array.from({ length: 20_000 }, (_, index) => `line ${index + 1}\n`).join('')
        assert.equal(contentOf(await readRecords(made.logPath), 'stdout'), expected)
      })

      check('output beyond the limit is counted and not kept', async ({ backend, started }) => {
        const made = await started([{ lines: 2_000 }, { exit: 4 }], { logLimit: 4096 })
        const exit = await backend().wait(made.id, signal())
        const kept = Buffer.byteLength(contentOf(await readRecords(made.logPath), 'stdout'))
        const printed = Array.from({ length: 2_000 }, (_, index) => `line ${index + 1}\n`.length).reduce((sum, length) => sum + length, 0)
        assert.equal(exit.code, 4)
        assert.ok(kept <= 4096 + 1, `${kept} bytes kept`)
        assert.ok(kept > 2048, `${kept} bytes kept`)
        // The newline of the record that was cut off is added by the log's format.
        assert.ok(Math.abs(kept + exit.droppedBytes - printed) <= 1, `${kept} kept and ${exit.droppedBytes} dropped of ${printed}`)
        assert.ok(exit.droppedLines > 0)
      })

      check('nothing runs before start', async ({ backend, fixture, request }) => {
        const made = request([{ print: 'ran\n' }])
        const created = await backend().create(made, new Map(), signal())
        assert.ok(created.pid > 0)
        const seen = (await backend().observe()).find(({ id }) => id === made.id)
        assert.deepEqual({ state: seen?.state, environment: seen?.environment }, { state: 'created', environment: made.environment })
        await sleep(50)
        assert.equal(await readFile(made.logPath, 'utf8').catch(() => ''), '')
        await backend().start(made.id, signal())
        await backend().wait(made.id, signal())
        assert.equal(contentOf(await readRecords(made.logPath), 'stdout'), 'ran\n')
        assert.ok(fixture.clock.wall() > 0)
      })

      check('it gets its environment and its secrets', async ({ backend, fixture, request }) => {
        const script: Script = [{ variable: 'COLOUR' }, { print: '\n' }, { secret: 'token' }]
        const made = request(script, { secrets: ['token'], env: { ...fixture.workload(script).env, COLOUR: 'dark red' } })
        await backend().create(made, new Map([['token', Buffer.from('s3cret\n')]]), signal())
        await backend().start(made.id, signal())
        assert.equal((await backend().wait(made.id, signal())).code, 0)
        assert.equal(contentOf(await readRecords(made.logPath), 'stdout'), 'dark red\ns3cret\n')
      })

      check('stdin is empty when none is asked for', async ({ backend, started }) => {
        const made = await started([{ echo: true }, { exit: 5 }], { stdin: false })
        assert.equal((await backend().wait(made.id, signal())).code, 5)
      })

      check('a command that does not exist is refused as such', async ({ backend, request }) => {
        const made = request([], { command: ['/no/such/program'] })
        const attempt = async (): Promise<void> => {
          await backend().create(made, new Map(), signal())
          await backend().start(made.id, signal())
        }
        await assert.rejects(attempt(), code('command_not_found'))
      })

      if (abilities.oom) {
        check('the end by the memory limit is told', async ({ backend, started }) => {
          const exit = await backend().wait((await started([{ oom: true }, { exit: 0 }])).id, signal())
          assert.equal(exit.oom, true)
          assert.notEqual(exit.code, 0)
        })
      }
    })

    describe('wait', () => {
      check('answers everybody, also after the end', async ({ backend, started }) => {
        const { id } = await started([{ sleep: 50 }, { exit: 9 }])
        const exits = await Promise.all([backend().wait(id, signal()), backend().wait(id, signal())])
        assert.deepEqual(
          [...exits, await backend().wait(id, signal())].map(exit => exit.code),
          [9, 9, 9],
        )
      })

      check('stops waiting when the signal aborts, and the instance goes on', async ({ backend, started }) => {
        const { id } = await started([{ on: 'SIGTERM', exit: 6 }, { print: 'ready\n' }, { sleep: long }])
        const controller = new AbortController()
        const waiting = backend().wait(id, controller.signal)
        controller.abort()
        await assert.rejects(waiting, code('aborted'))
        assert.equal((await backend().observe()).find(seen => seen.id === id)?.state, 'running')
      })

      check('of something unknown is not_found', async ({ backend }) => {
        await assert.rejects(backend().wait(newInstanceId(), signal()), code('not_found'))
      })
    })

    describe('signals and deadlines', () => {
      check('a signal reaches the first process', async ({ backend, started, printed }) => {
        const made = await started([{ on: 'SIGUSR1', exit: 17 }, { print: 'ready\n' }, { sleep: long }])
        await printed(made, 'ready')
        await backend().signal(made.id, 'SIGUSR1')
        const exit = await backend().wait(made.id, signal())
        assert.deepEqual({ code: exit.code, signal: exit.signal, cause: exit.cause }, { code: 17, signal: undefined, cause: 'exit' })
      })

      check('SIGKILL ends what ignores everything', async ({ backend, started }) => {
        const { id } = await started([{ sleep: long }])
        await backend().signal(id, 'SIGKILL')
        const exit = await backend().wait(id, signal())
        assert.deepEqual({ code: exit.code, signal: exit.signal, oom: exit.oom }, { code: 137, signal: 9, oom: false })
      })

      check('a signal to what has ended does nothing', async ({ backend, started }) => {
        const { id } = await started([{ exit: 2 }])
        await backend().wait(id, signal())
        await backend().signal(id, 'SIGTERM')
        assert.equal((await backend().wait(id, signal())).code, 2)
      })

      check('at the deadline comes the stop signal', async ({ backend, fixture, started, printed }) => {
        const script: Script = [{ on: 'SIGTERM', exit: 21 }, { print: 'ready\n' }, { sleep: long }]
        const made = await started(script, { grace: 10_000 })
        await printed(made, 'ready') // On a slow machine a deadline from before the start would come before the script can take the signal.
        await backend().setDeadline(made.id, fixture.clock.boot() + 100)
        const exit = await backend().wait(made.id, signal())
        assert.deepEqual({ code: exit.code, cause: exit.cause }, { code: 21, cause: 'deadline' })
      })

      check('and SIGKILL when the grace is over, the log being complete', async ({ backend, fixture, started }) => {
        const made = await started([{ print: 'before\n' }, { sleep: long }], { grace: 100 }, { deadline: fixture.clock.boot() + 500 })
        const exit = await backend().wait(made.id, signal())
        assert.deepEqual({ code: exit.code, signal: exit.signal, cause: exit.cause }, { code: 137, signal: 9, cause: 'deadline' })
        assert.equal(contentOf(await readRecords(made.logPath), 'stdout'), 'before\n')
      })

      check('the deadline is kept while no daemon lives', async ({ backend, fixture, started, reopen }) => {
        const made = await started([{ sleep: long }], { grace: 50 }, { deadline: fixture.clock.boot() + 500 })
        await reopen()
        const exit = await backend().wait(made.id, signal())
        assert.deepEqual({ code: exit.code, cause: exit.cause }, { code: 137, cause: 'deadline' })
      })

      check('a deadline can be moved, out and in', async ({ backend, fixture, started }) => {
        const made = await started([{ sleep: long }], { grace: 0 })
        await backend().setDeadline(made.id, fixture.clock.boot() + 900)
        await backend().setDeadline(made.id, fixture.clock.boot() + long)
        await sleep(1_000)
        assert.equal((await backend().observe()).find(({ id }) => id === made.id)?.state, 'running')
        await backend().setDeadline(made.id, fixture.clock.boot() + 100)
        assert.equal((await backend().wait(made.id, signal())).cause, 'deadline')
      })
    })

    describe('files', () => {
      const sleeper: Script = [{ on: 'SIGTERM', exit: 0 }, { sleep: long }]
      const usual = { mode: undefined, owner: undefined, parents: true }
      async function* pieces(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
        for (const text of texts) yield Buffer.from(text)
      }
      const textOf = async (content: AsyncIterable<Uint8Array>): Promise<string> => Buffer.concat(await Array.fromAsync(content)).toString()

      check('what is written is read, listed, renamed and removed', async ({ backend, started }) => {
        const { id } = await started(sleeper)
        const files = await backend().files(id, undefined, signal())
        assert.equal(await files.write('/tmp/a/b/one', pieces('first ', 'second'), { ...usual, mode: 0o640 }), 12)
        assert.equal(await textOf((await files.read('/tmp/a/b/one', 0, 1000)).content), 'first second')
        assert.equal(await textOf((await files.read('/tmp/a/b/one', 6, 3)).content), 'sec')
        const { type, mode, size } = await files.stat('/tmp/a/b/one')
        assert.deepEqual({ type, mode, size }, { type: 'file', mode: 0o640, size: 12 })
        assert.equal(await files.write('/tmp/a/b/one', pieces('again'), usual), 5)
        assert.equal((await files.stat('/tmp/a/b/one')).mode, 0o640, 'what is written again keeps its mode')
        assert.equal(await files.makeFolder('/tmp/a/c', usual), true)
        assert.equal(await files.makeFolder('/tmp/a/c', usual), false)
        await files.rename('/tmp/a/b', '/tmp/a/c/d')
        const listed = await files.list('/tmp/a', 9, 100)
        assert.deepEqual(
          listed.entries.map(({ path }) => path),
          ['/tmp/a/c', '/tmp/a/c/d', '/tmp/a/c/d/one'],
        )
        assert.equal(listed.more, false)
        assert.deepEqual(
          (await files.list('/tmp/a', 1, 100)).entries.map(entry => entry.path),
          ['/tmp/a/c'],
        )
        assert.equal((await files.list('/tmp/a', 9, 2)).more, true)
        await assert.rejects(files.remove('/tmp/a', false), code('conflict'))
        assert.equal(await files.remove('/tmp/a', true), 4)
        await assert.rejects(files.stat('/tmp/a'), code('not_found'))
      })

      check('what is not there, or no file, says so', async ({ backend, started }) => {
        const { id } = await started(sleeper)
        const files = await backend().files(id, undefined, signal())
        await assert.rejects(files.read('/tmp/none', 0, 10), code('not_found'))
        await assert.rejects(files.read('/tmp', 0, 10), code('invalid'))
        await assert.rejects(files.list('/tmp/none', 1, 10), code('not_found'))
        await assert.rejects(files.write('/tmp/none/of/them', pieces('x'), { ...usual, parents: false }), code('not_found'))
        await assert.rejects(files.remove('/tmp/none', true), code('not_found'))
        await assert.rejects(files.rename('/tmp/none', '/tmp/some'), code('not_found'))
        await assert.rejects(files.watch('/tmp/none', false), code('not_found'))
      })

      check('what is given up on the way leaves the file of before', async ({ backend, started }) => {
        const { id } = await started(sleeper)
        const files = await backend().files(id, undefined, signal())
        await files.write('/tmp/kept', pieces('before'), usual)
        const broken = async function* (): AsyncGenerator<Uint8Array> {
          yield Buffer.alloc(200_000, 97)
          throw new DayflyError('disconnected', 'the client is gone')
        }
        await assert.rejects(files.write('/tmp/kept', broken(), usual), code('disconnected'))
        assert.equal(await textOf((await files.read('/tmp/kept', 0, 1000)).content), 'before')
      })

      check('changes are told as they happen, until nobody listens', async ({ backend, started }) => {
        const { id } = await started(sleeper)
        const enough = new AbortController()
        const files = await backend().files(id, undefined, AbortSignal.any([signal(), enough.signal]))
        const other = await backend().files(id, undefined, signal())
        await other.makeFolder('/tmp/seen', usual)
        const changes = (await files.watch('/tmp/seen', true))[Symbol.asyncIterator]()
        await other.makeFolder('/tmp/seen/deep', usual)
        assert.deepEqual((await changes.next()).value, { type: 'create', path: '/tmp/seen/deep' })
        await other.remove('/tmp/seen/deep', true)
        let last = await changes.next()
        while (!last.done && last.value.type !== 'remove') last = await changes.next()
        assert.equal(last.value?.path, '/tmp/seen/deep')
        const rest = changes.next()
        enough.abort()
        await rest.then(
          ({ done }) => assert.equal(done, true),
          error => assert.equal(error.code, 'aborted'),
        )
      })

      check('files of what has ended are refused', async ({ backend, started }) => {
        const { id } = await started([])
        await backend().wait(id, signal())
        const attempt = async (): Promise<unknown> => (await backend().files(id, undefined, signal())).stat('/tmp')
        await assert.rejects(attempt(), code('wrong_state', 'not_found'))
      })
    })

    describe('exec and attach', () => {
      const sleeper: Script = [{ on: 'SIGTERM', exit: 0 }, { print: 'ready\n' }, { sleep: long }]

      check('an exec has its own output and exit code, which are not in the log', async ({ backend, fixture, started, printed }) => {
        const made = await started(sleeper)
        await printed(made, 'ready')
        const command = fixture.command([{ print: 'out\n' }, { print: 'err\n', to: 'stderr' }, { exit: 12 }])
        await using session = await backend().exec(made.id, execRequest(command), signal())
        assert.deepEqual(await collect(session), { stdout: 'out\n', stderr: 'err\n', exit: 12 })
        assert.equal(contentOf(await readRecords(made.logPath), 'stdout'), 'ready\n')
      })

      check('an exec reads stdin and has the environment it is given', async ({ backend, fixture, started }) => {
        const { id } = await started(sleeper)
        const command = fixture.command([{ variable: 'SHAPE' }, { echo: true }, { exit: 1 }])
        await using session = await backend().exec(id, execRequest(command, { env: { SHAPE: 'round ' } }), signal())
        const input = Buffer.from(`${'0123456789abcdef'.repeat(8192)}\n`)
        for (let at = 0; at < input.length; at += 16_384) {
          session.write(input.subarray(at, at + 16_384))
          await session.drained()
        }
        session.write(null)
        const result = await collect(session)
        assert.equal(result.exit, 1)
        assert.equal(result.stdout, `round ${input.toString('utf8')}`)
      })

      check('a signal of the session reaches the exec, which ends with 128 and its number', async ({ backend, fixture, started }) => {
        const { id } = await started(sleeper)
        await using session = await backend().exec(id, execRequest(fixture.command([{ print: 'up\n' }, { sleep: long }])), signal())
        const output = session.output[Symbol.asyncIterator]()
        await output.next()
        session.signal('SIGKILL')
        assert.equal(await session.exit, 137)
      })

      check('the end of the instance ends its execs', async ({ backend, fixture, started }) => {
        const { id } = await started(sleeper)
        await using session = await backend().exec(id, execRequest(fixture.command([{ print: 'up\n' }, { sleep: long }])), signal())
        await session.output[Symbol.asyncIterator]().next()
        await backend().signal(id, 'SIGKILL')
        await backend().wait(id, signal())
        assert.notEqual(await session.exit.catch(() => 'ended'), 0)
      })

      check('an exec of what does not exist says so', async ({ backend, started }) => {
        const { id } = await started(sleeper)
        const attempt = async (): Promise<void> => {
          await using session = await backend().exec(id, execRequest(['/no/such/program']), signal())
          await collect(session)
        }
        await assert.rejects(attempt(), code('command_not_found'))
      })

      check('an exec in what has ended is refused', async ({ backend, fixture, started }) => {
        const { id } = await started([])
        await backend().wait(id, signal())
        await assert.rejects(backend().exec(id, execRequest(fixture.command([])), signal()), code('wrong_state', 'not_found'))
      })

      check('attach writes to the first process, whose output goes to the log', async ({ backend, started }) => {
        const made = await started([{ echo: true }, { exit: 8 }], { stdin: true })
        await using session = await backend().attach(made.id, signal())
        session.write(Buffer.from('typed\n'))
        session.write(null)
        assert.equal(await session.exit, 8)
        assert.equal((await backend().wait(made.id, signal())).code, 8)
        assert.equal(contentOf(await readRecords(made.logPath), 'stdout'), 'typed\n')
      })

      check('a detach leaves the first process alone', async ({ backend, started, printed }) => {
        const made = await started(sleeper, { stdin: true })
        await printed(made, 'ready')
        const session = await backend().attach(made.id, signal())
        await session[Symbol.asyncDispose]()
        await sleep(50)
        assert.equal((await backend().observe()).find(({ id }) => id === made.id)?.state, 'running')
      })
    })

    describe('removal', () => {
      const removal = (state: string, prepare: (stage: Stage) => Promise<InstanceRequest>): void =>
        check(`from ${state}, twice, leaves nothing but the log`, async stage => {
          const made = await prepare(stage)
          const backend = stage.backend()
          await backend.remove(made.id, signal())
          await backend.remove(made.id, signal())
          assert.deepEqual(
            (await backend.owned()).filter(({ owner }) => owner === made.id),
            [],
          )
          assert.equal(
            (await backend.observe()).find(({ id }) => id === made.id),
            undefined,
          )
          await assert.rejects(backend.wait(made.id, signal()), code('not_found'))
          await readFile(made.logPath).catch((error: unknown) => {
            if (state !== 'nothing' && state !== 'created') throw error
          })
        })

      removal('nothing', async ({ request }) => request([]))
      removal('created', async ({ backend, request }) => {
        const made = request([])
        await backend().create(made, new Map(), signal())
        return made
      })
      removal('running', ({ started }) => started([{ print: 'x\n' }, { sleep: long }]))
      removal('exited', async ({ backend, started }) => {
        const made = await started([{ print: 'x\n' }])
        await backend().wait(made.id, signal())
        return made
      })
      removal('running under a daemon that died', async ({ started, reopen }) => {
        const made = await started([{ print: 'x\n' }, { sleep: long }])
        await reopen()
        return made
      })
      removal('exited under a daemon that died', async ({ backend, started, reopen }) => {
        const made = await started([{ print: 'x\n' }])
        await backend().wait(made.id, signal())
        await reopen()
        return made
      })

      check('of one instance leaves the others of its environment alone', async ({ backend, started }) => {
        const first = await started([{ sleep: long }])
        const second = await started([{ on: 'SIGUSR2', exit: 3 }, { sleep: long }])
        await backend().remove(first.id, signal())
        assert.equal((await backend().observe()).find(({ id }) => id === second.id)?.state, 'running')
        await backend().remove(second.id, signal())
      })

      check('of an environment can be repeated, and needs no environment', async ({ backend, environment, started }) => {
        const { id } = await started([])
        await backend().remove(id, signal())
        await backend().removeEnvironment(environment, signal())
        await backend().removeEnvironment(environment, signal())
        await backend().removeEnvironment(newEnvironmentId(), signal())
      })
    })

    describe('creation', () => {
      check('of an id that exists is a conflict, and harms nothing', async ({ backend, started }) => {
        const made = await started([{ sleep: long }])
        await assert.rejects(backend().create(made, new Map(), signal()), code('conflict'))
        assert.equal((await backend().observe()).find(({ id }) => id === made.id)?.state, 'running')
      })

      check('that is cancelled leaves nothing', async ({ backend, request }) => {
        const made = request([])
        await assert.rejects(backend().create(made, new Map(), AbortSignal.abort()), code('aborted'))
        assert.deepEqual(
          (await backend().owned()).filter(({ owner }) => owner === made.id),
          [],
        )
      })

      check('of many at once', async ({ backend, started }) => {
        const made = await Promise.all(Array.from({ length: 8 }, (_, index) => started([{ print: `${index}\n` }, { exit: index }])))
        const exits = await Promise.all(made.map(({ id }) => backend().wait(id, signal())))
        assert.deepEqual(
          exits.map(exit => exit.code),
          made.map((_, index) => index),
        )
        for (const [index, { logPath }] of made.entries()) assert.equal(contentOf(await readRecords(logPath), 'stdout'), `${index}\n`)
      })
    })

    describe('environments', () => {
      const prepared = (environment: string, change: Partial<EnvironmentRequest> = {}): EnvironmentRequest => ({
        ...{ id: environment, networks: {}, volumes: [], configs: new Map() },
        ...change,
      })
      async function* bytes(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
        for (const text of texts) yield Buffer.from(text)
      }

      check(
        'are prepared, and prepared again, whatever is in them; their instances have addresses of their own',
        async ({ backend, environment, started }) => {
          await backend().prepareEnvironment(prepared(environment), signal())
          await backend().prepareEnvironment(prepared(environment, { volumes: ['data'] }), signal())
          const made = await Promise.all([started([{ sleep: long }]), started([{ sleep: long }])])
          await backend().prepareEnvironment(prepared(environment, { volumes: ['data', 'more'] }), signal())
          const seen = (await backend().observe()).filter(({ id }) => made.some(one => one.id === id))
          assert.deepEqual(
            seen.map(({ state }) => state),
            ['running', 'running'],
          )
        },
      )

      check('that never had an instance leave nothing', async ({ backend, environment, reopen }) => {
        await backend().prepareEnvironment(prepared(environment, { volumes: ['data'], configs: new Map([['one', Buffer.from('1')]]) }), signal())
        await reopen()
        await backend().removeEnvironment(environment, signal())
        await backend().removeEnvironment(environment, signal())
      })

      check('tell instances apart by address', async ({ backend, environment, request }) => {
        await backend().prepareEnvironment(prepared(environment), signal())
        const all = await Promise.all(Array.from({ length: 3 }, () => backend().create(request([{ sleep: long }]), new Map(), signal())))
        assert.equal(new Set(all.map(({ address }) => address)).size, 3)
        assert.ok(all.every(({ address }) => /^\d+\.\d+\.\d+\.\d+$/.test(address ?? '')))
      })

      check(
        'have names, which are told as a whole, also by the next daemon, and may stand for what has ended',
        async ({ backend, environment, started, reopen }) => {
          await backend().prepareEnvironment(prepared(environment, { networks: { front: { internal: false } } }), signal())
          const made = await started([{ sleep: long }], {}, { networks: ['front'] })
          const names = [
            { name: 'web', network: 'front', instances: [made.id, newInstanceId()] },
            { name: 'nobody', network: undefined, instances: [] },
          ]
          await backend().setNames(environment, names)
          await backend().setNames(environment, names)
          await reopen()
          await backend().prepareEnvironment(prepared(environment, { networks: { front: { internal: false } } }), signal())
          await backend().setNames(environment, names)
          await backend().remove(made.id, signal())
          await backend().setNames(environment, names)
          await backend().setNames(environment, [])
        },
      )

      check('have volumes that are filled before they are used, and none that nobody declared', async ({ backend, environment }) => {
        await backend().prepareEnvironment(prepared(environment, { volumes: ['data'] }), signal())
        const empty = () => bytes('\0'.repeat(1000), '\0'.repeat(24))
        await backend().seedVolume(environment, 'data', empty(), signal())
        await backend().seedVolume(environment, 'data', empty(), signal())
        await assert.rejects(backend().seedVolume(environment, 'other', empty(), signal()), code('not_found'))
        await assert.rejects(backend().seedVolume(newEnvironmentId(), 'data', empty(), signal()), code('not_found'))
      })

      check('are counted on disk, with their instances; what is not there has nothing', async ({ backend, environment, started }) => {
        await backend().prepareEnvironment(prepared(environment, { volumes: ['data'] }), signal())
        await started([{ sleep: long }])
        const unknown = newEnvironmentId()
        const sizes = await backend().disk([environment, unknown], signal())
        assert.deepEqual([...sizes.keys()], [environment, unknown])
        assert.ok((sizes.get(environment) ?? -1) >= 0)
        assert.equal(sizes.get(unknown), 0)
        assert.equal((await backend().disk([environment], AbortSignal.abort())).size, 0)
      })

      check('that nobody was denied anything in have nothing to tell', async ({ backend, environment, started }) => {
        await started([{ exit: 0 }])
        assert.deepEqual(await backend().denied(environment), [])
        assert.deepEqual(await backend().denied(newEnvironmentId()), [])
      })
    })

    describe('isolation', () => {
      check(
        'what is isolated runs on and ends as it would, and so does what comes later; the next daemon may ask again',
        async ({ backend, started, reopen }) => {
          const made = await started([{ on: 'SIGTERM', exit: 4 }, { sleep: long }])
          await backend().isolate(made.environment)
          await backend().isolate(made.environment)
          assert.equal((await backend().observe()).find(({ id }) => id === made.id)?.state, 'running')
          await reopen()
          await backend().isolate(made.environment)
          await backend().signal(made.id, 'SIGTERM')
          assert.equal((await backend().wait(made.id, signal())).code, 4)
        },
      )

      check('it may come before there is anything, and leaves nothing', async ({ backend }) => {
        const environment = newEnvironmentId()
        await backend().isolate(environment)
        await backend().prepareEnvironment({ id: environment, networks: {}, volumes: [], configs: new Map() }, signal())
        await backend().removeEnvironment(environment, signal())
      })
    })

    describe('pauses', () => {
      check('what is paused is running, can be paused and resumed again, and goes on', async ({ backend, started }) => {
        const made = await started([{ sleep: 200 }, { exit: 6 }])
        await backend().pause(made.id)
        await backend().pause(made.id)
        assert.equal((await backend().observe()).find(({ id }) => id === made.id)?.state, 'running')
        await backend().resume(made.id)
        await backend().resume(made.id)
        assert.equal((await backend().wait(made.id, signal())).code, 6)
        await backend().resume(made.id)
        await assert.rejects(backend().pause(made.id), code('wrong_state'))
        await assert.rejects(backend().pause(newInstanceId()), code('not_found'))
      })

      check('its deadline is kept all the same', async ({ backend, fixture, started }) => {
        const made = await started([{ sleep: long }], { grace: 100 }, { deadline: fixture.clock.boot() + 1000 })
        await backend().pause(made.id)
        assert.equal((await backend().wait(made.id, signal())).cause, 'deadline')
      })

      check('SIGKILL ends it where it stands', async ({ backend, started, printed }) => {
        const made = await started([{ on: 'SIGTERM', exit: 33 }, { print: 'up\n' }, { sleep: long }, { print: 'awake\n' }])
        await printed(made, 'up')
        await backend().pause(made.id)
        await backend().signal(made.id, 'SIGKILL')
        assert.equal((await backend().wait(made.id, signal())).signal, 9)
        assert.equal(contentOf(await readRecords(made.logPath), 'stdout'), 'up\n')
      })

      check('so does an abrupt deadline, unless it is taken back', async ({ backend, fixture, started, printed }) => {
        const script = [{ on: 'SIGTERM', exit: 33 }, { print: 'up\n' }, { sleep: long }] as const
        const [one, other] = [await started([...script], { grace: 60_000 }), await started([...script], { grace: 60_000 })]
        for (const made of [one, other]) {
          await printed(made, 'up')
          await backend().pause(made.id)
          await backend().setDeadline(made.id, fixture.clock.boot() + 60_000, true)
        }
        await backend().setDeadline(other.id, fixture.clock.boot() + 500)
        await backend().setDeadline(one.id, fixture.clock.boot() + 500, true)
        const [killed, stopped] = [await backend().wait(one.id, signal()), await backend().wait(other.id, signal())]
        assert.deepEqual([killed.signal, killed.cause], [9, 'deadline'])
        assert.deepEqual([stopped.code, stopped.cause], [33, 'deadline'])
      })

      check('evidence is taken of what stands still; one process that is gone is not killed', async ({ backend, fixture, started }) => {
        const made = await started([{ sleep: long }])
        assert.equal(await backend().killProcess(made.id, { pid: 2 ** 22 - 1, start: 1 }), false)
        await assert.rejects(backend().killProcess(newInstanceId(), { pid: 1, start: 1 }), code('not_found'))
        await backend().pause(made.id)
        const folder = await mkdtemp(join(fixture.folder, 'evidence-'))
        const { files } = await backend().takeEvidence(made.id, { folder, mostBytes: 1e8, secrets: [] }, signal())
        assert.ok(files.includes('processes.json'))
        assert.deepEqual((await readdir(folder)).toSorted(), files.toSorted())
        await assert.rejects(backend().takeEvidence(newInstanceId(), { folder, mostBytes: 1e8, secrets: [] }, signal()), code('not_found'))
      })

      check('it can be removed, by the next daemon too', async ({ backend, started, reopen }) => {
        const [one, other] = [await started([{ sleep: long }]), await started([{ sleep: long }])]
        for (const { id } of [one, other]) await backend().pause(id)
        await backend().remove(one.id, signal())
        await reopen()
        await backend().remove(other.id, signal())
      })

      check('what is used is told of those that are there', async ({ backend, started }) => {
        const made = await started([{ sleep: long }])
        const used = (await backend().usage()).get(made.id)
        assert.ok(used !== undefined && used.cpu >= 0 && used.memory >= 0)
        await backend().remove(made.id, signal())
        assert.equal((await backend().usage()).get(made.id), undefined)
      })
    })

    describe('a daemon that died', () => {
      check('what ran runs on, is seen, and its end and output are complete', async ({ backend, started, reopen, printed }) => {
        const made = await started([{ on: 'SIGTERM', exit: 33 }, { print: 'first\n' }, { sleep: 300 }, { print: 'second\n' }, { sleep: long }])
        await printed(made, 'first')
        await reopen()
        const seen = (await backend().observe()).find(({ id }) => id === made.id)
        assert.equal(seen?.state, 'running')
        assert.equal(seen.environment, made.environment)
        assert.ok((seen.pid ?? 0) > 0)
        await printed(made, 'second')
        await backend().signal(made.id, 'SIGTERM')
        assert.equal((await backend().wait(made.id, signal())).code, 33)
        assert.equal(contentOf(await readRecords(made.logPath), 'stdout'), 'first\nsecond\n')
      })

      check('what exited meanwhile is seen with its status', async ({ backend, started, reopen }) => {
        const made = await started([{ sleep: 200 }, { print: 'last words\n' }, { exit: 44 }])
        await reopen()
        assert.equal((await backend().wait(made.id, signal())).code, 44)
        await reopen()
        const seen = (await backend().observe()).find(({ id }) => id === made.id)
        assert.deepEqual({ state: seen?.state, code: seen?.exit?.code }, { state: 'exited', code: 44 })
        assert.equal(contentOf(await readRecords(made.logPath), 'stdout'), 'last words\n')
      })

      check('what was created and not started never runs', async ({ backend, request, reopen }) => {
        const made = request([{ print: 'ran\n' }])
        await backend().create(made, new Map(), signal())
        await reopen()
        const seen = (await backend().observe()).find(({ id }) => id === made.id)
        assert.ok(seen === undefined || seen.state === 'created' || seen.state === 'gone', `seen as ${seen?.state}`)
        await backend().remove(made.id, signal())
        assert.equal(await readFile(made.logPath, 'utf8').catch(() => ''), '')
      })

      check('an exec works under the next daemon', async ({ backend, fixture, started, reopen }) => {
        const { id } = await started([{ sleep: long }])
        await reopen()
        await using session = await backend().exec(id, execRequest(fixture.command([{ print: 'hello\n' }])), signal())
        assert.deepEqual(await collect(session), { stdout: 'hello\n', stderr: '', exit: 0 })
      })
    })
  })
}
