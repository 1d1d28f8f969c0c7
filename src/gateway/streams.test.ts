import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { describe, it } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import { everything, route, speak, startGateway, startInstance, startTcp, until } from '../../test/gateway.ts'

const piece = Buffer.alloc(64 * 1024, 'abcdefgh')
const count = 1_600 // 100 MiB
const total = piece.length * count

const pieces = function* (): Iterable<Buffer> {
  for (let at = 0; at < count; at++) yield piece
}

describe('a long stream', () => {
  it('of 100 MiB passes whole, both ways at once, in HTTP/1.1 and in HTTP/2', async () => {
    await using instance = await startInstance((incoming, response) => {
      response.writeHead(200)
      pipeline(incoming, response).catch(() => {})
    })
    await using test = await startGateway()
    await test.gateway.setRoutes({ set: [route([instance.endpoint])] })
    const expected = createHash('sha256')
    for (const one of pieces()) expected.update(one)
    const digest = expected.digest('hex')

    const sent = request({ host: '127.0.0.1', port: test.gateway.port, method: 'POST', agent: false, headers: { host: 'web.shop.localhost' } })
    const sending = pipeline(Readable.from(pieces()), sent)
    const [response]: IncomingMessage[] = await once(sent, 'response')
    assert.ok(response)
    const hash = createHash('sha256')
    let bytes = 0
    for await (const chunk of response) {
      hash.update(chunk)
      bytes += chunk.length
    }
    await sending
    assert.deepEqual([bytes, hash.digest('hex')], [total, digest])

    const session = connectHttp2(`http://127.0.0.1:${test.gateway.port}`)
    const stream = session.request({ ':method': 'POST', ':path': '/', ':authority': 'web.shop.localhost' })
    const hash2 = createHash('sha256')
    const streaming = pipeline(Readable.from(pieces()), stream)
    for await (const chunk of stream) hash2.update(chunk)
    await streaming.catch(() => {})
    assert.equal(hash2.digest('hex'), digest)
    session.destroy()
    await until(() => test.sum('web', 'finished') === 2)
    assert.deepEqual([test.sum('web', 'bytesIn'), test.sum('web', 'bytesOut')], [2 * total, 2 * total])
  })

  it('that one side does not take is not taken from the other', async () => {
    let written = 0
    await using instance = await startInstance((incoming, response) => {
      if (incoming.method === 'POST') return // takes nothing
      const fill = (): void => {
        while (response.write(piece)) written += piece.length
        written += piece.length
      }
      response.on('drain', fill)
      fill()
    })
    await using test = await startGateway()
    await test.gateway.setRoutes({ set: [route([instance.endpoint])] })
    const reader = connect(test.gateway.port, '127.0.0.1')
    reader.write('GET / HTTP/1.1\r\nHost: web.shop.localhost\r\n\r\n')
    reader.pause()
    const still = async (value: () => number): Promise<number> => {
      for (let before = -1, same = 0; same < 5; before = value()) {
        await new Promise(resolve => setTimeout(resolve, 100))
        same = value() === before && before > 0 ? same + 1 : 0
      }
      return value()
    }
    // What the kernel's buffers on the way hold, and a little more.
    assert.ok((await still(() => written)) < 48 * 1024 * 1024)
    reader.destroy()

    const sent = request({ host: '127.0.0.1', port: test.gateway.port, method: 'POST', agent: false, headers: { host: 'web.shop.localhost' } })
    sent.on('error', () => {})
    let taken = 0
    const feed = (): void => {
      while (sent.write(piece)) taken += piece.length
      taken += piece.length
    }
    sent.on('drain', feed)
    feed()
    assert.ok((await still(() => taken)) < 48 * 1024 * 1024)
    sent.destroy()
  })
})

