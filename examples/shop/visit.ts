/**
 * Visits the shop from the command line.
 *
 *     node visit.ts order URL                       buys two lamps and waits until they are packed
 *     node visit.ts crowd URL VISITORS SECONDS      so many who look at the front page again and again
 *
 * Exit 1 when something failed.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { crowd, visit } from './visitor.ts'

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const expect = (what: string, status: number, wanted: number): void => {
  say(`${what}: ${status}`)
  if (status !== wanted) throw new Error(`${wanted} was expected`)
}

const lamp = '3'
const patience = 30_000

const order = async (shop: URL): Promise<void> => {
  using visitor = visit(shop)
  const front = await visitor.get('/')
  const title = /<title>(.*?)<\/title>/.exec(front.body)?.[1]
  expect(title === undefined ? 'GET /' : `GET / "${title}" by ${front.servedBy}`, front.status, 200)
  for (let count = 0; count < 2; count++) expect(`POST /cart product=${lamp}`, (await visitor.post('/cart', { product: lamp })).status, 303)
  expect('POST /orders', (await visitor.post('/orders')).status, 303)
  const begin = performance.now()
  while (performance.now() - begin < patience) {
    const [placed] = await visitor.orders()
    if (placed?.state === 'packed') return say(`order ${placed.id} was packed by ${placed.packer}`)
    await sleep(50)
  }
  throw new Error('the order was not packed')
}

const look = async (shop: URL, visitors: number, seconds: number): Promise<void> => {
  const load = await crowd(shop, visitors, seconds * 1000)
  say(
    `${visitors} visitors, ${seconds} s: ${load.answered} pages of ${load.instances} instances, median ${load.p50.toFixed(0)} ms, p99 ${load.p99.toFixed(0)} ms`,
  )
  const failed = Object.entries(load.failed)
  if (failed.length > 0) throw new Error(`failed: ${failed.map(([what, count]) => `${count} × ${what}`).join(', ')}`)
  say('no request failed')
}

const [what, url, visitors, seconds] = process.argv.slice(2)
const counts = [Number(visitors), Number(seconds)] as const
try {
  if (what === 'order' && url !== undefined && URL.canParse(url)) await order(new URL(url))
  else if (what === 'crowd' && url !== undefined && URL.canParse(url) && counts.every(count => count > 0)) await look(new URL(url), ...counts)
  else throw new Error('usage: visit.ts order URL | crowd URL VISITORS SECONDS')
} catch (error) {
  process.stderr.write(`visit: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
