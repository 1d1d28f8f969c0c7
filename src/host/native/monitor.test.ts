import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createFrameReader, decodeFields, encodeFields, maximumFrame } from './framing.ts'
import type { MonitorConnection, MonitorEvent } from './monitor.ts'
import { connectMonitor } from './monitor.ts'

type Answer = (fields: readonly string[], socket: Socket) => void

/** A peer that the test plays: `answer` gets every request's fields, tag first. */
const connectToFake = async (t: TestContext, answer: Answer): Promise<{ monitor: MonitorConnection; socket: Socket }> => {
  const folder = await mkdtemp(join(tmpdir(), 'dayfly-monitor-'))
  const server = createServer(socket => {
    const read = createFrameReader(payload => answer(decodeFields(payload), socket))
    socket.on('data', chunk => read(Buffer.from(chunk))).on('error', () => {})
  })
  server.listen(join(folder, 'monitor.sock'))
  const connected = once(server, 'connection')
  const monitor = await connectMonitor(join(folder, 'monitor.sock'), { patience: 2000 })
  const [socket]: Socket[] = await connected
  assert.ok(socket)
  t.after(async () => {
    await monitor[Symbol.asyncDispose]()
    socket.destroy()
    server.close()
    await rm(folder, { recursive: true })
  })
  return { monitor, socket }
}

const ok: Answer = ([tag = ''], socket) => void socket.write(encodeFields([tag, 'ok']))

