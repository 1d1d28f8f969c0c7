/**
 * The console with 2,000 living instances on the fake backend: how long until something is painted, until the timeline is there, and what a frame takes while
 * it moves, is scrolled and is searched.
 *
 *     node bench/console.ts [COUNT]
 *
 * The browser is Debian's, without a display or a graphics card; nothing is in its cache. What is wanted: first paint within 1 s, 95 of 100 frames within 33 ms.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { openConsole } from '../test/console/browser.ts'
import { readFacts } from './facts.ts'
import { quantile } from './measure.ts'

const count = Number(process.argv[2] ?? 2000)
/** Of each environment: a host has at most 1,000 environments unless it is told otherwise. */
const replicas = 5

await using shown = await openConsole('fake')
const environments = Math.ceil(count / replicas)
for (let index = 0; index < environments; index++) {
  const life = {
    image: 'fake',
    command: ['fake', '[{"sleep":3600000}]'],
    grace: 0,
    deployment: { scale: { min: replicas, max: replicas, window: 30_000 } },
  }
  await shown.call('POST', '/v1/environments/up', {
    draft: { name: `life-${index}`, labels: { part: String(index % 20) }, workloads: { web: life } },
  })
}
const Instances = z.object({ instances: z.array(z.object({ state: z.string() })), next: z.string().nullable() })
for (;;) {
  let running = 0
  let after: string | null = null
  do {
    const page: z.infer<typeof Instances> = Instances.parse(
      await shown.call('GET', `/v1/instances${after === null ? '' : `?after=${encodeURIComponent(after)}`}`),
    )
    running += page.instances.filter(({ state }) => state === 'running').length
    after = page.next
  } while (after !== null)
  if (running >= environments * replicas) break
  await sleep(500)
}

const { page } = await shown.open('/start')
const begin = performance.now()
await page.goto('/')
const lane = page.getByRole('button', { name: /^life-/ }).first()
await lane.waitFor()
const ready = performance.now() - begin
const Paint = z.array(z.object({ name: z.string(), startTime: z.number() }))
const paints = Paint.parse(await page.evaluate('performance.getEntriesByType("paint").map(({ name, startTime }) => ({ name, startTime }))'))
const firstPaint = paints.find(({ name }) => name === 'first-contentful-paint')?.startTime ?? Number.NaN

/** ms of each frame while `work` (text of a script) is done at each. */
const frames = async (work: string): Promise<readonly number[]> =>
  z.array(z.number()).parse(
    await page.evaluate(`new Promise(resolve => {
      const times = []
      let last = performance.now()
      const step = now => {
        times.push(now - last)
        last = now
        ${work}
        if (times.length < 180) requestAnimationFrame(step)
        else resolve(times.slice(2))
      }
      requestAnimationFrame(step)
    })`),
  )

await page.getByRole('button', { name: '10s', exact: true }).click()
const rows = [
  ['moving', await frames('')],
  ['scrolled', await frames('document.querySelector(".timeline-scroll").scrollTop += 240')],
] as const

/** The newest environment of a part. */
const newestOf = (part: number): number => environments - 1 - ((environments - 1 - part) % 20)
const typed = performance.now()
await page.getByRole('searchbox').fill('part=7')
await page.waitForFunction(`document.querySelector('.lane-title').textContent === 'life-${newestOf(7)}'`)
const search = performance.now() - typed

const facts = readFacts()
const ms = (value: number): string => value.toFixed(0)
const text = [
  '# The console',
  `\`node bench/console.ts ${count}\`: ${count} living instances in ${environments} environments, fake backend. ${facts.processor}, ${facts.cores} cores, ${facts.system}.`,
  '| | ms |\n|---|---:|',
  `| first contentful paint | ${ms(firstPaint)} |\n| the timeline is there | ${ms(ready)} |\n| a search has narrowed it | ${ms(search)} |`,
  '| frames | p50 | p95 | worst |\n|---|---:|---:|---:|',
  rows.map(([name, times]) => `| ${name} | ${ms(quantile(times, 0.5))} | ${ms(quantile(times, 0.95))} | ${ms(Math.max(...times))} |`).join('\n'),
]
  .join('\n\n')
  .replaceAll('|\n\n|', '|\n|')
console.log(text)
writeFileSync(join(import.meta.dirname, 'results/console.md'), `${text}\n`)
