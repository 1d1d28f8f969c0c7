import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { describe, it } from 'node:test'
import { ask, everything, read, route, speak, startGateway, startInstance, startTcp, until } from '../../test/gateway.ts'

const echo = (incoming: IncomingMessage, response: import('node:http').ServerResponse): void => {
  const chunks: Buffer[] = []
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
  incoming.on('end', () => {
    const { method, url, rawHeaders } = incoming
    response.setHeader('x-answer', ['a', 'b'])
    response.setHeader('set-cookie', ['one=1', 'two=2'])
    response.setHeader('connection', 'keep-alive, x-mine')
    response.setHeader('x-mine', 'of this connection')
    const body = JSON.stringify({ method, url, headers: rawHeaders, body: Buffer.concat(chunks).toString() })
    response.setHeader('content-length', Buffer.byteLength(body))
    response.end(body)
  })
}

const start = async (handler = echo, more: Parameters<typeof route>[1] = {}, options: Parameters<typeof startGateway>[0] = {}) => {
  const stack = new AsyncDisposableStack()
  const instance = stack.use(await startInstance(handler))
  const test = stack.use(await startGateway(options))
  await test.gateway.setRoutes({ set: [route([instance.endpoint], more)] })
  return { ...test, instance, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

const echoed = (body: string): { method: string; url: string; headers: string[]; body: string } => JSON.parse(body)
const headerPairs = (raw: readonly string[]): [string, string][] => {
  const pairs: [string, string][] = []
  for (let at = 0; at < raw.length; at += 2) pairs.push([(raw[at] ?? '').toLowerCase(), raw[at + 1] ?? ''])
  return pairs
}
const headerOf = (raw: readonly string[], name: string): string[] => headerPairs(raw).flatMap(([key, value]) => (key === name ? [value] : []))

describe('a request by HTTP/1.1', () => {
  it('reaches the workload whose name it asks for, however that is written', async () => {
    await using test = await start()
    for (const host of ['web.shop.localhost', 'WEB.Shop.localhost:8080', 'web.shop.localhost.', 'web.shop.localhost.:80']) {
      const { status, body } = await ask(test.gateway, { host, path: '/a%20b?c=d&e', method: 'GET' })
      assert.equal(status, 200, host)
      assert.equal(echoed(body).url, '/a%20b?c=d&e')
      assert.deepEqual(headerOf(echoed(body).headers, 'host'), [host])
    }
  })

  it('names the host in its line rather than in its header, when it does both', async () => {
    await using test = await start()
    const text = await speak(
      test.gateway.port,
      'GET http://web.shop.localhost/x?y HTTP/1.1\r\nHost: other.shop.localhost\r\nConnection: close\r\n\r\n',
    )
    assert.match(text, /^HTTP\/1.1 200 /)
    assert.match(text, /"url":"\/x\?y"/)
    assert.match(text, /"host","web.shop.localhost"/)
  })

  it('tells the instance who the client is, whatever the client says', async () => {
    await using test = await start()
    const forged = {
      forwarded: 'for=1.2.3.4',
      'x-forwarded-for': '1.2.3.4',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'evil',
      'x-real-ip': '1.2.3.4',
    }
    const { headers } = echoed((await ask(test.gateway, { headers: { host: 'web.shop.localhost:99', ...forged } })).body)
    assert.deepEqual(headerOf(headers, 'x-forwarded-for'), ['127.0.0.1'])
    assert.deepEqual(headerOf(headers, 'x-forwarded-proto'), ['http'])
    assert.deepEqual(headerOf(headers, 'x-forwarded-host'), ['web.shop.localhost:99'])
    assert.deepEqual(headerOf(headers, 'forwarded'), ['for=127.0.0.1;proto=http;host="web.shop.localhost:99"'])
    assert.ok(!JSON.stringify(headers).includes('1.2.3.4'))
  })

  it('keeps what is of one connection to that connection, both ways', async () => {
    await using test = await start()
    const own = {
      connection: 'keep-alive, x-secret, x-forwarded-for, host',
      'x-secret': '1',
      te: 'gzip',
      'proxy-authorization': 'Basic eA==',
      'keep-alive': 'timeout=9',
    }
    const { body, headers, rawHeaders } = await ask(test.gateway, { headers: { host: 'web.shop.localhost', authorization: 'Bearer t', ...own } })
    const names = headerPairs(echoed(body).headers).map(([name]) => name)
    for (const name of ['x-secret', 'te', 'proxy-authorization', 'keep-alive']) assert.ok(!names.includes(name), name)
    for (const name of ['host', 'authorization', 'x-forwarded-for']) assert.ok(names.includes(name), name)
    assert.equal(headers['x-mine'], undefined)
    assert.deepEqual(headerOf(rawHeaders, 'x-answer'), ['a', 'b'])
    assert.deepEqual(headerOf(rawHeaders, 'set-cookie'), ['one=1', 'two=2'])
  })

  it('may have a body, of a length or in chunks, of any method; and HEAD has none', async () => {
    await using test = await start()
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'GET', 'OPTIONS']) {
      const plain = await ask(test.gateway, { method, body: 'hello', headers: { host: 'web.shop.localhost', 'content-length': '5' } })
      assert.deepEqual([plain.status, echoed(plain.body).method, echoed(plain.body).body], [200, method, 'hello'])
      const chunked = await ask(test.gateway, { method, body: 'hello', headers: { host: 'web.shop.localhost', 'transfer-encoding': 'chunked' } })
      assert.deepEqual([chunked.status, echoed(chunked.body).body], [200, 'hello'])
    }
    const head = await ask(test.gateway, { method: 'HEAD' })
    assert.equal(head.status, 200)
    assert.equal(head.body, '')
    assert.ok(Number(head.headers['content-length']) > 0)
    assert.equal((await ask(test.gateway, { method: 'POST', headers: { host: 'web.shop.localhost', 'content-length': '0' } })).status, 200)
  })

  it('shares connections to the instance with others', async () => {
    let connections = 0
    await using test = await start()
    test.instance.server.on('connection', () => connections++)
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    for (let at = 0; at < 50; at++) assert.equal((await ask(test.gateway, { agent, method: at % 2 === 0 ? 'GET' : 'HEAD' })).status, 200)
    agent.destroy()
    assert.ok(connections <= 2, `${connections} connections for 50 requests`)
  })

  it('is answered in order when several are sent at once', async () => {
    await using test = await start((incoming, response) => void setTimeout(() => response.end(`<${incoming.url}>`), incoming.url === '/1' ? 40 : 0))
    const line = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: web.shop.localhost\r\n${more}\r\n`
    const text = await speak(test.gateway.port, line('/1') + line('/2') + line('/3', 'Connection: close\r\n'))
    assert.deepEqual(text.match(/<.*?>/g), ['</1>', '</2>', '</3>'])
  })

  it('of HTTP/1.0 gets an answer that ends with the connection', async () => {
    await using test = await start((_, response) => {
      response.write('a')
      setTimeout(() => response.end('b'), 10)
    })
    const text = await speak(test.gateway.port, 'GET / HTTP/1.0\r\nHost: web.shop.localhost\r\n\r\n')
    assert.match(text, /^HTTP\/1.1 200 /)
    assert.ok(!/transfer-encoding/i.test(text))
    assert.ok(text.endsWith('\r\n\r\nab'))
  })

  it('is told to go on when the instance wants its body, and not before', async () => {
    await using test = await start()
    await test.gateway.setRoutes({ set: [route([])] })
    const sent = request({
      host: '127.0.0.1',
      port: test.gateway.port,
      method: 'POST',
      agent: false,
      headers: { host: 'web.shop.localhost', expect: '100-continue', 'content-length': 4 },
    })
    let continued = false
    sent.on('continue', () => {
      continued = true
      sent.end('body')
    })
    sent.flushHeaders()
    await until(() => (test.last('web')?.waiting ?? 0) === 1)
    assert.equal(continued, false)
    await test.gateway.setRoutes({ set: [route([test.instance.endpoint])] })
    const [response]: IncomingMessage[] = await once(sent, 'response')
    assert.ok(response)
    assert.equal(echoed((await read(response)).body).body, 'body')
    assert.equal(continued, true)
  })

  it('gets trailers, early hints and a chunked answer as they come', async () => {
    await using test = await start((_, response) => {
      response.writeEarlyHints({ link: '</style.css>; rel=preload' })
      response.writeHead(200, { trailer: 'x-sum' })
      response.write('part')
      response.addTrailers({ 'x-sum': '42' })
      response.end()
    })
    const sent = request({ host: '127.0.0.1', port: test.gateway.port, agent: false, headers: { host: 'web.shop.localhost' } })
    const hints: unknown[] = []
    sent.on('information', info => hints.push(info.statusCode, info.headers['link']))
    sent.end()
    const [response]: IncomingMessage[] = await once(sent, 'response')
    assert.ok(response)
    const { trailers, body } = await read(response)
    assert.deepEqual([body, trailers['x-sum'], ...hints], ['part', '42', 103, '</style.css>; rel=preload'])
  })

  it('sees server-sent events when they are sent, its head before the first', async () => {
    let write: (text: string) => void = () => {}
    await using test = await start((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.flushHeaders()
      write = text => void response.write(text)
    })
    const sent = request({ host: '127.0.0.1', port: test.gateway.port, agent: false, headers: { host: 'web.shop.localhost' } })
    sent.end()
    const [response]: IncomingMessage[] = await once(sent, 'response')
    assert.ok(response)
    for (const event of ['data: 1\n\n', 'data: 2\n\n']) {
      write(event)
      const [chunk]: Buffer[] = await once(response, 'data')
      assert.equal(String(chunk), event)
    }
    sent.destroy()
  })

  it('is told when its answer breaks off', async () => {
    await using test = await start((incoming, response) => {
      response.writeHead(200, incoming.url === '/length' ? { 'content-length': 10 } : {})
      response.write('part')
      setTimeout(() => response.destroy(), 20)
    })
    for (const path of ['/length', '/chunked']) {
      const sent = request({ host: '127.0.0.1', port: test.gateway.port, path, agent: false, headers: { host: 'web.shop.localhost' } })
      sent.end()
      const [response]: IncomingMessage[] = await once(sent, 'response')
      assert.ok(response)
      await assert.rejects(read(response), path)
    }
  })

  it('is given up at the instance when its client leaves', async () => {
    const left: string[] = []
    await using test = await start((incoming, response) => {
      response.on('close', () => {
        if (!response.writableFinished) left.push(incoming.url ?? '')
      })
      if (incoming.url === '/answered') response.write('x')
    })
    for (const path of ['/waiting', '/answered', '/body']) {
      const sent = request({
        host: '127.0.0.1',
        port: test.gateway.port,
        path,
        agent: false,
        method: path === '/body' ? 'POST' : 'GET',
        headers: { host: 'web.shop.localhost' },
      })
      sent.on('error', () => {})
      if (path === '/body') sent.write('first')
      else sent.end()
      if (path === '/answered') await once(sent, 'response')
      else await once(test.instance.server, 'request')
      sent.destroy()
      await until(() => left.includes(path))
    }
    await until(() => test.sum('web', 'finished') === 3 && test.last('web')?.inFlight === 0)
  })
})

describe('trailers of a request', () => {
  it('reach the instance, but for those that would be headers', async () => {
    await using test = await start((incoming, response) => void incoming.resume().on('end', () => response.end(JSON.stringify(incoming.trailers))))
    const head = 'POST / HTTP/1.1\r\nHost: web.shop.localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n'
    const trailers = 'X-Sum: 42\r\nX-Forwarded-For: 1.2.3.4\r\nAuthorization: Bearer x\r\nHost: evil\r\n'
    assert.match(await speak(test.gateway.port, `${head}5\r\nhello\r\n0\r\n${trailers}\r\n`), /\{"x-sum":"42"\}/)
  })

  it('and its head come at once, whatever the body waits for', async () => {
    await using test = await start((incoming, response) => {
      response.writeHead(200)
      response.flushHeaders()
      incoming.pipe(response)
    })
    const sent = request({ host: '127.0.0.1', port: test.gateway.port, method: 'POST', agent: false, headers: { host: 'web.shop.localhost' } })
    sent.flushHeaders()
    const [response]: IncomingMessage[] = await once(sent, 'response')
    assert.ok(response)
    sent.end('late')
    assert.equal((await read(response)).body, 'late')
  })
})

describe('what the gateway answers by itself', () => {
  it('says what it does not know, without naming what others have', async () => {
    await using test = await start()
    const unknown = await ask(test.gateway, { host: 'web.other.localhost:1' })
    assert.deepEqual([unknown.status, unknown.headers['content-type']], [404, 'application/problem+json'])
    assert.match(unknown.body, /web\.other\.localhost.*dayfly ps/)
    assert.ok(!unknown.body.includes('shop'))
    const elsewhere = await ask(test.gateway, { host: `127.0.0.1:${test.gateway.port}` })
    assert.equal(elsewhere.status, 421)
    assert.equal((await ask(test.gateway, { host: 'evil.example' })).status, 421)
    assert.notEqual((await ask(test.gateway, { host: 'web.shop.localhost:80;evil' })).status, 200)
    const page = await ask(test.gateway, { host: '<b>.localhost', headers: { host: '<b>.localhost', accept: 'text/html,*/*' } })
    assert.equal(page.headers['content-type'], 'text/html; charset=utf-8')
    assert.ok(page.body.includes('&#60;b&#62;.localhost') && !page.body.includes('<b>'))
  })

  it('says why an environment is gone', async () => {
    await using test = await start()
    await test.gateway.setRoutes({ set: [route([], { gone: 'its time to live of 1h was over' })] })
    const { status, body } = await ask(test.gateway)
    assert.equal(status, 410)
    assert.match(body, /web.*e1.*its time to live of 1h was over/)
    await test.gateway.setRoutes({ remove: ['web'] })
    assert.equal((await ask(test.gateway)).status, 404)
  })

  it('names the workload and the error when the instance fails', async () => {
    await using test = await start((_, response) => response.destroy(), {}, { limits: { connect: 200 } })
    const broken = await ask(test.gateway)
    assert.equal(broken.status, 502)
    assert.match(broken.body, /web.*environment e1.*closed the connection|web.*environment e1.*broke the connection/)
    const [closed] = [await startInstance(echo)]
    await closed[Symbol.asyncDispose]()
    await test.gateway.setRoutes({ set: [route([closed.endpoint], { wait: 200 })] })
    const refused = await ask(test.gateway)
    assert.equal(refused.status, 502)
    assert.match(refused.body, /refuses connections/)
  })

  it('gives up an instance that does not answer', async () => {
    await using test = await start(() => {}, { answer: 100 })
    const { status, body } = await ask(test.gateway)
    assert.equal(status, 504)
    assert.match(body, /has not begun to answer/)
  })

  it('does not pass on what is not HTTP', async () => {
    await using test = await start()
    await using odd = await startTcp(socket => void socket.end('SSH-2.0-OpenSSH_9.2\r\n'))
    await test.gateway.setRoutes({ set: [route([odd.endpoint])] })
    const { status, body } = await ask(test.gateway)
    assert.equal(status, 502)
    assert.match(body, /not HTTP/)
  })
})

describe('a hostile client of HTTP/1.1', () => {
  const head = 'POST / HTTP/1.1\r\nHost: web.shop.localhost\r\n'
  const hidden = 'GET /hidden HTTP/1.1\r\nHost: web.shop.localhost\r\n\r\n'
  const attempts: Readonly<Record<string, string>> = {
    'two lengths': `${head}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello${hidden}`,
    'the same length twice': `${head}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`,
    'a list of lengths': `${head}Content-Length: 5, 5\r\n\r\nhello`,
    'a length and chunks': `${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`,
    'chunks and a length': `${head}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${hidden}`,
    'a coding before chunked': `${head}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    'chunked not last': `${head}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${hidden}`,
    'chunked twice': `${head}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    'an unknown coding': `${head}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
    'a space before the colon': `${head}Content-Length : 5\r\n\r\nhello`,
    'a folded header': `${head}X: a\r\n b\r\n\r\n`,
    'a negative length': `${head}Content-Length: -1\r\n\r\n`,
    'a signed length': `${head}Content-Length: +5\r\n\r\nhello`,
    'a length in hexadecimal': `${head}Content-Length: 0x5\r\n\r\nhello`,
    'a bare line feed': 'GET / HTTP/1.1\nHost: web.shop.localhost\n\n',
    'a bare carriage return': 'GET / HTTP/1.1\r\nHost: web.shop.localhost\r\nX: a\rb: c\r\n\r\n',
    'a NUL in a value': 'GET / HTTP/1.1\r\nHost: web.shop.localhost\r\nX: a\0b\r\n\r\n',
    'two hosts': 'GET / HTTP/1.1\r\nHost: web.shop.localhost\r\nHost: other.localhost\r\n\r\n',
    'no host': 'GET / HTTP/1.1\r\n\r\n',
    'a chunk size that is none': `${head}Transfer-Encoding: chunked\r\n\r\n5x\r\nhello\r\n0\r\n\r\n`,
    'a chunk longer than its size': `${head}Transfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n`,
    'a length behind the body': `${head}Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\n\r\nhello`,
    'a version that is none': 'GET / HTTP/9.9\r\nHost: web.shop.localhost\r\n\r\n',
    'an expectation that is unknown': `${head}Expect: the-moon\r\nContent-Length: 5\r\n\r\nhello`,
    'a path that is none': 'GET web HTTP/1.1\r\nHost: web.shop.localhost\r\n\r\n',
    'the line of no request': 'HELLO\r\n\r\n',
  }
  it('cannot have one request read as two', async () => {
    const seen: string[] = []
    await using test = await start((incoming, response) => {
      seen.push(incoming.url ?? '')
      incoming.resume()
      response.end('ok')
    })
    for (const [name, attempt] of Object.entries(attempts)) {
      const text = await speak(test.gateway.port, attempt)
      assert.match(text, /^HTTP\/1.1 4\d\d /, name)
      assert.equal(text.match(/HTTP\/1.1 /g)?.length, 1, `${name}: ${text}`)
    }
    assert.ok(!seen.includes('/hidden'), seen.join())
  })

  it('cannot use the gateway as a tunnel', async () => {
    await using test = await start()
    assert.match(await speak(test.gateway.port, 'CONNECT web.shop.localhost:22 HTTP/1.1\r\nHost: web.shop.localhost:22\r\n\r\n'), /^HTTP\/1.1 405 /)
  })

  it('cannot send heads beyond the limit, or take for ever over one', async () => {
    await using test = await start(echo, {}, { limits: { headBytes: 4096, head: 300 } })
    assert.match(await speak(test.gateway.port, `GET / HTTP/1.1\r\nHost: web.shop.localhost\r\nX: ${'x'.repeat(5000)}\r\n\r\n`), /^HTTP\/1.1 431 /)
    assert.equal(await speak(test.gateway.port, ''), '')
    assert.match(await speak(test.gateway.port, 'GET / HTTP/1.1\r\nHost: web.shop.loc'), /^HTTP\/1.1 408 /)
  })

  it('cannot take for ever over a body, or over taking an answer', async () => {
    await using test = await start(
      (incoming, response) => {
        if (incoming.method === 'POST') return void incoming.on('end', () => response.end()).resume()
        response.writeHead(200)
        const fill = (): void => {
          while (!response.destroyed && response.write(Buffer.alloc(65_536)));
        }
        response.on('drain', fill)
        fill()
      },
      {},
      { limits: { stall: 300 } },
    )
    assert.match(await speak(test.gateway.port, `${head}Content-Length: 9\r\n\r\nhello`), /^HTTP\/1.1 408 /)
    const socket = connect(test.gateway.port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write('GET / HTTP/1.1\r\nHost: web.shop.localhost\r\n\r\n')
    await until(() => test.access().some(({ method }) => method === 'GET'))
    const [entry] = test.access().filter(({ method }) => method === 'GET')
    assert.ok(entry && entry.bytesOut < 64 * 1024 * 1024)
    socket.destroy()
  })

  it('finds the door shut when too many are in', async () => {
    await using test = await start(echo, {}, { limits: { connections: 2 } })
    const sockets = [connect(test.gateway.port, '127.0.0.1'), connect(test.gateway.port, '127.0.0.1')]
    await Promise.all(sockets.map(socket => once(socket, 'connect')))
    const third = connect(test.gateway.port, '127.0.0.1')
    assert.equal(await everything(third), '')
    await until(() => test.lines.some(line => line.includes('too many clients')))
    for (const socket of sockets) socket.destroy()
    await until(() => sockets.every(socket => socket.closed))
    let status = 0
    while (status !== 200)
      status = await ask(test.gateway).then(
        answer => answer.status,
        () => 0,
      )
  })
})

describe('what is told', () => {
  it('is counted, and in the access log without queries', async () => {
    await using test = await start()
    await ask(test.gateway, { path: '/pay?card=1234', method: 'POST', body: 'hello' })
    await ask(test.gateway, { path: `/${'x'.repeat(3000)}` })
    await until(() => test.sum('web', 'finished') === 2)
    assert.equal(test.sum('web', 'started'), 2)
    assert.equal(test.sum('web', 'bytesIn'), 5)
    const [entry, long] = test.access()
    assert.ok(entry && long)
    const { instance } = test.instance.endpoint
    const { time, duration, bytesOut, ...fixed } = entry
    assert.deepEqual(fixed, {
      ...{ target: 'web', environment: 'e1', workload: 'web', instance, client: '127.0.0.1', protocol: 'HTTP/1.1', method: 'POST' },
      ...{ host: 'web.shop.localhost', path: '/pay', status: 200, bytesIn: 5 },
    })
    assert.ok(Math.abs(time - Date.now()) < 600_000 && duration > 0 && bytesOut > 0)
    assert.equal(long.path.length, 2_048)
    const report = test.reports.flatMap(({ targets }) => targets).find(({ finished }) => finished > 0)
    assert.ok(report?.active)
    assert.equal(
      report.durations.reduce((sum, count) => sum + count, 0),
      report.finished,
    )
    assert.equal(report.statuses[200], report.finished)
  })

  it('is bounded, and what is left out is counted', async () => {
    await using test = await start(echo, {}, { limits: { accessEntries: 5 } })
    const agent = new Agent({ keepAlive: true, maxSockets: 8 })
    await Promise.all(Array.from({ length: 200 }, () => ask(test.gateway, { agent })))
    agent.destroy()
    await until(() => test.sum('web', 'finished') === 200)
    assert.ok(test.reports.every(({ access }) => access.length <= 5))
    assert.equal(test.access().length + test.reports.reduce((sum, { accessDropped }) => sum + (accessDropped['e1'] ?? 0), 0), 200)
  })

  it('is told at once when somebody asks for it', async () => {
    await using test = await start(echo)
    await ask(test.gateway)
    await test.gateway.flush()
    assert.equal(test.access().length, 1)
    assert.equal(test.sum('web', 'finished'), 1)
    await test.gateway.flush()
    assert.equal(test.access().length, 1)
  })
})