describe('the client of a monitor', () => {
  it('sends what is asked for in one turn in one write, in order', async t => {
    const requests: (readonly string[])[] = []
    const { monitor, socket } = await connectToFake(t, (fields, peer) => {
      requests.push(fields)
      ok(fields, peer)
    })
    const chunks: number[] = []
    socket.on('data', chunk => chunks.push(chunk.length))
    await Promise.all([
      monitor.bind(),
      monitor.namespaces('plain'),
      monitor.network({ bridge: 'b', hostInterface: 'h', address: '10.0.0.2/26', gateway: '10.0.0.1', mac: '02:00:00:00:00:01' }),
      monitor.idmap('/layers', 0x2000_0000, 65_536),
      monitor.overlay({ lower: ['top', 'bottom'], upper: '/u', work: '/w', durability: 'volatile' }),
      monitor.secret('token', 0, 0, new Uint8Array([0, 1, 255])),
      monitor.log('/log', 1024),
      monitor.deadline(5000, 100, 15),
    ])
    assert.deepEqual(requests, [
      ['1', 'bind'],
      ['2', 'namespaces', 'plain'],
      ['3', 'network', 'b', 'h', '10.0.0.2/26', '10.0.0.1', '02:00:00:00:00:01'],
      ['4', 'idmap', '/layers', '536870912', '65536'],
      ['5', 'overlay', 'top:bottom', '/u', '/w', 'volatile'],
      ['6', 'secret', 'token', '0', '0', 'AAH/'],
      ['7', 'log', '/log', '1024'],
      ['8', 'deadline', '5000', '100', '15'],
    ])
    assert.equal(chunks.length, 1)
  })

  it('gives every request its own answer when they come in another order', async t => {
    const tags: string[] = []
    const { monitor } = await connectToFake(t, ([tag = ''], peer) => {
      tags.push(tag)
      if (tags.length < 3) return
      peer.write(encodeFields([tags[2] ?? '', 'ok', '33']))
      peer.write(encodeFields([tags[0] ?? '', 'ok', 'running 11']))
      peer.write(encodeFields([tags[1] ?? '', 'error', 'ESRCH', 'signal the process: it has ended']))
    })
    const [status, signal, start] = await Promise.allSettled([monitor.status(), monitor.signal(15), monitor.start()])
    assert.deepEqual(status, { status: 'fulfilled', value: { state: 'running', pid: 11 } })
    assert.deepEqual(start, { status: 'fulfilled', value: 33 })
    assert.equal(signal.status, 'rejected')
    if (signal.status === 'rejected') {
      assert.equal(signal.reason.code, 'host')
      assert.equal(signal.reason.errno, 'ESRCH')
      assert.equal(signal.reason.message, 'signal the process: it has ended')
    }
  })

  it('reads every state, as one field or as several', async t => {
    const states = [['setup'], ['created', '5'], ['running 6'], ['exited', '137', '9']]
    const { monitor } = await connectToFake(t, ([tag = ''], peer) => void peer.write(encodeFields([tag, 'ok', ...(states.shift() ?? [])])))
    assert.deepEqual(await monitor.status(), { state: 'setup' })
    assert.deepEqual(await monitor.status(), { state: 'created', pid: 5 })
    assert.deepEqual(await monitor.status(), { state: 'running', pid: 6 })
    assert.deepEqual(await monitor.status(), { state: 'exited', code: 137, signal: 9 })
    await assert.rejects(monitor.status(), { code: 'host' })
  })

  it('hands events to those who subscribed, until they are disposed', async t => {
    const { monitor, socket } = await connectToFake(t, ok)
    const events: MonitorEvent[] = []
    const exited = Promise.withResolvers<void>()
    const subscription = monitor.subscribe(event => {
      events.push(event)
      if (event.type === 'exited') exited.resolve()
    })
    socket.write(encodeFields(['0', 'started', '1000']))
    socket.write(encodeFields(['0', 'exited', '143', '15', 'deadline', '2000', '7', '1']))
    await exited.promise
    assert.deepEqual(events, [
      { type: 'started', time: 1000 },
      { type: 'exited', code: 143, signal: 15, cause: 'deadline', time: 2000, droppedBytes: 7, droppedLines: 1 },
    ])
    subscription[Symbol.dispose]()
    socket.write(encodeFields(['0', 'started', '3000']))
    await monitor.watch()
    assert.equal(events.length, 2)
  })

  it('rejects everything when the monitor dies: what is under way, and what comes later', async t => {
    const { monitor } = await connectToFake(t, (_, peer) => void peer.destroy())
    const first = monitor.bind()
    const second = monitor.start()
    await assert.rejects(first, { code: 'host', errno: 'EPIPE', message: /^bind: / })
    await assert.rejects(second, { code: 'host', errno: 'EPIPE', message: /^start: / })
    assert.equal((await monitor.closed).errno, 'EPIPE')
    await assert.rejects(monitor.status(), { code: 'host', errno: 'EPIPE', message: /^status: / })
  })

  const breaches: Record<string, Buffer> = {
    'a frame that is too long': (() => {
      const header = Buffer.alloc(4)
      header.writeUInt32LE(maximumFrame + 1)
      return header
    })(),
    'an answer nobody waits for': encodeFields(['99', 'ok']),
    'neither ok nor error': encodeFields(['1', 'maybe']),
    'an unknown event': encodeFields(['0', 'exploded']),
    'an event with a word for a number': encodeFields(['0', 'started', 'now']),
    'a field that does not end': Buffer.from([2, 0, 0, 0, 0x31, 0x32]),
  }
  for (const [name, bytes] of Object.entries(breaches)) {
    it(`ends the connection at ${name}`, async t => {
      const { monitor } = await connectToFake(t, (_, peer) => void peer.write(bytes))
      await assert.rejects(monitor.bind(), { code: 'host', errno: 'EPROTO' })
    })
  }

  it('waits for a monitor that is being born, and says which socket is missing when none comes', async t => {
    const folder = await mkdtemp(join(tmpdir(), 'dayfly-monitor-'))
    const path = join(folder, 'monitor.sock')
    t.after(() => rm(folder, { recursive: true }))
    await assert.rejects(connectMonitor(path), { code: 'host', errno: 'ENOENT', message: /monitor\.sock/ })
    const connecting = connectMonitor(path, { patience: 60_000 })
    const server = createServer(socket => socket.resume()).listen(path)
    t.after(() => server.close())
    await (await connecting)[Symbol.asyncDispose]()
    await assert.rejects(connectMonitor(`${path}.none`, { patience: 60_000, signal: AbortSignal.timeout(5) }), { name: /Timeout|Abort/ })
  })

  it('ends with its disposal, and its signal ends only the attempt', async t => {
    const folder = await mkdtemp(join(tmpdir(), 'dayfly-monitor-'))
    const path = join(folder, 'monitor.sock')
    const server = createServer(socket => socket.resume()).listen(path)
    t.after(async () => {
      server.close()
      await rm(folder, { recursive: true })
    })
    const controller = new AbortController()
    const connection = await connectMonitor(path, { signal: controller.signal, patience: 2000 })
    const asked = connection.status()
    controller.abort()
    assert.equal(await Promise.race([connection.closed, sleep(50, 'open')]), 'open')
    await connection[Symbol.asyncDispose]()
    await assert.rejects(asked, { errno: 'ECANCELED' })
    await assert.rejects(connectMonitor(`${path}.none`, { signal: controller.signal, patience: 2000 }), { name: 'AbortError' })
  })
})
