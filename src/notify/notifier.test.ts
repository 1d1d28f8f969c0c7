import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import { createServer } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLog } from '../base/log.ts'
import type { CourierOptions } from './courier.ts'
import { createCourier } from './courier.ts'
import type { Notice } from './notice.ts'
import { createNotifier } from './notifier.ts'
import { openQueue } from './queue.ts'
import type { SendContext } from './send.ts'
import { send } from './send.ts'
import type { Target } from './targets.ts'

const context: SendContext = { now: () => Date.now(), version: '1.0', process: 42, sendDatagram: undefined }
const lines: string[] = []
const log = createLog({ write: line => lines.push(line), level: 'debug', json: true })
const never = (): AbortSignal => new AbortController().signal

const notice = (id: string, change: Partial<Notice> = {}): Notice => ({
  ...{ id, kind: 'detection', time: Date.now(), priority: 'warning', text: `notice ${id}`, rule: 'r', tags: [], fields: {} },
  ...{ measures: [], audit: false, host: 'node-1', left: 0 },
  ...change,
})

interface Received {
  readonly method: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Answers what it is told to: a status, with headers. */
const openReceiver = async (answer: (index: number) => { status: number; headers?: Record<string, string> } = () => ({ status: 204 })) => {
  const received: Received[] = []
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      received.push({ method: request.method ?? '', headers: request.headers, body: Buffer.concat(parts).toString() })
      const { status, headers = {} } = answer(received.length - 1)
      response.writeHead(status, headers).end('thanks')
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return {
    received,
    url: `http://127.0.0.1:${address.port}/in`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

const openFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), 'dayfly-notify-'))
  const file = (name: string, text: string, mode = 0o600): string => {
    writeFileSync(join(folder, name), text, { mode })
    chmodSync(join(folder, name), mode)
    return join(folder, name)
  }
  return { folder, queue: join(folder, 'queue'), file, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) }
}

const until = async (condition: () => boolean): Promise<void> => {
  for (let turn = 0; turn < 2000 && !condition(); turn++) await sleep(5)
  assert.ok(condition(), 'it came true')
}

const webhook = (url: string, secretFile: string, name = 'soc'): Target => ({
  ...{ type: 'webhook', name, url, secretFile, headersFrom: {}, minimumPriority: 'debug' },
})

const open = (options: Pick<CourierOptions, 'folder' | 'target'> & Partial<CourierOptions>) => createCourier({ context, log, pause: 5, ...options })

describe('a webhook', () => {
  it('arrives signed, with the headers of the settings', async () => {
    await using receiver = await openReceiver()
    using place = openFolder()
    const target: Target = {
      ...{ type: 'webhook', name: 'soc', url: receiver.url, secretFile: place.file('key', 'a secret\n'), minimumPriority: 'debug' },
      headersFrom: { Authorization: place.file('auth', 'Bearer token') },
    }
    await send(target, [notice('1')], context, never())
    const [got] = receiver.received
    assert.equal(got?.headers['authorization'], 'Bearer token')
    assert.equal(got.headers['content-type'], 'application/json')
    const [, seconds = '', hex = ''] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(got.headers['dayfly-signature'])) ?? []
    assert.equal(createHmac('sha256', 'a secret').update(`${seconds}.${got.body}`).digest('hex'), hex)
    assert.equal(JSON.parse(got.body).id, '1')
  })

  it('is not sent with a secret that every user can read, or that is not there', async () => {
    await using receiver = await openReceiver()
    using place = openFolder()
    await assert.rejects(send(webhook(receiver.url, place.file('key', 'x', 0o644)), [notice('1')], context, never()), /chmod o-rwx/)
    await assert.rejects(send(webhook(receiver.url, join(place.folder, 'none')), [notice('1')], context, never()), /cannot be read/)
    assert.equal(receiver.received.length, 0)
  })

  it('follows no redirect', async () => {
    await using elsewhere = await openReceiver()
    await using receiver = await openReceiver(() => ({ status: 307, headers: { Location: elsewhere.url } }))
    using place = openFolder()
    await assert.rejects(send(webhook(receiver.url, place.file('key', 'x')), [notice('1')], context, never()), /redirects are not followed/)
    assert.equal(elsewhere.received.length, 0)
  })

  it('goes only to whoever has a certificate that is trusted', async () => {
    using place = openFolder()
    const [key, certificate] = [join(place.folder, 'tls.key'), join(place.folder, 'tls.crt')]
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '2']
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-out', certificate, ...subject],
      {
        stdio: 'ignore',
      },
    )
    const server = createSecureServer(
      { key: readFileSync(key), cert: readFileSync(certificate) },
      (_, response) => void response.writeHead(200).end(),
    ).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    assert.ok(typeof address === 'object' && address !== null)
    try {
      const target = (host: string, caFile?: string): Target => ({
        ...{ type: 'webhook', name: 'soc', url: `https://${host}:${address.port}/`, secretFile: place.file('key', 'x'), headersFrom: {}, caFile },
        minimumPriority: 'debug',
      })
      await assert.rejects(send(target('localhost'), [notice('1')], context, never()), /self-signed/)
      await assert.rejects(send(target('127.0.0.1', certificate), [notice('1')], context, never()), /altnames/)
      await send(target('localhost', certificate), [notice('1')], context, never())
    } finally {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    }
  })
})

