/** A visitor of the shop, as its pages have them: a cookie, forms, redirections. Knows nothing but the shop's address. */
import type { IncomingMessage } from 'node:http'
import { Agent, request } from 'node:http'

export interface Answer {
  readonly status: number
  readonly body: string
  /** Which of the instances has answered. */
  readonly servedBy: string
}

export interface Order {
  readonly id: number
  readonly state: 'placed' | 'packed'
  readonly packer: string | null
}

export interface Visitor extends Disposable {
  get(path: string): Promise<Answer>
  /** Sends a form. */
  post(path: string, fields?: Readonly<Record<string, string>>): Promise<Answer>
  /** Newest first. */
  orders(): Promise<readonly Order[]>
}

/** What names below localhost mean, where the system's resolver does not know. */
const addressOf = (host: string): string => (host === 'localhost' || host.endsWith('.localhost') ? '127.0.0.1' : host)

const isOrder = (value: unknown): value is Order =>
  typeof value === 'object' &&
  value !== null &&
  'id' in value &&
  typeof value.id === 'number' &&
  'state' in value &&
  (value.state === 'placed' || value.state === 'packed') &&
  'packer' in value

/** `shop`: the address of its front page. Connections are kept; each visitor has one. */
export const visit = (shop: URL): Visitor => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  let cookie: string | undefined

  const ask = (method: string, path: string, form?: string): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const headers = {
        host: shop.host,
        ...(cookie === undefined ? {} : { cookie }),
        ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded', 'content-length': Buffer.byteLength(form) }),
      }
      const sent = request({ host: addressOf(shop.hostname), port: shop.port || 80, method, path, headers, agent })
      sent.on('error', reject)
      sent.on('response', (response: IncomingMessage) => {
        cookie = response.headers['set-cookie']?.[0]?.split(';')[0] ?? cookie
        let body = ''
        response.setEncoding('utf8')
        response.on('error', reject)
        response.on('data', (text: string) => {
          body += text
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body, servedBy: String(response.headers['x-served-by'] ?? '') }))
      })
      sent.end(form)
    })

  return {
    get: path => ask('GET', path),
    post: (path, fields = {}) => ask('POST', path, new URLSearchParams(fields).toString()),
    orders: async () => {
      const { status, body } = await ask('GET', '/orders')
      const orders: unknown = status === 200 ? JSON.parse(body) : undefined
      if (!Array.isArray(orders) || !orders.every(isOrder)) throw new Error(`${shop.href} does not tell the orders: ${status} ${body.slice(0, 200)}`)
      return orders
    },
    [Symbol.dispose]: () => agent.destroy(),
  }
}

export interface Load {
  readonly answered: number
  /** By what was wrong: a status, or the code of an error. */
  readonly failed: Readonly<Record<string, number>>
  readonly instances: number
  /** Median and 99th percentile, ms. */
  readonly p50: number
  readonly p99: number
}

/** So many visitors that look at the front page again and again, for so many ms. */
export const crowd = async (shop: URL, visitors: number, duration: number): Promise<Load> => {
  const times: number[] = []
  const failed = new Map<string, number>()
  const instances = new Set<string>()
  const end = performance.now() + duration
  const look = async (): Promise<void> => {
    using visitor = visit(shop)
    while (performance.now() < end) {
      const begin = performance.now()
      const what = await visitor.get('/').then(
        ({ status, servedBy }) => {
          instances.add(servedBy)
          return status === 200 ? undefined : String(status)
        },
        (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : String(error)),
      )
      if (what === undefined) times.push(performance.now() - begin)
      else failed.set(what, (failed.get(what) ?? 0) + 1)
    }
  }
  await Promise.all(Array.from({ length: visitors }, look))
  times.sort((a, b) => a - b)
  const at = (share: number): number => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN
  return { answered: times.length, failed: Object.fromEntries(failed), instances: instances.size, p50: at(0.5), p99: at(0.99) }
}
