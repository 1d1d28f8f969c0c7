import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { ClientHttp2Session, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import { connect, createServer } from 'node:http2'
import { get } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { portOf, route, speak, startGateway, startInstance, startTcp, until } from '../../test/gateway.ts'

interface StreamAnswer {
  readonly headers: IncomingHttpHeaders
  readonly trailers: IncomingHttpHeaders
  readonly body: string
}

/** One request on a session; `pieces` are the body. */
const ask = async (
  session: ClientHttp2Session,
  headers: Record<string, string>,
  pieces: readonly string[] = [],
  trailers?: Record<string, string>,
): Promise<StreamAnswer> => {
  const stream = session.request(
    { ':authority': 'web.shop.localhost', ...headers },
    { endStream: pieces.length === 0, waitForTrailers: trailers !== undefined },
  )
  if (trailers !== undefined) stream.on('wantTrailers', () => stream.sendTrailers(trailers))
  for (const piece of pieces) stream.write(piece)
  if (pieces.length > 0) stream.end()
  let [answered, trailed, body]: [IncomingHttpHeaders, IncomingHttpHeaders, string] = [{}, {}, '']
  stream.setEncoding('utf8')
  stream.on('response', given => {
    answered = given
  })
  stream.on('trailers', given => {
    trailed = given
  })
  stream.on('data', chunk => {
    body += chunk
  })
  await once(stream, 'close')
  return { headers: answered, trailers: trailed, body }
}

/** An instance that speaks HTTP/2 in the clear only, as a gRPC server does. */
const startH2c = async (handler: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void) => {
  const server = createServer()
  const sessions = new Set<{ destroy(): void }>()
  server.on('session', session => sessions.add(session))
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on('error', () => {})
    handler(stream, headers)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    server,
    endpoint: { instance: 'grpc1', host: '127.0.0.1', port: portOf(server) },
    [Symbol.asyncDispose]: async () => {
      for (const session of sessions) session.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

const open = (url: string, options: Parameters<typeof connect>[1] = {}): ClientHttp2Session & Disposable => {
  const session = connect(url, options)
  session.on('error', () => {})
  return Object.assign(session, { [Symbol.dispose]: () => session.destroy() })
}

describe('a request by HTTP/2 in the clear', () => {
  it('reaches an instance that speaks HTTP/1.1, many on one connection', async () => {
    await using instance = await startInstance((incoming, response) => {
      let body = ''
      incoming.setEncoding('utf8')
      incoming.on('data', chunk => {
        body += chunk
      })
      incoming.on('end', () => {
        response.writeHead(200, { 'set-cookie': ['a=1', 'b=2'], connection: 'keep-alive' })
        response.write(
          JSON.stringify({
            url: incoming.url,
            host: incoming.headers.host,
            cookie: incoming.headers.cookie,
            by: incoming.headers['x-forwarded-for'],
            body,
          }),
        )
        response.addTrailers({ 'x-sum': '1' })
        response.end()
      })
    })
    await using test = await startGateway()
    await test.gateway.setRoutes({ set: [route([instance.endpoint])] })
    using session = open(`http://127.0.0.1:${test.gateway.port}`)
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, at) =>
        ask(session, { ':path': `/${at}?q`, ':method': 'POST', cookie: 'c=1', 'x-forwarded-for': '1.2.3.4' }, ['one', 'two']),
      ),
    )
    for (const [at, { headers, body, trailers }] of answers.entries()) {
      assert.equal(headers[':status'], 200)
      assert.deepEqual(JSON.parse(body), { url: `/${at}?q`, host: 'web.shop.localhost', cookie: 'c=1', by: '127.0.0.1', body: 'onetwo' })
      assert.deepEqual(headers['set-cookie'], ['a=1', 'b=2'])
      assert.equal(trailers['x-sum'], '1')
    }
    const head = await ask(session, { ':path': '/', ':method': 'HEAD' })
    assert.deepEqual([head.headers[':status'], head.body], [200, ''])
    const unknown = await ask(session, { ':authority': 'no.such.localhost', ':path': '/' })
    assert.deepEqual([unknown.headers[':status'], unknown.headers['content-type']], [404, 'application/problem+json'])
    await until(() => test.access().length === 101)
    assert.ok(test.access().every(({ protocol }) => protocol === 'HTTP/2'))
  })

  it('that is cancelled is given up at the instance; one that breaks there is reset', async () => {
    let closed = false
    await using instance = await startInstance((incoming, response) => {
      response.on('close', () => {
        closed = true
      })
      response.write('x')
      if (incoming.url === '/break') setTimeout(() => response.destroy(), 20)
    })
    await using test = await startGateway()
    await test.gateway.setRoutes({ set: [route([instance.endpoint])] })
    using session = open(`http://127.0.0.1:${test.gateway.port}`)
    const stream = session.request({ ':authority': 'web.shop.localhost', ':path': '/' })
    await once(stream, 'response')
    stream.close(8)
    await until(() => closed)
    const broken = session.request({ ':authority': 'web.shop.localhost', ':path': '/break' })
    broken.resume()
    const [error]: Error[] = await once(broken, 'error')
    assert.match(String(error), /NGHTTP2_INTERNAL_ERROR/)
  })
})