describe('a courier', () => {
  it('tries again until it arrives, in order, each once', async () => {
    await using receiver = await openReceiver(index => ({ status: index < 3 ? 503 : 200 }))
    using place = openFolder()
    await using courier = open({ folder: place.queue, target: webhook(receiver.url, place.file('key', 'x')) })
    for (const id of ['1', '2', '3']) courier.tell(notice(id))
    await until(() => courier.state().delivered === 3)
    assert.deepEqual(
      receiver.received.map(({ body }) => JSON.parse(body).id),
      ['1', '1', '1', '1', '2', '3'],
    )
    assert.deepEqual(courier.state(), { name: 'soc', type: 'webhook', waiting: 0, failure: undefined, delivered: 3, lost: 0 })
    assert.deepEqual(readdirSync(join(place.queue, 'soc')), ['sent'])
  })

  it('gives up what is refused for what it says, and goes on with the next', async () => {
    await using receiver = await openReceiver(index => ({ status: index === 0 ? 400 : 200 }))
    using place = openFolder()
    await using courier = open({ folder: place.queue, target: webhook(receiver.url, place.file('key', 'x')) })
    courier.tell(notice('1'))
    courier.tell(notice('2'))
    await until(() => courier.state().delivered === 1)
    assert.equal(courier.state().lost, 1)
  })

  it('keeps what waits for the next daemon', async () => {
    using place = openFolder()
    const target = webhook('http://127.0.0.1:9/', place.file('key', 'x'))
    {
      await using courier = open({ folder: place.queue, target })
      courier.tell(notice('1'))
      courier.tell(notice('2'))
      await until(() => courier.state().failure !== undefined)
    }
    // What a daemon was writing when it was killed counts for nothing.
    writeFileSync(join(place.queue, 'soc', '0000000000000009-00000000.json.new'), '{')
    writeFileSync(join(place.queue, 'soc', '0000000000000000-00000000.json'), '{')
    await using receiver = await openReceiver()
    await using courier = open({ folder: place.queue, target: { ...target, ...webhook(receiver.url, place.file('key', 'x')) } })
    courier.tell(notice('3'))
    await until(() => courier.state().delivered === 3)
    assert.deepEqual(
      receiver.received.map(({ body }) => JSON.parse(body).id),
      ['1', '2', '3'],
    )
    assert.equal(courier.state().lost, 1)
  })

  it('lets a burst through up to its rate, and says how many were left out', async () => {
    await using receiver = await openReceiver()
    using place = openFolder()
    await using courier = open({ folder: place.queue, target: webhook(receiver.url, place.file('key', 'x')), rate: { count: 3, per: 300 } })
    for (let index = 0; index < 10; index++) courier.tell(notice(String(index)))
    await until(() => receiver.received.length === 4)
    const last = JSON.parse(receiver.received[3]?.body ?? '')
    assert.deepEqual([last.kind, last.left], ['summary', 7])
    courier.tell(notice('later'))
    await until(() => receiver.received.length === 5)
    assert.equal(JSON.parse(receiver.received[4]?.body ?? '').left, 0)
    assert.equal(courier.state().lost, 7)
  })

  it('is not told what is less urgent than its target wants', async () => {
    await using receiver = await openReceiver()
    using place = openFolder()
    const target = { ...webhook(receiver.url, place.file('key', 'x')), minimumPriority: 'error' as const }
    await using courier = open({ folder: place.queue, target })
    courier.tell(notice('mild'))
    courier.tell(notice('urgent', { priority: 'critical' }))
    await until(() => courier.state().delivered === 1)
    assert.deepEqual(
      receiver.received.map(({ body }) => JSON.parse(body).id),
      ['urgent'],
    )
  })

  it('does not grow: what finds no room is left out, what is too old goes', async () => {
    using place = openFolder()
    const queue = openQueue(place.queue, { notices: 2, bytes: 10_000, age: 1000 })
    const now = Date.now()
    assert.equal(await queue.add(notice('old', { time: now - 2000 })), true)
    assert.equal(await queue.add(notice('new', { time: now })), true)
    assert.equal(await queue.add(notice('more', { time: now })), false)
    const found = await queue.take(10, now)
    assert.deepEqual(
      found.map(each => each.notice.id),
      ['new'],
    )
    assert.deepEqual([queue.lost(), queue.lost(), queue.length], [1, 0, 1])
    assert.equal(await queue.add(notice('large', { time: now, text: 'x'.repeat(10_000) })), false)
    await queue.done(found.map(({ key }) => key))
    assert.deepEqual(readdirSync(place.queue), [])
  })
})

