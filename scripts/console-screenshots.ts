/** What scripts/console-screenshots runs: a daemon, environments that do something, a browser, and a picture of each page. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { go, loaded, openConsole, run } from '../test/console/browser.ts'
import { dayflyProgram } from '../test/daemon.ts'

const root = resolve(import.meta.dirname, '..')
const target = join(root, 'docs/console')
mkdirSync(target, { recursive: true })

const answer = 'printf "HTTP/1.1 200 OK\\r\\nContent-Length: 3\\r\\n\\r\\nok\\n"'
const compose = `name: shop
services:
  web:
    image: demo
    command: ["sh", "-c", "while :; do ${answer.replaceAll('\\', '\\\\').replaceAll('"', '\\"')} | nc -l -p 8080 >/dev/null; echo served a page; done"]
    depends_on: [api]
    ports: ["8080"]
  api:
    image: demo
    command: ["sh", "-c", "while :; do ${answer.replaceAll('\\', '\\\\').replaceAll('"', '\\"')} | nc -l -p 8000 >/dev/null; echo answered; done"]
  worker:
    image: demo
    command: ["sh", "-c", "while :; do dd if=/dev/zero of=/tmp/job bs=1M count=40 2>/dev/null; sha256sum /tmp/job | cut -c1-24; timeout 1 nc -w 1 192.0.2.1 443 </dev/null; wget -q -O /dev/null http://api:8000/ || echo no answer >&2; sleep 2; done"]
    depends_on: [api]
`

await using shown = await openConsole('linux')
const tar = execFileSync(join(root, 'scripts/make-image'), { encoding: 'utf8' }).trim()
await shown.call('POST', '/v1/images/import', { path: tar, name: 'demo' })

const folder = mkdtempSync(join(tmpdir(), 'dayfly-screenshots-'))
try {
  writeFileSync(join(folder, 'compose.yaml'), compose)
  const env = { ...process.env, DAYFLY_STATE_DIR: shown.daemon.stateDir, DAYFLY_RUN_DIR: shown.daemon.runDir }
  const up = spawnSync(dayflyProgram, ['up', join(folder, 'compose.yaml')], { encoding: 'utf8', env })
  if (up.status !== 0) throw new Error(up.stderr)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
for (let index = 1; index <= 6; index++) {
  await run(shown, {
    image: 'demo',
    name: `test-${index}`,
    command: ['sh', '-c', `sleep 0.${index}; exit ${index === 4 ? 1 : 0}`],
    labels: { job: 'unit' },
  })
}
await run(shown, {
  image: 'demo',
  name: 'build-4711',
  command: ['sh', '-c', 'i=0; while :; do i=$((i+1)); echo step $i; sleep 1; done'],
  labels: { team: 'blue' },
})
await run(shown, { image: 'demo', name: 'sandbox', kind: 'sandbox', command: ['sleep', '900'], lease: { ttl: 120_000 }, grace: 0 })
await sleep(20_000)

const List = z.object({ environments: z.array(z.object({ id: z.string(), name: z.string() })) })
const { environments } = List.parse(await shown.call('GET', '/v1/environments?all=true'))
const idOf = (name: string): string => environments.find(each => each.name === name)?.id ?? name
const shop = idOf('shop')

const pages: readonly (readonly [name: string, path: string])[] = [
  ['now', '/'],
  ['now-chosen', `/?selected=${shop}`],
  ['now-table', '/?view=table'],
  ['environments', '/environments'],
  ['overview', `/environments/${shop}`],
  ...['logs', 'metrics', 'processes', 'network', 'findings', 'admission', 'record'].map(tab => [tab, `/environments/${shop}/${tab}`] as const),
  ['terminal', `/environments/${shop}/terminal`],
  ['ended', `/environments/${idOf('test-4')}/record`],
  ['start', '/start'],
  ['security', '/security'],
  ['host', '/host'],
  ['cost', '/cost'],
]

const looks = [
  { name: 'light', colorScheme: 'light', viewport: { width: 1360, height: 850 } },
  { name: 'dark', colorScheme: 'dark', viewport: { width: 1360, height: 850 } },
  { name: 'phone', colorScheme: 'light', viewport: { width: 390, height: 800 } },
] as const

const only = process.argv.slice(2)
for (const { name: look, ...options } of looks) {
  const { page, faults } = await shown.open('/', options)
  for (const [name, path] of pages) {
    if (only.length > 0 && !only.includes(name)) continue
    await go(page, path)
    await loaded(page)
    await sleep(name === 'overview' ? 6_000 : 1_000)
    if (name === 'terminal') {
      await page.keyboard.type('ps; ls /\n')
      await sleep(1_000)
    }
    await page.screenshot({ path: join(target, `${name}-${look}.png`) })
  }
  for (const fault of faults) console.error(`${look}: ${fault}`)
  await page.context().close()
}
console.log(`${target}: taken`)
for (const { id } of environments) await shown.call('DELETE', `/v1/environments/${id}?force=true`).catch(() => undefined)