describe('a WebSocket', () => {
  const startEcho = async () => {
    const instance = await startInstance((_, response) => void response.writeHead(426).end('upgrade'))
    const sockets = new WebSocketServer({ noServer: true })
    instance.server.on('upgrade', (incoming, socket, head) => {
      if (incoming.url === '/closed')
        return socket.end('HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno')
      sockets.handleUpgrade(incoming, socket, head, ws => {
        ws.send(JSON.stringify({ url: incoming.url, by: incoming.headers['x-forwarded-for'], host: incoming.headers.host }))
        ws.on('message', (data, binary) => ws.send(data, { binary }))
      })
    })
    return instance
  }

  it('by HTTP/1.1 carries messages both ways, large and small, and closes cleanly', async () => {
    await using instance = await startEcho()
    await using test = await startGateway()
    await test.gateway.setRoutes({ set: [route([instance.endpoint])] })
    const ws = new WebSocket(`ws://127.0.0.1:${test.gateway.port}/chat?room=1`, { headers: { host: 'web.shop.localhost' } })
    const [hello] = await once(ws, 'message')
    assert.deepEqual(JSON.parse(String(hello)), { url: '/chat?room=1', by: '127.0.0.1', host: 'web.shop.localhost' })
    for (const size of [1, 1_000, 5_000_000]) {
      const message = Buffer.alloc(size, 'm')
      ws.send(message)
      const [back] = await once(ws, 'message')
      assert.ok(message.equals(back))
    }
    await until(() => test.last('web')?.inFlight === 1)
    ws.close(4001, 'enough')
    const [code] = await once(ws, 'close')
    assert.equal(code, 4001)
    await until(() => test.access().length === 1)
    const [entry] = test.access()
    assert.deepEqual([entry?.status, entry?.path, entry?.instance], [101, '/chat', instance.endpoint.instance])
    assert.ok(entry && entry.bytesIn > 5_000_000 && entry.bytesOut > 5_000_000)
  })

  it('that the instance declines is declined with its answer', async () => {
    await using instance = await startEcho()
    await using test = await startGateway()
    await test.gateway.setRoutes({ set: [route([instance.endpoint])] })
    const asked = (path: string, host = 'web.shop.localhost'): Promise<string> =>
      speak(
        test.gateway.port,
        `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n`,
      )
    const declined = await asked('/closed')
    assert.match(declined, /^HTTP\/1.1 401 /)
    assert.match(declined, /www-authenticate: Basic/i)
    assert.ok(declined.endsWith('\r\n\r\nno'))
    assert.match(await asked('/', 'no.such.localhost'), /^HTTP\/1.1 404 /)
  })

  it('wakes, is cut at the end of a drain, and sees its instance die', async () => {
    const instance = await startEcho()
    await using test = await startGateway({ onWake: () => test.gateway.setRoutes({ set: [route([instance.endpoint])] }) })
    await test.gateway.setRoutes({ set: [route([])] })
    const open = async (): Promise<WebSocket> => {
      const ws = new WebSocket(`ws://127.0.0.1:${test.gateway.port}/`, { headers: { host: 'web.shop.localhost' } })
      ws.on('error', () => {})
      await once(ws, 'message')
      return ws
    }
    const first = await open()
    const closed = once(first, 'close')
    assert.equal(await test.gateway.drain(instance.endpoint.instance, 20), 1)
    await closed
    await test.gateway.setRoutes({ remove: ['web'] })
    await test.gateway.setRoutes({ set: [route([instance.endpoint])] })
    const second = await open()
    const died = once(second, 'close')
    await instance[Symbol.asyncDispose]()
    await died
    await until(() => test.last('web')?.inFlight === 0)
  })

  it('by HTTP/2 is an extended CONNECT', async () => {
    await using instance = await startEcho()
    await using test = await startGateway()
    await test.gateway.setRoutes({ set: [route([instance.endpoint])] })
    const session = connectHttp2(`http://127.0.0.1:${test.gateway.port}`)
    await once(session, 'remoteSettings')
    assert.equal(session.remoteSettings.enableConnectProtocol, true)
    const stream = session.request({
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':scheme': 'http',
      ':path': '/h2',
      ':authority': 'web.shop.localhost',
      'sec-websocket-version': '13',
    })
    const [headers] = await once(stream, 'response')
    assert.equal(headers[':status'], 200)
    assert.equal(headers['sec-websocket-accept'], undefined)
    let text = Buffer.alloc(0)
    stream.on('data', (chunk: Buffer) => {
      text = Buffer.concat([text, chunk])
    })
    await until(() => text.includes('"url":"/h2"'))
    // A masked text frame with the mask 0: "hi".
    stream.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]))
    await until(() => text.includes(Buffer.from([0x81, 0x02, 0x68, 0x69])))
    stream.close(8)
    await until(() => test.last('web')?.inFlight === 0)
    session.destroy()
  })
})

