/** What tests of the gateway share: a gateway that collects what it tells, instances to lead to, and clients that Node's own are too polite to be. */
import { once } from 'node:events'
import type { IncomingMessage, RequestListener, RequestOptions, Server } from 'node:http'
import { createServer, request } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { connect, createServer as createTcpServer } from 'node:net'
import type { Log } from '../src/base/log.ts'
import { createLog } from '../src/base/log.ts'
import { createGateway } from '../src/gateway/create.ts'
import type { Endpoint, Gateway, GatewayOptions, Report, Route, TargetReport } from '../src/gateway/gateway.ts'
import type { AccessEntry } from '../src/model/access.ts'

export interface TestGateway extends AsyncDisposable {
  readonly gateway: Gateway
  readonly reports: Report[]
  readonly access: () => AccessEntry[]
  /** The last report of a target, and what all of them counted. */
  readonly last: (target: string) => TargetReport | undefined
  readonly sum: (target: string, count: 'started' | 'finished' | 'bytesIn' | 'bytesOut') => number
  readonly lines: string[]
  readonly url: (path?: string, host?: string) => URL
}

export const startGateway = async (options: Partial<GatewayOptions> = {}): Promise<TestGateway> => {
  const reports: Report[] = []
  const lines: string[] = []
  const log: Log = createLog({ write: line => lines.push(line), level: 'debug', json: true })
  const gateway = await createGateway({
    listen: { host: '127.0.0.1', port: 0 },
    domains: ['localhost', 'preview.example'],
    onWake: async () => {},
    onReport: report => reports.push(report),
    log,
    ...options,
  })
  const of = (target: string): TargetReport[] => reports.flatMap(report => report.targets.filter(({ id }) => id === target))
  return {
    ...{ gateway, reports, lines },
    access: () => reports.flatMap(report => report.access),
    last: target => of(target).at(-1),
    sum: (target, count) => of(target).reduce((sum, report) => sum + report[count], 0),
    url: (path = '/', host = 'web.shop.localhost') => new URL(path, `http://${host}:${gateway.port}`),
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  }
}

export const route = (endpoints: readonly Endpoint[], more: Partial<Route> = {}): Route => ({
  ...{ id: 'web', hosts: ['web.shop.localhost'], environment: 'e1', workload: 'web', endpoints },
  ...more,
})

export interface Instance extends AsyncDisposable {
  readonly server: Server
  readonly endpoint: Endpoint
}

export const portOf = (server: { address(): AddressInfo | string | null }): number => {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('it does not listen')
  return address.port
}

let instances = 0

/** An HTTP server on the loopback. */
export const startInstance = async (handler: RequestListener, port = 0): Promise<Instance> => {
  const server = createServer({ keepAliveTimeout: 5_000 }, handler)
  const sockets = new Set<Socket>()
  server.on('connection', socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    server,
    endpoint: { instance: `i${++instances}`, host: '127.0.0.1', port: portOf(server) },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

/** A TCP server on the loopback. */
export const startTcp = async (handler: (socket: Socket) => void): Promise<AsyncDisposable & { readonly endpoint: Endpoint }> => {
  const sockets = new Set<Socket>()
  const server = createTcpServer({ allowHalfOpen: true }, socket => {
    sockets.add(socket.on('error', () => {}))
    handler(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    endpoint: { instance: `i${++instances}`, host: '127.0.0.1', port: portOf(server) },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly rawHeaders: string[]
  readonly trailers: IncomingMessage['trailers']
  readonly body: string
}

/** One request by HTTP/1.1 on a connection of its own, unless an agent is given; by the host name, to the loopback. */
export const ask = async (gateway: Gateway, options: RequestOptions & { host?: string; body?: string | Buffer } = {}): Promise<Answer> => {
  const { host = 'web.shop.localhost', body, headers = {}, ...rest } = options
  const sent = request({
    host: '127.0.0.1',
    port: gateway.port,
    agent: false,
    headers: Array.isArray(headers) ? headers : { host, ...headers },
    ...rest,
  })
  sent.end(body)
  const [response]: IncomingMessage[] = await once(sent, 'response')
  if (response === undefined) throw new Error('there is no response')
  return read(response)
}

export const read = async (response: IncomingMessage): Promise<Answer> => {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  const { statusCode = 0, headers, rawHeaders, trailers } = response
  return { status: statusCode, headers, rawHeaders, trailers, body: Buffer.concat(chunks).toString() }
}

/** Sends bytes as they are and resolves with all that comes until the other side closes. */
export const speak = async (port: number, text: string): Promise<string> => {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  socket.write(text, 'latin1')
  return everything(socket)
}

export const everything = async (socket: Socket): Promise<string> => {
  let text = ''
  socket.setEncoding('latin1')
  socket.on('data', chunk => {
    text += chunk
  })
  await new Promise<void>(resolve => {
    socket.once('end', resolve)
    socket.once('close', () => resolve())
    socket.on('error', () => resolve())
  })
  socket.destroy()
  return text
}

/** Until `holds`; how long that may take is the test runner's business. */
export const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise(resolve => setTimeout(resolve, 10))
}