describe('other languages', () => {
  it('Slack gets its JSON at the URL that a file holds', async () => {
    await using receiver = await openReceiver()
    using place = openFolder()
    const target: Target = { type: 'slack', name: 'chat', urlFile: place.file('url', receiver.url), minimumPriority: 'debug' }
    await send(target, [notice('1')], context, never())
    assert.match(JSON.parse(receiver.received[0]?.body ?? '').text, /^warning: r/)
    await assert.rejects(send({ ...target, urlFile: place.file('bad', 'file:///etc/passwd') }, [notice('1')], context, never()), /holds no URL/)
  })

  it('OTLP gets many at once', async () => {
    await using receiver = await openReceiver()
    using place = openFolder()
    const target: Target = { type: 'otlp', name: 'otel', url: receiver.url, headersFrom: {}, minimumPriority: 'debug' }
    // What came while nobody ran is sent together.
    const queue = openQueue(join(place.queue, 'otel'), { notices: 10, bytes: 100_000, age: 100_000 })
    for (const id of ['1', '2', '3']) await queue.add(notice(id))
    await using courier = open({ folder: place.queue, target })
    await until(() => courier.state().delivered === 3)
    assert.equal(receiver.received.length, 1)
    const body = JSON.parse(receiver.received[0]?.body ?? '')
    assert.equal(body.resourceLogs[0].scopeLogs[0].logRecords.length, 3)
  })

  it('syslog goes by UDP and by TCP', async () => {
    const udp = createSocket('udp4').bind(0, '127.0.0.1')
    await once(udp, 'listening')
    const target = (address: string): Target => ({ type: 'syslog', name: 'log', address, facility: 'local3', minimumPriority: 'debug' })
    try {
      const message = once(udp, 'message')
      await send(target(`udp://127.0.0.1:${udp.address().port}`), [notice('1')], context, never())
      assert.match(String((await message)[0]), /^<156>1 .* node-1 dayfly 42 detection \[dayfly@32473 id="1"/)
    } finally {
      udp.close()
    }
    const tcp = createTcpServer({ allowHalfOpen: false }).listen(0, '127.0.0.1')
    await once(tcp, 'listening')
    try {
      const address = tcp.address()
      assert.ok(typeof address === 'object' && address !== null)
      const text = new Promise<string>(resolve => {
        tcp.once('connection', socket => {
          let all = ''
          socket.setEncoding('utf8').on('data', part => {
            all += part
          })
          socket.on('end', () => resolve(all))
        })
      })
      await send(target(`tcp://127.0.0.1:${address.port}`), [notice('1')], context, never())
      const [, length = '', rest = ''] = /^(\d+) (<156>1 .*)$/s.exec(await text) ?? []
      assert.equal(Buffer.byteLength(rest), Number(length))
    } finally {
      tcp.close()
      await once(tcp, 'close')
    }
    await assert.rejects(send(target('tcp://127.0.0.1:9'), [notice('1')], context, never()), /ECONNREFUSED/)
    const sent: string[] = []
    const sendDatagram = async (path: string, message: string): Promise<void> => void sent.push(`${path} ${message}`)
    await send(target('unix:///dev/log'), [notice('1')], { ...context, sendDatagram }, never())
    assert.match(sent[0] ?? '', /^\/dev\/log <156>1 /)
  })
})

describe('the targets of the settings', () => {
  it('are told what is theirs, also after they have changed; what waits for one that is gone is nobody’s', async () => {
    await using first = await openReceiver()
    await using second = await openReceiver()
    using place = openFolder()
    const secret = place.file('key', 'x')
    let targets = [webhook(first.url, secret, 'one'), webhook(second.url, secret, 'two')]
    mkdirSync(join(place.queue, 'gone'), { recursive: true })
    await using notifier = createNotifier({ folder: place.queue, targets: () => targets, context, log })
    notifier.tell(notice('1'), ['two'])
    notifier.tell(notice('2'), 'all')
    await until(() => first.received.length === 1 && second.received.length === 2)
    targets = [webhook(second.url, secret, 'one')]
    notifier.tell(notice('3'), 'all')
    await until(() => second.received.length === 3)
    await until(() => !readdirSync(place.queue).includes('gone') && !readdirSync(place.queue).includes('two'))
    assert.deepEqual(
      notifier.state().map(({ name }) => name),
      ['one'],
    )
  })

  it('are tested past all queues, and each says how it came out', async () => {
    await using receiver = await openReceiver()
    using place = openFolder()
    const secret = place.file('key', 'x')
    const targets = [webhook(receiver.url, secret, 'good'), webhook('http://127.0.0.1:9/', secret, 'bad')]
    await using notifier = createNotifier({ folder: place.queue, targets: () => targets, context, log })
    const [good, bad] = await notifier.test(notice('t', { kind: 'test' }), [], never())
    assert.equal(good?.failure, undefined)
    assert.match(bad?.failure ?? '', /ECONNREFUSED/)
    await assert.rejects(notifier.test(notice('t'), ['none'], never()), /there is no target none/)
  })
})