describe('a TCP port', () => {
  const forward = (endpoints: readonly { instance: string; host: string; port: number }[], more = {}) => ({
    ...{ id: 'db', listen: { host: '127.0.0.1', port: 0 }, environment: 'e1', workload: 'db', endpoints },
    ...more,
  })

  it('carries bytes both ways; either side may end first and still receive', async () => {
    await using instance = await startTcp(socket => {
      let asked = ''
      socket.setEncoding('utf8')
      socket.on('data', chunk => {
        asked += chunk
      })
      socket.on('end', () => socket.end(`you said ${asked}`))
    })
    await using talker = await startTcp(socket => {
      socket.end('first')
      socket.on('data', () => {})
    })
    await using test = await startGateway()
    const port = await test.gateway.setForward(forward([instance.endpoint]))
    const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    client.end('hello')
    assert.equal(await everything(client), 'you said hello')
    assert.equal(await test.gateway.setForward(forward([talker.endpoint])), port)
    const second = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    assert.equal(await everything(second), 'first')
    await until(() => test.access().length === 2)
    const { protocol, host, bytesIn, bytesOut } = test.access()[0] ?? {}
    assert.deepEqual([protocol, host, bytesIn, bytesOut], ['TCP', `127.0.0.1:${port}`, 5, 14])
    await test.gateway.removeForward('db')
    const [error] = await once(connect(port, '127.0.0.1'), 'error')
    assert.equal(error.code, 'ECONNREFUSED')
  })

  it('wakes what sleeps, and is closed to whom it cannot serve', async () => {
    await using instance = await startTcp(socket => void socket.end('ready'))
    await using test = await startGateway({
      onWake: async () => void (await test.gateway.setForward(forward([instance.endpoint]))),
    })
    const port = await test.gateway.setForward(forward([]))
    assert.equal(await everything(connect(port, '127.0.0.1')), 'ready')
    await test.gateway.setForward(forward([], { id: 'never', wait: 100 }))
    const other = await test.gateway.setForward(forward([], { id: 'never', wait: 100 }))
    assert.equal(await everything(connect(other, '127.0.0.1')), '')
  })

  it('that is taken is refused, naming it', async () => {
    await using taken = await startTcp(() => {})
    await using test = await startGateway()
    const { port } = taken.endpoint
    await assert.rejects(
      test.gateway.setForward(forward([], { listen: { host: '127.0.0.1', port } })),
      new RegExp(`127.0.0.1:${port}: another program listens there`),
    )
  })

  it('carries 100 MiB, and is cut at the end of a drain', async () => {
    await using instance = await startTcp(socket => void socket.pipe(socket))
    await using test = await startGateway()
    const port = await test.gateway.setForward(forward([instance.endpoint]))
    const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    let bytes = 0
    client.on('data', chunk => {
      bytes += chunk.length
    })
    await Promise.all([pipeline(Readable.from(pieces()), client, { end: true }), once(client, 'end')])
    assert.equal(bytes, total)
    const idle = connect({ port, host: '127.0.0.1' })
    idle.on('error', () => {})
    await until(() => test.sum('db', 'started') === 2 && test.last('db')?.inFlight === 1)
    assert.equal(await test.gateway.drain(instance.endpoint.instance, 20), 1)
    await until(() => idle.closed)
  })
})