describe('what one protocol can say and the other cannot', () => {
  it('is refused, and harms nobody else', async () => {
    const heads: Readonly<Record<string, string>> = {
      '/status': 'HTTP/1.1 999 What\r\nContent-Length: 2\r\n\r\nok',
      '/twice': 'HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Type: c/d\r\nEtag: 1\r\nEtag: 2\r\nContent-Length: 2\r\n\r\nok',
      '/hints': 'HTTP/1.1 103 Early\r\nEtag: 1\r\nEtag: 2\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
      '/trailers': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nEtag: 1\r\nEtag: 2\r\nConnection: x\r\n\r\n',
      '/plain': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    }
    await using odd = await startTcp(socket => void socket.on('data', chunk => socket.write(heads[String(chunk).split(' ')[1] ?? ''] ?? '')))
    await using grpc = await startH2c(stream => {
      stream.respond({ ':status': 200 })
      stream.end('ok')
    })
    await using test = await startGateway()
    await test.gateway.setRoutes({
      set: [route([odd.endpoint]), route([grpc.endpoint], { id: 'grpc', hosts: ['grpc.shop.localhost'], protocol: 'h2c' })],
    })
    using session = open(`http://127.0.0.1:${test.gateway.port}`)
    for (const path of Object.keys(heads)) {
      const { headers, body } = await ask(session, { ':path': path })
      const status = Number(headers[':status'])
      assert.ok((status === 200 && body === 'ok') || (status === 502 && body.includes('cannot be passed on')), `${path} ${status} ${body}`)
    }
    assert.equal((await ask(session, { ':path': '/plain' })).body, 'ok')
    const line = 'GET / HTTP/1.1\r\nHost: grpc.shop.localhost\r\nConnection: close\r\n'
    assert.match(await speak(test.gateway.port, `${line}Content-Type: a/b\r\nContent-Type: c/d\r\n\r\n`), /^HTTP\/1.1 (200|400) /)
    assert.match(await speak(test.gateway.port, `${line}\r\n`), /^HTTP\/1.1 200 /)
    assert.ok(!test.lines.some(text => text.includes('crashed')), test.lines.join(''))
  })
})

describe('an instance that speaks HTTP/2', () => {
  it('gets and gives trailers, and streams both ways, as gRPC needs', async () => {
    const seen: unknown[] = []
    await using instance = await startH2c((stream, headers) => {
      seen.push(headers['te'], headers['content-type'], headers[':authority'])
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'grpc-message': 'fine' }))
      stream.on('trailers', trailers => seen.push(trailers['x-request']))
      stream.on('data', (chunk: Buffer) => stream.write(`<${chunk}>`))
      stream.on('end', () => stream.end())
    })
    await using test = await startGateway()
    await test.gateway.setRoutes({ set: [route([instance.endpoint], { protocol: 'h2c' })] })
    using session = open(`http://127.0.0.1:${test.gateway.port}`)
    const headers = { ':method': 'POST', ':path': '/shop.Cart/Watch', 'content-type': 'application/grpc', te: 'trailers' }
    const stream = session.request({ ':authority': 'web.shop.localhost', ...headers })
    stream.setEncoding('utf8')
    // A conversation: neither side ends before the other has spoken.
    await once(stream, 'response')
    for (const word of ['one', 'two', 'three']) {
      stream.write(word)
      const [said]: string[] = await once(stream, 'data')
      assert.equal(said, `<${word}>`)
    }
    stream.end()
    const [trailers]: IncomingHttpHeaders[] = await once(stream, 'trailers')
    assert.deepEqual([trailers?.['grpc-status'], trailers?.['grpc-message']], ['0', 'fine'])
    await once(stream, 'close')
    const second = await ask(session, headers, ['x'], { 'x-request': 'whole' })
    assert.deepEqual([second.body, second.trailers['grpc-status']], ['<x>', '0'])
    assert.deepEqual(seen, ['trailers', 'application/grpc', 'web.shop.localhost', 'trailers', 'application/grpc', 'web.shop.localhost', 'whole'])
  })

  it('may answer with trailers only, without a body, or with a reset', async () => {
    await using instance = await startH2c((stream, headers) => {
      if (headers[':path'] === '/reset') return stream.close(2)
      if (headers[':path'] === '/none') return stream.respond({ ':status': 204 }, { endStream: true })
      stream.respond({ ':status': 200, 'grpc-status': '5' }, { endStream: true })
    })
    await using test = await startGateway()
    await test.gateway.setRoutes({ set: [route([instance.endpoint], { protocol: 'h2c' })] })
    using session = open(`http://127.0.0.1:${test.gateway.port}`)
    assert.equal((await ask(session, { ':path': '/' })).headers['grpc-status'], '5')
    assert.equal((await ask(session, { ':path': '/none' })).headers[':status'], 204)
    const reset = await ask(session, { ':path': '/reset', ':method': 'POST' }, ['x'])
    assert.equal(reset.headers[':status'], 502)
    assert.match(reset.body, /reset the stream|closed/)
  })

  it('is waited for until it listens, and named when it speaks something else', async () => {
    await using test = await startGateway({ limits: { connect: 300 } })
    await using odd = await startTcp(socket => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    await test.gateway.setRoutes({ set: [route([odd.endpoint], { protocol: 'h2c', wait: 500 })] })
    using session = open(`http://127.0.0.1:${test.gateway.port}`)
    assert.equal((await ask(session, { ':path': '/' })).headers[':status'], 502)
  })
})

