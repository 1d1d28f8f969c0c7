/** The SDK against a daemon on the fake backend: everything but the kernel is real. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { doing, startFake } from '../../test/cli/fake.ts'
import {
  CommandExitError,
  DayflyError,
  Environment,
  InvalidError,
  NotFoundError,
  NotReadyError,
  run,
  Sandbox,
  TimeoutError,
  UnreachableError,
  WrongStateError,
} from './index.ts'

const sleeping = doing({ on: 'SIGTERM', exit: 0 }, { sleep: 3_600_000 })

describe('the SDK', () => {
  let site: Awaited<ReturnType<typeof startFake>>
  let socket = ''
  before(async () => {
    site = await startFake()
    socket = join(site.runDir, 'dayfly.sock')
  })
  after(async () => await site[Symbol.asyncDispose]())
  const sandbox = (more: Partial<Parameters<typeof Sandbox.create>[0]> = {}): Promise<Sandbox> =>
    Sandbox.create({ socket, image: 'fake', command: sleeping, ...more })

  test('run: output, exit code, what it is told as it comes, and nothing is left', async () => {
    const heard: string[] = []
    const script = doing({ print: 'größe\n' }, { print: 'oh\n', to: 'stderr' }, { echo: true }, { exit: 7 })
    const result = await run('fake', script, { socket, stdin: 'given', onStdout: text => heard.push(text) })
    assert.equal(result.exitCode, 7)
    assert.equal(result.stdout, 'größe\ngiven')
    assert.equal(result.stderr, 'oh\n')
    assert.equal(heard.join(''), result.stdout)
    assert.equal(result.environment.state, 'ended')
  })

  test('run: given up, it is ended', async () => {
    const enough = new AbortController()
    const running = run('fake', doing({ print: 'up\n' }, { sleep: 3_600_000 }), { socket, signal: enough.signal, onStdout: () => enough.abort() })
    await assert.rejects(running, { name: 'DayflyError', code: 'aborted' })
    assert.deepEqual(await site.client.environments(), [])
  })

  test('a sandbox lives until it is disposed, and is listed by what it was given', async () => {
    let id = ''
    {
      await using made = await sandbox({ metadata: { colour: 'blue' }, timeoutMs: 60_000, name: 'blue-one' })
      await using _other = await sandbox()
      id = made.sandboxId
      const listed = await Sandbox.list({ socket, metadata: { colour: 'blue' } })
      assert.deepEqual(
        listed.map(({ sandboxId, name, metadata, image, state }) => ({ sandboxId, name, metadata, image, state })),
        [{ sandboxId: id, name: 'blue-one', metadata: { colour: 'blue' }, image: 'fake', state: 'running' }],
      )
      assert.equal((await Sandbox.list({ socket })).length, 2)
      const before = (await made.getInfo()).endAt?.getTime() ?? 0
      await made.setTimeout(3_600_000)
      assert.ok(((await made.getInfo()).endAt?.getTime() ?? 0) > before)
      assert.equal((await Sandbox.connect('blue-one', { socket })).sandboxId, id)
      assert.equal(await made.isRunning(), true)
    }
    assert.deepEqual(await Sandbox.list({ socket }), [])
    await assert.rejects(Sandbox.connect(id, { socket }), WrongStateError)
  })

  test('commands: to their end, in the background, too late', async () => {
    await using made = await sandbox()
    const { commands } = made
    assert.deepEqual(await commands.run(doing({ variable: 'SHAPE' }, { print: '!\n' }), { envs: { SHAPE: 'round' } }), {
      exitCode: 0,
      stdout: 'round!\n',
      stderr: '',
    })
    await assert.rejects(commands.run(doing({ print: 'a reason\n', to: 'stderr' }, { exit: 9 })), (error: unknown) => {
      assert.ok(error instanceof CommandExitError && error instanceof DayflyError)
      assert.deepEqual([error.exitCode, error.stderr, error.code], [9, 'a reason\n', 'exit_code'])
      return true
    })
    await assert.rejects(commands.run(['/no/such/program']), NotFoundError)
    await assert.rejects(commands.run(doing({ sleep: 3_600_000 }), { timeoutMs: 50 }), TimeoutError)
    const echo = await commands.run(doing({ echo: true }), { background: true })
    assert.deepEqual(commands.list(), [echo])
    await echo.sendInput('typed')
    echo.closeInput()
    assert.equal((await echo.wait()).stdout, 'typed')
    const endless = await commands.run(doing({ sleep: 3_600_000 }), { background: true })
    assert.equal(await endless.kill(), true)
    assert.equal(endless.exitCode, 137)
    assert.equal(await endless.kill(), false)
    assert.deepEqual(commands.list(), [])
  })

  test('files: written, read, listed, watched, and in the record', async () => {
    await using made = await sandbox()
    const { files } = made
    const written = await files.write('/data/deep/one.txt', 'größe', { mode: 0o600 })
    assert.deepEqual(written, { path: '/data/deep/one.txt', bytes: 7, sha256: createHash('sha256').update('größe').digest('hex') })
    assert.equal(await files.read('/data/deep/one.txt'), 'größe')
    assert.deepEqual(await files.read('/data/deep/one.txt', { format: 'bytes', offset: 2, limit: 2 }), new Uint8Array(Buffer.from('ö')))
    const pieces = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from('one, ')
      yield Buffer.from('two')
    }
    await files.write('/data/two.txt', pieces())
    const streamed = await Array.fromAsync(await files.read('/data/two.txt', { format: 'stream' }))
    assert.equal(Buffer.concat(streamed).toString(), 'one, two')
    assert.deepEqual(
      (await files.list('/data', { depth: 2 })).map(({ path, type }) => `${type} ${path}`),
      ['folder /data/deep', 'file /data/deep/one.txt', 'file /data/two.txt'],
    )
    assert.equal((await files.getInfo('/data/deep/one.txt')).mode, 0o600)
    assert.deepEqual([await files.exists('/data'), await files.exists('/none')], [true, false])
    assert.deepEqual([await files.makeDir('/data/new'), await files.makeDir('/data/new')], [true, false])
    await assert.rejects(files.read('/none'), (error: unknown) => error instanceof NotFoundError && error.field === 'path')
    await assert.rejects(files.read('relative'), (error: unknown) => error instanceof InvalidError && error.field === 'path')

    await using watch = await files.watch('/data/new')
    await files.write('/data/new/three', 'x')
    const seen: string[] = []
    for await (const { type, path } of watch) {
      seen.push(`${type} ${path}`)
      if (type === 'write') break
    }
    assert.deepEqual(seen, ['create /data/new/three', 'write /data/new/three'])
    await files.rename('/data/new/three', '/data/four')
    await files.remove('/data')
    assert.equal(await files.exists('/data'), false)

    const record = await site.client.events({ environment: made.sandboxId })
    const noted = record.filter(({ type }) => type.startsWith('file.')).map(({ type, data }) => `${type} ${data['path']}`)
    assert.deepEqual(noted, [
      'file.written /data/deep/one.txt',
      'file.read /data/deep/one.txt',
      'file.read /data/deep/one.txt',
      'file.written /data/two.txt',
      'file.read /data/two.txt',
      'file.made /data/new',
      'file.watched /data/new',
      'file.written /data/new/three',
      'file.renamed /data/new/three',
      'file.removed /data',
    ])
    const hashed = record.find(({ type }) => type === 'file.written')
    assert.deepEqual([hashed?.data['bytes'], hashed?.data['sha256']], [7, written.sha256])
  })

  test('a terminal: its output, its size, its end', async () => {
    await using made = await sandbox()
    let text = ''
    const pty = await made.pty.create({
      cols: 80,
      rows: 24,
      command: doing({ echo: true }, { exit: 3 }),
      onData: data => (text += Buffer.from(data)),
    })
    pty.resize({ cols: 100, rows: 30 })
    await pty.sendInput('typed\n')
    while (!text.includes('typed')) await new Promise(setImmediate)
    await pty.kill()
    assert.equal(await pty.wait(), 137)
  })

  test('pause and resume', async () => {
    await using made = await sandbox()
    await made.pause()
    await made.resume()
    const types = (await site.client.events({ environment: made.sandboxId })).map(({ type }) => type)
    assert.ok(types.includes('environment.paused') && types.includes('environment.resumed'))
  })

  test('an environment from an object, a text and a file says what is wrong with it in the words of the file', async () => {
    const services = { web: { image: 'fake', command: sleeping, ports: ['8080'] } }
    await using made = await Environment.up({ name: 'an-object', services }, { socket, metadata: { pr: '7' } })
    assert.deepEqual([made.name, (await made.info()).labels], ['an-object', { pr: '7' }])
    assert.match(await made.service('web').url(8080), /^(http:\/\/web\.an-object\.localhost|127\.0\.0\.1):\d+/)
    assert.equal((await made.service('web').commands.run(doing({ print: 'in it' }))).stdout, 'in it')
    await assert.rejects(made.service('none').info(), NotFoundError)
    await using again = await Environment.up(`name: an-object\nservices: ${JSON.stringify(services)}\n`, { socket, metadata: { pr: '7' } })
    assert.deepEqual([again.id, again.changes], [made.id, []])
    await assert.rejects(Environment.up('services:\n  web:\n    imag: fake\n', { socket }), (error: unknown) => {
      assert.ok(error instanceof InvalidError)
      assert.match(error.message, /:3:5: services\.web\.imag/)
      return true
    })
    await assert.rejects(Environment.up('none.yaml', { socket }), (error: unknown) => error instanceof NotFoundError && error.field === 'compose')
  })

  test('an environment that does not come up is ended, and says why', async () => {
    const broken = { name: 'broken', services: { job: { image: 'fake', command: ['/no/such/program'] } } }
    await assert.rejects(Environment.up(broken, { socket }), (error: unknown) => {
      assert.ok(error instanceof NotReadyError)
      assert.match(error.message, /broken .*no such file in the image/s)
      return true
    })
    assert.deepEqual(
      (await site.client.environments()).filter(({ name }) => name === 'broken'),
      [],
    )
  })

  test('events go on where they were when the connection has broken, to the seal, each once', async () => {
    const cut = new Set<Socket>()
    const path = join(site.folder, 'cutting.sock')
    let connections = 0
    // The first is a whole answer; of the next three only a part gets through, wherever that ends.
    const proxy = createServer(client => {
      const there = connect(socket)
      const number = ++connections
      let left = number === 1 || number > 4 ? Number.POSITIVE_INFINITY : 1500 + number
      client.pipe(there)
      there.on('data', (piece: Buffer) => {
        client.write(piece.subarray(0, left))
        left -= piece.length
        if (left <= 0) client.end()
      })
      for (const [one, other] of [
        [client, there],
        [there, client],
      ] as const) {
        one.on('error', () => {})
        one.once('close', () => other.destroy())
      }
      cut.add(client)
    })
    await new Promise<void>(resolve => proxy.listen(path, resolve))
    try {
      const made = await sandbox()
      await made.kill()
      const whole = (await site.client.events({ environment: made.sandboxId })).map(({ sequence }) => sequence)
      const seen: number[] = []
      const through = await Environment.connect(made.sandboxId, { socket: path })
      for await (const { sequence } of through.events()) seen.push(sequence)
      assert.deepEqual(seen, whole)
      assert.equal(connections, 5)
      const after = await Environment.connect(made.sandboxId, { socket })
      const enough = AbortSignal.abort()
      for await (const event of after.events({ signal: enough })) assert.fail(event.type)
    } finally {
      for (const client of cut) client.destroy()
      proxy.close()
    }
  })

  test('where nobody answers, and what cannot be an address', async () => {
    await assert.rejects(
      Sandbox.list({ socket: '/none/dayfly.sock' }),
      (error: unknown) => error instanceof UnreachableError && error.remedy !== undefined,
    )
    await assert.rejects(
      Sandbox.list({ host: 'http://plain.example' }),
      (error: unknown) => error instanceof InvalidError && error.field === 'DAYFLY_HOST',
    )
    await assert.rejects(
      Sandbox.list({ host: 'https://dayfly.example' }),
      (error: unknown) => error instanceof InvalidError && error.field === 'DAYFLY_TOKEN',
    )
    const ca = '/none/ca.pem'
    await assert.rejects(
      Sandbox.list({ host: 'https://dayfly.example', token: 't', ca }),
      (error: unknown) => error instanceof InvalidError && error.field === 'DAYFLY_CA',
    )
    await assert.rejects(sandbox({ image: 'none' }), (error: unknown) => error instanceof DayflyError && error.field?.includes('image') === true)
    await assert.rejects(sandbox({ timeoutMs: 1 }), (error: unknown) => error instanceof InvalidError && error.field?.includes('ttl') === true)
  })
})
