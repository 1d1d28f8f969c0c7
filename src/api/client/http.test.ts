import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import { createServer as createRawServer } from 'node:net'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { linesOf, request, textOf } from './http.ts'

const folder = mkdtempSync('/tmp/dayfly-http-')
after(() => rmSync(folder, { recursive: true, force: true }))
let sockets = 0

const serving = async (handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<{ socketPath: string } & AsyncDisposable> => {
  const server = createServer(handle)
  const socketPath = join(folder, `${++sockets}.sock`)
  await new Promise<void>(resolve => server.listen(socketPath, resolve))
  return {
    socketPath,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

/** A server that says exactly these bytes to whoever connects, then closes. */
const saying = async (bytes: string): Promise<{ socketPath: string } & AsyncDisposable> => {
  const server = createRawServer(socket => {
    socket.once('data', () => socket.end(bytes))
    socket.on('error', () => {})
  })
  const socketPath = join(folder, `${++sockets}.sock`)
  await new Promise<void>(resolve => server.listen(socketPath, resolve))
  return { socketPath, [Symbol.asyncDispose]: () => new Promise(resolve => server.close(() => resolve())) }
}

test('a body with a length, sent and received', async () => {
  await using server = await serving((incoming, response) => {
    const pieces: Buffer[] = []
    incoming.on('data', piece => pieces.push(piece))
    incoming.on('end', () => {
      const body = Buffer.concat(pieces)
      response.setHeader('x-method', `${incoming.method} ${incoming.url}`)
      response.setHeader('content-length', body.length)
      response.end(body)
    })
  })
  const response = await request({ ...server, method: 'POST', path: '/a?b=c', body: { text: 'grün' } })
  assert.equal(response.status, 200)
  assert.equal(response.headers.get('x-method'), 'POST /a?b=c')
  assert.equal(await textOf(response), '{"text":"grün"}')
})

test('a body in chunks of any size, a megabyte of it', async () => {
  const pieces = Array.from({ length: 400 }, (_, index) => Buffer.alloc((index * 7919) % 5000 || 1, index % 256))
  await using server = await serving((_, response) => {
    for (const piece of pieces) response.write(piece)
    response.end()
  })
  const received: Buffer[] = []
  for await (const piece of (await request({ ...server, method: 'GET', path: '/' })).body) received.push(piece)
  assert.ok(Buffer.concat(received).equals(Buffer.concat(pieces)))
})

test('lines, also a last one without an end and characters cut in two', async () => {
  const bytes = Buffer.from('one\nzwölf\n\nlast €')
  await using server = await serving((_, response) => {
    const writeFrom = (index: number): void => {
      if (index === bytes.length) response.end()
      else response.write(bytes.subarray(index, index + 1), () => setImmediate(writeFrom, index + 1))
    }
    writeFrom(0)
  })
  assert.deepEqual(await Array.fromAsync(linesOf(await request({ ...server, method: 'GET', path: '/' }))), ['one', 'zwölf', '', 'last €'])
})

test('an answer that breaks off is unreachable, wherever it does', async () => {
  for (const bytes of [
    '',
    'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n',
    'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nfour',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfive',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nfour\r\n',
  ]) {
    await using server = await saying(bytes)
    await assert.rejects(async () => await textOf(await request({ ...server, method: 'GET', path: '/' })), { code: 'disconnected' }, bytes)
  }
})

test('what does not speak HTTP is told apart', async () => {
  await using server = await saying('SSH-2.0-OpenSSH\r\n\r\n')
  await assert.rejects(request({ ...server, method: 'GET', path: '/' }), { code: 'internal', message: /does not speak HTTP/ })
})

test('nobody there: unreachable, with the remedy', async () => {
  await assert.rejects(request({ socketPath: join(folder, 'none.sock'), method: 'GET', path: '/' }), {
    code: 'unreachable',
    message: /no daemon answers/,
    remedy: /dayfly serve/,
  })
})

test('an abort ends it, before, during and after the head', async () => {
  await using server = await serving((_, response) => void response.writeHead(200).write('first\n'))
  const before = AbortSignal.abort()
  await assert.rejects(request({ ...server, method: 'GET', path: '/', signal: before }), { code: 'aborted' })
  const during = new AbortController()
  const response = await request({ ...server, method: 'GET', path: '/', signal: during.signal })
  await assert.rejects(
    async () => {
      for await (const line of linesOf(response)) {
        assert.equal(line, 'first')
        during.abort()
      }
    },
    { code: 'aborted' },
  )
})

test('bytes are sent as they come, and an end in their middle is no end', async () => {
  const received: { complete: boolean; text: string }[] = []
  const over = Promise.withResolvers<void>()
  await using server = await serving((incoming, response) => {
    let text = ''
    incoming.on('data', piece => {
      text += piece
    })
    incoming.once('close', () => {
      received.push({ complete: incoming.complete, text })
      if (received.length === 2) over.resolve()
    })
    incoming.once('end', () => response.end(text))
  })
  const whole = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.from('one ')
    yield Buffer.from('two')
  }
  assert.equal(await textOf(await request({ ...server, method: 'POST', path: '/', bytes: whole() })), 'one two')
  const broken = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.from('one ')
    throw new Error('the disk is gone')
  }
  await assert.rejects(request({ ...server, method: 'POST', path: '/', bytes: broken() }), /the disk is gone/)
  await over.promise
  assert.deepEqual(
    received.map(({ complete }) => complete),
    [true, false],
  )
})