describe('TLS', () => {
  const certificate = (folder: string, name: string, file = name): { certFile: string; keyFile: string } => {
    const [certFile, keyFile] = [join(folder, `${file}.pem`), join(folder, `${file}.key`)]
    const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name},DNS:*.${name}`]
    const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
    execFileSync('openssl', [...made, ...subject, '-keyout', keyFile, '-out', certFile], { stdio: 'ignore' })
    return { certFile, keyFile }
  }
  const nameShown = async (port: number, servername: string): Promise<string> => {
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ...(servername === '' ? {} : { servername }) })
    await once(socket, 'secureConnect')
    const { CN } = socket.getPeerCertificate().subject
    socket.destroy()
    return String(CN)
  }

  it('shows the certificate of the name, speaks what ALPN chose, and reads new files', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'dayfly-gateway-tls-'))
    try {
      const [first, second] = [certificate(folder, 'shop.localhost'), certificate(folder, 'preview.example')]
      await using instance = await startInstance((incoming, response) => response.end(String(incoming.headers['x-forwarded-proto'])))
      await using test = await startGateway({ tls: { host: '127.0.0.1', port: 0, certificates: [first, second] } })
      await test.gateway.setRoutes({ set: [route([instance.endpoint], { hosts: ['web.shop.localhost', 'web.preview.example'] })] })
      const { tlsPort } = test.gateway
      assert.ok(tlsPort !== undefined)
      assert.equal(await nameShown(tlsPort, 'web.preview.example'), 'preview.example')
      assert.equal(await nameShown(tlsPort, 'web.shop.localhost'), 'shop.localhost')
      assert.equal(await nameShown(tlsPort, 'elsewhere.example'), 'shop.localhost')
      assert.equal(await nameShown(tlsPort, ''), 'shop.localhost')

      using session = open(`https://127.0.0.1:${tlsPort}`, { rejectUnauthorized: false, servername: 'web.preview.example' })
      assert.equal((await ask(session, { ':authority': 'web.preview.example', ':path': '/' })).body, 'https')
      const [response] = await once(
        get({ host: '127.0.0.1', port: tlsPort, agent: false, rejectUnauthorized: false, headers: { host: 'web.preview.example' } }),
        'response',
      )
      assert.equal(String((await response.toArray())[0]), 'https')
      await until(() => test.access().length === 2)
      assert.deepEqual(
        test.access().map(({ protocol }) => protocol),
        ['HTTP/2', 'HTTP/1.1'],
      )

      certificate(folder, 'other.example', 'preview.example')
      certificate(folder, 'new.localhost', 'shop.localhost')
      let shown = ''
      while (shown !== 'other.example') shown = await nameShown(tlsPort, 'web.other.example')
      while (shown !== 'new.localhost') shown = await nameShown(tlsPort, '')
      // The connection of before goes on.
      assert.equal((await ask(session, { ':authority': 'web.preview.example', ':path': '/' })).body, 'https')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('refuses certificates that cannot be used, naming them', async () => {
    await assert.rejects(
      startGateway({ tls: { host: '127.0.0.1', port: 0, certificates: [{ certFile: '/nowhere.pem', keyFile: '/nowhere.key' }] } }),
      /nowhere\.pem/,
    )
  })
})
