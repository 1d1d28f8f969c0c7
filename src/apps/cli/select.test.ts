// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the variables of compose files look like that
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { doing, startFake } from '../../../test/cli/fake.ts'
import type { Script } from '../../engine/backend.suite.ts'

const serving: Script = [{ on: 'SIGTERM', exit: 0 }, { sleep: 600_000 }]

let site: Awaited<ReturnType<typeof startFake>>
before(async () => {
  site = await startFake()
})
after(async () => {
  await site[Symbol.asyncDispose]()
})

const write = (name: string, services: Readonly<Record<string, object>>): string => {
  mkdirSync(join(site.folder, name), { recursive: true })
  const path = join(site.folder, name, 'compose.yaml')
  const complete = Object.entries(services).map(([service, more]) => [service, { image: 'fake', command: doing(...serving), ...more }])
  writeFileSync(path, JSON.stringify({ services: Object.fromEntries(complete), volumes: { data: {} } }))
  return path
}
const running = async (environment: string): Promise<Record<string, string>> =>
  Object.fromEntries((await site.client.instances(environment)).filter(({ state }) => state === 'running').map(({ workload, id }) => [workload, id]))

test('up SERVICE brings up it and what it depends on; of an environment that has more, the others stay as they are', async () => {
  const services = { web: { depends_on: ['db'] }, db: {}, worker: {}, bad: { command: doing({ exit: 3 }) } }
  const file = write('shop', services)
  const first = await site.cli(['up', file, 'web'])
  assert.equal(first.status, 0, first.stderr)
  assert.deepEqual(Object.keys(await running('shop')).sort(), ['db', 'web'])
  assert.equal((await site.cli(['up', file, 'worker', '--scale', 'worker=2'])).status, 0)
  assert.equal((await site.cli(['up', file])).status, 1, 'bad fails')

  const before = await running('shop')
  write('shop', { ...services, web: { depends_on: ['db'], environment: { NEW: '1' } }, db: { environment: { NEW: '1' } } })
  const would = await site.cli(['diff', file, '--no-deps', 'web'])
  assert.equal(would.stdout, '~ workload web: env.NEW (is replaced, one instance after another)\n', would.stderr)
  assert.equal((await site.cli(['up', '--dry-run', file, '--no-deps', 'web'])).stdout, would.stdout)
  const second = await site.cli(['up', file, '--no-deps', 'web'])
  assert.equal(second.status, 0, `it does not wait for what has failed elsewhere: ${second.stderr}`)
  const after = await running('shop')
  assert.deepEqual([after['db'], after['worker']], [before['db'], before['worker']])
  assert.notEqual(after['web'], before['web'])
  assert.equal((await site.cli(['up', file, 'web'])).status, 0)
  assert.notEqual((await running('shop'))['db'], before['db'], 'without --no-deps what it depends on is changed too')
  await site.cli(['down', '--force', 'shop'])
})

test('what is no service of the files, or no file, is said', async () => {
  const file = write('wrong', { web: {}, db: {} })
  const unknown = await site.cli(['up', file, 'wbe'])
  assert.equal(unknown.status, 2)
  assert.match(unknown.stderr, /there is no service wbe; did you mean web\?\n {2}There are web, db\. Name a file with -f\./)
  const lone = await site.cli(['up', file, '--no-deps'])
  assert.deepEqual([lone.status, lone.stderr], [2, 'dayfly: --no-deps: no service is named\n  Write it like `dayfly up --no-deps web`.\n'])
  const outside = await site.cli(['up', file, 'web', '--until-exit', 'db'])
  assert.match(outside.stderr, /--until-exit: there is no service db\n {2}There are web\./)
  assert.ok((await site.client.environments({ all: true })).every(({ name }) => name !== 'wrong'))
})

test('config of some services, and with its variables as they are', async () => {
  const file = write('printed', { web: { image: 'w:$TAG', depends_on: ['db'] }, db: { image: 'd' }, odd: { image: 'o', privileged: true } })
  assert.equal((await site.cli(['config', file, 'web', '--services'])).stdout, 'db\nweb\n')
  assert.equal((await site.cli(['config', file, 'db', '--images'])).stdout, 'd\n')
  assert.equal((await site.cli(['config', file, 'db', '--networks'])).stdout, 'default\n')
  const { services } = JSON.parse((await site.cli(['config', file, '--no-interpolate', '--json'])).stdout)
  assert.deepEqual([services.web.image, services.odd.privileged], ['w:$TAG', true])
  const output = join(site.folder, 'printed', 'out.yaml')
  const written = await site.cli(['config', file, 'db', '-o', output])
  assert.deepEqual([written.status, written.stdout], [0, ''])
  assert.equal((await site.cli(['config', output, '--services'])).stdout, 'db\n')
  assert.match((await site.cli(['config', file, '--hash', 'db,none', 'db'])).stderr, /--hash: there is no service none/)
  const both = await site.cli(['config', file, '--services', '--images'])
  assert.deepEqual([both.status, both.stdout], [2, ''])
  assert.match(both.stderr, /--images: --services excludes it/)
})

test('completion knows services, profiles and volumes of the files, and workloads of what lives', async () => {
  const file = write('complete', { web: { volumes: ['data:/d'], image: '${A:?none}' }, worker: {}, tests: { profiles: ['ci'] } })
  const words = async (...args: string[]): Promise<string[]> =>
    (await site.cli(['__complete', '--', ...args])).stdout.split('\n').filter(word => word !== '')
  assert.deepEqual(await words('up', '-f', file, 'w'), ['web', 'worker'])
  assert.deepEqual(await words('up', '-f', file, 'web', ''), ['worker', 'tests'])
  assert.deepEqual(await words('up', '-f', file, '--until-exit', 't'), ['tests'])
  assert.deepEqual(await words('up', file, '--scale', 'w'), ['web=', 'worker='])
  assert.deepEqual(await words('config', file, '--profile', ''), ['ci'])
  assert.deepEqual(await words('up', '-f', join(site.folder, 'none.yaml'), ''), [], 'nothing is said of what is wrong')
  const live = write('alive', { web: {}, db: {} })
  assert.equal((await site.cli(['up', live])).status, 0)
  assert.deepEqual(await words('exec', 'ali'), ['alive', 'alive/web', 'alive/db'])
  assert.deepEqual(await words('logs', 'alive', ''), ['web', 'db'])
  assert.deepEqual(await words('logs', 'alive', 'web', ''), ['db'])
  assert.deepEqual(await words('up', '--name', 'ali'), ['alive'])
  await site.cli(['down', '--force', 'alive'])
})

test('a build that shares the network of the host is told of; one without is not', async () => {
  const built = (network: object) => write('built', { web: { image: 'made', build: { context: '.', ...network } } })
  assert.match((await site.cli(['up', built({ network: 'default' })])).stderr, /warning: services\.web\.build\.network: .*loopback included/)
  assert.doesNotMatch((await site.cli(['up', built({})])).stderr, /network/)
  const refused = await site.cli(['up', built({ network: 'host' })])
  assert.deepEqual([refused.status, /services\.web\.build\.network: .*Host namespaces.*\n {2}Write network: default/.test(refused.stderr)], [2, true])
})
