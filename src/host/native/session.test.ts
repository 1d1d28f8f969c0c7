import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { describe, it } from 'node:test'
import { createFrameReader, decodeFields, encodeFields } from './framing.ts'
import type { MonitorConnection } from './monitor.ts'
import { connectMonitor } from './monitor.ts'
import type { NativeSession } from './session.ts'
import { signalNumber } from './session.ts'

const frame = (kind: number, bytes: Uint8Array | string = ''): Buffer => {
  const body = Buffer.concat([Buffer.of(kind), Buffer.from(bytes)])
  const header = Buffer.alloc(4)
  header.writeUInt32LE(body.length)
  return Buffer.concat([header, body])
}

interface Fake {
  readonly monitor: MonitorConnection
  readonly session: NativeSession
  readonly peer: Socket
  /** Payloads of the session frames that the client sent. */
  readonly received: Buffer[]
}

/** A session whose other end is the test's. `behindOk` is written in the same chunk as the answer that starts the session. */
const startSession = async (t: TestContext, behindOk: Buffer = Buffer.alloc(0)): Promise<Fake> => {
  const folder = await mkdtemp(join(tmpdir(), 'dayfly-session-'))
  const received: Buffer[] = []
  let inSession = false
  const server = createServer(peer => {
    const read = createFrameReader(payload => {
      if (inSession) {
        received.push(Buffer.from(payload))
        peer.emit('frame')
      } else {
        assert.deepEqual(decodeFields(payload).slice(1), ['exec', '/p.json', 'pipes', '24', '80'])
        inSession = true
        peer.write(Buffer.concat([encodeFields(['1', 'ok']), behindOk]))
      }
    })
    peer.on('data', chunk => read(Buffer.from(chunk))).on('error', () => {})
  })
  server.listen(join(folder, 's'))
  const connected = once(server, 'connection')
  const monitor = await connectMonitor(join(folder, 's'), { patience: 2000 })
  const [peer]: Socket[] = await connected
  assert.ok(peer)
  t.after(async () => {
    await monitor[Symbol.asyncDispose]()
    peer.destroy()
    server.close()
    await rm(folder, { recursive: true })
  })
  return { monitor, session: await monitor.exec('/p.json', 'pipes', 24, 80), peer, received }
}

const collect = async (session: NativeSession): Promise<string[]> => {
  const all: string[] = []
  for await (const { stream, data } of session.output) all.push(`${stream}:${Buffer.from(data).toString()}`)
  return all
}

describe('a session', () => {
  it('gives output, also what came in the chunk that started it, and then the exit code', async t => {
    const { session, peer } = await startSession(t, Buffer.concat([frame(1, 'first'), frame(2, 'oops').subarray(0, 6)]))
    peer.write(Buffer.concat([frame(2, 'oops').subarray(6), frame(1, 'last'), frame(5, Uint8Array.of(137))]))
    assert.deepEqual(await collect(session), ['stdout:first', 'stderr:oops', 'stdout:last'])
    assert.equal(await session.exit, 137)
  })

  it('sends stdin in pieces, its end, sizes and signals as the protocol says', async t => {
    const { session, peer, received } = await startSession(t)
    const large = Buffer.alloc(100_000, 'x')
    session.write(large)
    session.write(null)
    session.resize(50, 132)
    session.signal('SIGTERM')
    while (received.length < 7) await once(peer, 'frame')
    const stdin = received.filter(payload => payload[0] === 0)
    assert.deepEqual(Buffer.concat(stdin.map(payload => payload.subarray(1))), large)
    assert.deepEqual(stdin.at(-1), Buffer.of(0))
    assert.deepEqual(received.slice(-2), [Buffer.of(3, 50, 0, 132, 0), Buffer.of(4, 15)])
    await session.drained()
  })

  it('knows signals by name only', async t => {
    const { session } = await startSession(t)
    assert.equal(signalNumber('SIGKILL'), 9)
    assert.throws(() => session.signal('SIGNONSENSE'), { code: 'invalid', field: 'signal' })
    assert.throws(() => session.signal('toString'), { code: 'invalid' })
  })

  it('stops reading while nobody takes the output, and loses none of it', async t => {
    const { session, peer } = await startSession(t)
    const piece = Buffer.alloc(60_000, 'y')
    const pieces = 200
    let written = 0
    const writing = (async () => {
      for (; written < pieces; written++) {
        if (!peer.write(frame(1, piece))) await once(peer, 'drain')
      }
      peer.write(frame(5, Uint8Array.of(0)))
    })()
    // Nothing was read yet: what the client and the socket buffers hold is far less than what is to come.
    await new Promise(resolve => setTimeout(resolve, 100))
    assert.ok(written < pieces / 2, `${written} of ${pieces} pieces were taken though nobody read them`)
    let bytes = 0
    for await (const { data } of session.output) bytes += data.length
    await writing
    assert.equal(bytes, pieces * piece.length)
    assert.equal(await session.exit, 0)
  })

  it('discards the rest when the reader leaves, and still gives the exit code', async t => {
    const { session, peer } = await startSession(t)
    peer.write(frame(1, 'one'))
    for await (const { data } of session.output) {
      assert.equal(Buffer.from(data).toString(), 'one')
      break
    }
    for (let i = 0; i < 50; i++) peer.write(frame(1, Buffer.alloc(60_000)))
    peer.write(frame(5, Uint8Array.of(3)))
    assert.equal(await session.exit, 3)
  })

  it('rejects with the runtime’s message when the command did not start', async t => {
    const { session, peer } = await startSession(t)
    peer.write(frame(6, 'executable file `x` not found in $PATH'))
    assert.deepEqual(await collect(session), [])
    await assert.rejects(session.exit, { code: 'host', errno: 'ENOEXEC', message: /executable file `x` not found/ })
  })

  it('rejects when the connection breaks off before the exit code, and its output ends', async t => {
    const { session, peer } = await startSession(t, frame(1, 'half'))
    peer.end()
    assert.deepEqual(await collect(session), ['stdout:half'])
    await assert.rejects(session.exit, { code: 'host', errno: 'EPIPE' })
    session.write(Buffer.from('to nobody'))
    await session.drained()
  })

  it('takes no request any more on its connection', async t => {
    const { monitor } = await startSession(t)
    await assert.rejects(monitor.status(), { code: 'host', errno: 'EBUSY' })
  })

  it('closes the connection when it is disposed', async t => {
    const { session, peer } = await startSession(t)
    peer.resume()
    const closed = once(peer, 'close')
    await session[Symbol.asyncDispose]()
    await closed
  })

  it('ends the connection at a message it does not know', async t => {
    const { session, peer } = await startSession(t)
    peer.write(frame(9, 'what'))
    await assert.rejects(session.exit, { code: 'host' })
  })
})
