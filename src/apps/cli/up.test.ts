import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { doing, outcome, startFake, until } from '../../../test/cli/fake.ts'
import type { Script } from '../../engine/backend.suite.ts'

const serving: Script = [{ on: 'SIGTERM', exit: 0 }, { sleep: 600_000 }]
const command = (...script: Script): string => JSON.stringify(doing(...script))

describe('dayfly up, diff, config, pause and gc, on the fake backend', () => {
  let site: Awaited<ReturnType<typeof startFake>>
  let folder: string
  let count = 0
  before(async () => {
    site = await startFake()
  })
  after(async () => {
    await site[Symbol.asyncDispose]()
  })
  beforeEach(() => {
    folder = join(site.folder, `project-${++count}`)
    mkdirSync(folder)
  })

  /** Writes the services, as lines under `services:`, with what else there is. */
  const write = (services: string, more = ''): string => {
    const path = join(folder, 'compose.yaml')
    writeFileSync(path, `services:\n${services.replaceAll(/^(?=.)/gm, '  ')}\n${more}\n`)
    return path
  }
  const service = (name: string, script: Script, more = ''): string =>
    `${name}:\n  image: fake\n  command: ${command(...script)}\n${more.replaceAll(/^(?=.)/gm, '  ')}\n`

  test('it comes up in order, is ready when all are, and prints where it is reached and when it ends', async () => {
    const file = write(
      service('web', [{ print: 'web\n' }, ...serving], 'depends_on: { db: { condition: service_healthy } }\nports: ["80"]') +
        service(
          'db',
          [{ print: 'db\n' }, ...serving],
          'healthcheck: { test: [CMD, fake, "[]"], interval: 1s, start_period: 1s, start_interval: 50ms }',
        ),
    )
    const { status, stdout, stderr } = await site.cli(['up', '--name', 'shop', file])
    assert.equal(status, 0, stderr)
    assert.match(
      stdout,
      /^shop is ready\n {2}web {2}http:\/\/web\.shop\.localhost:\d+\n {2}web {2}127\.0\.0\.1:\d+ → 80\nit ends in (?:30m|29m5\ds) if nobody uses it.*dayfly extend shop 1h\n$/,
    )
    assert.ok(stderr.indexOf('web: waiting') >= 0 && stderr.indexOf('db: ready') < stderr.indexOf('web: ready'), stderr)

    const listed = await site.cli(['ps'])
    assert.match(listed.stdout, /shop +fake +ready/)
    const shown = await site.cli(['ps', 'shop'])
    assert.match(shown.stdout, /db +ready +1\/1 +0[\s\S]*web +ready +1\/1 +0[\s\S]*db\/1 +running +healthy[\s\S]*web\/1 +running +-/)
    const logs = await site.cli(['logs', 'shop'])
    assert.equal(logs.stdout, 'db-1   | db\nweb-1  | web\n')
    assert.equal((await site.cli(['logs', 'shop', 'web'])).stdout, 'web-1  | web\n')
    assert.equal((await site.cli(['logs', 'shop/db'])).stdout, 'db\n')
    assert.equal((await site.cli(['exec', 'shop/web/1', '--', ...doing({ print: 'in web' }, { exit: 4 })])).status, 4)
    assert.match((await site.cli(['logs', 'shop', 'cache'])).stderr, /no workload "cache"\n {2}It has web, db/)
    assert.equal((await site.cli(['down', '-f', file, '--name', 'shop'])).status, 0)
    assert.equal((await site.cli(['doctor', '--leaks'])).status, 0)
  })

  test('again, it changes what has changed; diff and --dry-run say what would', async () => {
    const file = (word: string) => write(service('web', [{ print: word }, ...serving]) + service('db', serving))
    assert.equal((await site.cli(['up', file('one'), '-p', 'again'])).status, 0)
    const instances = async () =>
      Object.fromEntries((await site.client.instances('again')).filter(({ state }) => state === 'running').map(({ workload, id }) => [workload, id]))
    const before = await instances()
    assert.equal((await site.cli(['diff', file('one'), '-p', 'again', '--exit-code'])).status, 0)
    const would = await site.cli(['diff', file('two'), '-p', 'again', '--exit-code'])
    assert.deepEqual([would.status, would.stdout], [1, '~ workload web: command (is replaced, one instance after another)\n'])
    assert.equal((await site.cli(['up', '--dry-run', file('two'), '-p', 'again'])).stdout, would.stdout)
    assert.deepEqual(await instances(), before, 'nothing was changed by asking')

    const updated = await site.cli(['up', file('two'), '-p', 'again', '--json'])
    assert.equal(updated.status, 0, updated.stderr)
    const { changes, workloads } = JSON.parse(updated.stdout)
    assert.deepEqual(
      changes.map(({ name, kind, fields }: { name: string; kind: string; fields: string[] }) => [name, kind, fields]),
      [['web', 'changed', ['command']]],
    )
    assert.ok(workloads.every(({ state }: { state: string }) => state === 'ready'))
    const after = await instances()
    assert.equal(after['db'], before['db'])
    assert.notEqual(after['web'], before['web'])
    const scaled = await site.cli(['up', file('two'), '-p', 'again', '--scale', 'web=3'])
    assert.equal(scaled.status, 0)
    assert.equal((await site.client.workloads('again')).find(({ name }) => name === 'web')?.ready, 3)
    await site.cli(['down', 'again'])
  })

  test('--until-exit: output and exit code are those of the tests, and nothing is left', async () => {
    const file = write(
      service('tests', [{ print: 'testing\n' }, { exit: 3 }], 'depends_on: [db]') + service('db', [{ print: 'noise\n' }, ...serving]),
    )
    const { status, stdout, stderr } = await site.cli(['up', file, '-p', 'ci', '--until-exit', 'tests'])
    assert.deepEqual([status, stdout], [3, 'tests-1  | testing\n'], stderr)
    assert.deepEqual(
      (await site.client.environments({})).filter(({ name }) => name === 'ci'),
      [],
    )
    const json = await site.cli(['up', file, '-p', 'ci', '--until-exit', 'tests', '--json'])
    const { code, environment } = JSON.parse(json.stdout)
    assert.deepEqual([json.status, code, environment.state], [3, 3, 'ended'])
    const wrong = await site.cli(['up', file, '-p', 'ci', '--until-exit', 'test'])
    assert.deepEqual([wrong.status, wrong.stderr], [2, 'dayfly: --until-exit: there is no service test\n  There are tests, db.\n'])
  })

  test('--until-exit does not wait for what depends on something that has failed', async () => {
    const file = write(
      service('tests', [{ exit: 0 }], 'depends_on: { migrate: { condition: service_completed_successfully } }') +
        service('migrate', [{ print: 'no such table\n', to: 'stderr' }, { exit: 9 }]),
    )
    const { status, stderr } = await site.cli(['up', file, '-p', 'hopeless', '--until-exit', 'tests'])
    assert.equal(status, 1, stderr)
    assert.match(stderr, /migrate: exit code 9[\s\S]*migrate-1 {2}\| no such table|migrate failed: .*9[\s\S]*migrate-1 {2}\| no such table/)
    assert.ok((await site.client.environments({})).every(({ name }) => name !== 'hopeless'))
  })

  test('when a service fails: 1, its name, why, and its last words; what runs is left', async () => {
    const file = write(service('web', serving) + service('bad', [{ print: 'cannot open /etc/bad.conf\n', to: 'stderr' }, { exit: 5 }]))
    const { status, stdout, stderr } = await site.cli(['up', file, '-p', 'half'])
    assert.deepEqual([status, stdout], [1, ''])
    assert.match(stderr, /bad failed: .*5[\s\S]*bad-1 {2}\| cannot open \/etc\/bad\.conf[\s\S]*left as it is: dayfly logs half/)
    assert.equal((await site.client.environment('half')).state, 'running')
    await site.cli(['down', '--force', 'half'])
  })

  test('when not all is ready in time: 1, and what is not', async () => {
    const file = write(
      service('web', serving, 'healthcheck: { test: [CMD, fake, "[{\\"exit\\":1}]"], interval: 1s, start_period: 1h }') + service('db', serving),
    )
    const { status, stderr } = await site.cli(['up', file, '-p', 'slow', '--wait-timeout', '300ms'])
    assert.equal(status, 1)
    assert.match(stderr, /web is starting[\s\S]*not all of it is ready after 300ms/)
    assert.doesNotMatch(stderr, /db is/)
    assert.equal((await site.cli(['up', file, '-p', 'slow', '--no-wait'])).status, 0)
    await site.cli(['down', '--force', 'slow'])
  })

  test('attached: the output of all, and Ctrl-C ends it', async () => {
    const file = write(service('web', [{ print: 'from web\n' }, ...serving]) + service('db', [{ print: 'from db\n' }, ...serving]))
    const child = site.start(['up', '-a', file, '-p', 'attached'])
    const ended = outcome(child)
    let seen = ''
    child.stdout.on('data', (bytes: Buffer) => {
      seen += bytes.toString()
    })
    await until(() => seen.includes('web-1  | from web') && seen.includes('db-1   | from db'))
    child.kill('SIGINT')
    assert.equal((await ended).status, 130)
    assert.ok((await site.client.environments({})).every(({ name }) => name !== 'attached'))
  })

  test('logs -f of many follows instances that come later, until the environment ends', async () => {
    const file = (word: string) => write(service('web', [{ print: `${word}\n` }, ...serving]))
    await site.cli(['up', file('first'), '-p', 'followed', '--scale', 'web=2'])
    const child = site.start(['logs', '-f', 'followed'])
    const ended = outcome(child)
    let seen = ''
    child.stdout.on('data', (bytes: Buffer) => {
      seen += bytes.toString()
    })
    await until(() => seen.includes('web-1  | first') && seen.includes('web-2  | first'))
    await site.cli(['up', file('second'), '-p', 'followed', '--scale', 'web=2'])
    await until(() => seen.includes('web-1  | second') && seen.includes('web-2  | second'))
    await site.cli(['down', 'followed'])
    assert.equal((await ended).status, 0)
  })

  test('secrets come from the caller, a file or a command, and show nowhere', async () => {
    const script: Script = [{ secret: 'a' }, { print: '|' }, { secret: 'b' }, { print: '|' }, { secret: 'c' }, { exit: 0 }]
    const file = write(
      service('one', script, 'secrets: [a, b, c]'),
      'secrets: { a: { environment: SECRET_A }, b: { file: ./b.txt }, c: { x-dayfly: { command: "printf %s sigma" } } }',
    )
    writeFileSync(join(folder, 'b.txt'), 'beta')
    const args = ['up', file, '-p', 'secretive', '--until-exit', 'one']
    const { status, stdout, stderr } = await site.cli(args, { env: { SECRET_A: 'alpha' } })
    assert.deepEqual([status, stdout], [0, 'one-1  | alpha|beta|sigma\n'], stderr)
    const given = await site.cli([...args, '--secret', 'a=cmd:printf omega'])
    assert.equal(given.stdout, 'one-1  | omega|beta|sigma\n', given.stderr)
    const missing = await site.cli(args)
    assert.equal(missing.status, 2)
    assert.match(missing.stderr, /secrets\.a: the variable SECRET_A is not set\n {2}Set SECRET_A/)
    const stray = await site.cli([...args, '--secret', 'z=env:HOME'], { env: { SECRET_A: 'alpha' } })
    assert.deepEqual([stray.status, stray.stderr], [2, 'dayfly: --secret: no service has a secret z\n  There are a, b, c.\n'])
    const record = JSON.stringify([await site.client.events({}), await site.client.environments({ all: true })])
    for (const value of ['alpha', 'beta', 'sigma', 'omega']) assert.ok(!record.includes(value) && !site.log().includes(value), value)
  })

  test('a secret with another content is named by diff, without it, and makes up replace what has it', async () => {
    const file = write(service('one', serving, 'secrets: [a]') + service('two', serving), 'secrets: { a: { environment: SECRET_A } }')
    const of = (command: string, ...more: string[]): string[] => [command, ...more, '-p', 'rotated', file]
    assert.equal((await site.cli(of('up'), { env: { SECRET_A: 'alpha' } })).status, 0)
    const replaced = '~ workload one: secrets.a (is replaced, one instance after another)\n'
    assert.deepEqual(await site.cli(of('diff'), { env: { SECRET_A: 'alpha' } }), { status: 0, signal: null, stdout: '', stderr: '' })
    assert.deepEqual(await site.cli(of('diff'), { env: { SECRET_A: 'omega' } }), { status: 0, signal: null, stdout: replaced, stderr: '' })
    assert.equal((await site.cli(of('up', '--dry-run'), { env: { SECRET_A: 'omega' } })).stdout, replaced)
    const without = await site.cli(of('diff'))
    assert.deepEqual([without.status, without.stdout], [0, ''])
    assert.match(without.stderr, /^dayfly: warning: contents of secrets are not compared: .*SECRET_A is not set$/m)
    const before = await site.client.instances('rotated')
    const again = await site.cli(of('up'), { env: { SECRET_A: 'omega' } })
    assert.match(again.stderr, /~ workload one: secrets\.a/)
    const running = (await site.client.instances('rotated')).filter(({ state }) => state === 'running')
    const old = (workload: string): boolean => running.some(({ id, workload: of }) => of === workload && before.some(instance => instance.id === id))
    assert.deepEqual([old('one'), old('two')], [false, true])
    await site.cli(['down', 'rotated'])
  })

  test('what is wrong is told with its place, all of it, and nothing is created', async () => {
    const file = write('web: { image: fake, privileged: true, restart: sometimes, ports: ["70000:80"] }')
    const bad = await site.cli(['up', file, '-p', 'wrong'])
    assert.equal(bad.status, 2)
    assert.match(bad.stderr, /compose\.yaml:2:\d+: services\.web\./)
    const missing = write('web: { image: nowhere, deploy: { resources: { limits: { cpus: "900" } } } }\ndb: { image: elsewhere }')
    const { status, stderr } = await site.cli(['up', missing, '-p', 'wrong'])
    assert.equal(status, 2)
    assert.match(stderr, /services\.web\.limits\.cpus: [\s\S]*services\.web\.image: [\s\S]*services\.db\.image: /)
    assert.equal((await site.cli(['up', join(folder, 'none.yaml')])).status, 2)
    assert.equal((await site.cli(['up', file, '--build', '--no-build'])).status, 2)
    const seeded = await site.cli(['up', write(service('web', serving)), '-p', 'wrong', '--seed', 'data=/tmp'])
    assert.deepEqual([seeded.status, seeded.stderr], [2, 'dayfly: --seed: no service has a volume data\n  List it under volumes of a service.\n'])
    assert.ok((await site.client.environments({ all: true })).every(({ name }) => name !== 'wrong'))
  })

  test('warnings go to standard error with their place', async () => {
    const file = write(service('web', [{ exit: 0 }], 'ports: ["53:53/udp"]\nlogging: { driver: none }'))
    const { status, stderr } = await site.cli(['up', file, '-p', 'warned', '--until-exit', 'web'])
    assert.equal(status, 0)
    assert.match(stderr, /dayfly: warning: compose\.yaml:\d+: services\.web\.logging: /)
    assert.match(stderr, /dayfly: warning: services\.web\.ports\[0\]: 53\/udp is not published/)
  })

  test('config prints what the files come to', async () => {
    const file = write(
      `${service('web', serving)}db: { image: "postgres:\${VERSION:-16}", volumes: ["data:/data"], profiles: [all] }`,
      'volumes: { data: }',
    )
    assert.equal((await site.cli(['config', file, '--services', '--profile', 'all'])).stdout, 'db\nweb\n')
    assert.equal((await site.cli(['config', file, '--images', '--profile', 'all'], { env: { VERSION: '17' } })).stdout, 'postgres:17\nfake\n')
    assert.equal((await site.cli(['config', file, '--volumes', '--profile', 'all'])).stdout, 'data\n')
    assert.equal((await site.cli(['config', file, '--profiles'])).stdout, 'all\n')
    const document = JSON.parse((await site.cli(['config', file, '--json'])).stdout)
    assert.deepEqual(Object.keys(document.services), ['web'])
    const hash = async (env: Record<string, string>) => (await site.cli(['config', file, '--hash', 'db', '--profile', 'all'], { env })).stdout
    assert.match(await hash({}), /^db [0-9a-f]{64}\n$/)
    assert.notEqual(await hash({}), await hash({ VERSION: '17' }))
    assert.deepEqual(await site.cli(['config', '-q', '-'], { stdin: 'services: { a: { image: b } }' }), {
      status: 0,
      signal: null,
      stdout: '',
      stderr: '',
    })
    const broken = await site.cli(['config', '-q', '-'], { stdin: 'services: { a: { imag: b } }' })
    assert.equal(broken.status, 2)
    assert.match(broken.stderr, /services\.a/)
  })

  test('pause freezes, resume lets go on', async () => {
    await site.cli(['up', write(service('web', serving)), '-p', 'frozen'])
    assert.equal((await site.cli(['pause', 'frozen'])).status, 0)
    assert.match((await site.cli(['ps'])).stdout, /frozen .*paused/)
    assert.equal((await site.cli(['resume', 'frozen'])).status, 0)
    assert.match((await site.cli(['ps'])).stdout, /frozen .*ready/)
    await site.cli(['down', 'frozen'])
  })

  test('wait ENVIRONMENT/WORKLOAD is for what is not restarted', async () => {
    await site.cli(['up', write(service('once', [{ exit: 6 }], 'restart: "on-failure:1"') + service('web', serving)), '-p', 'waited', '--no-wait'])
    assert.equal((await site.cli(['wait', 'waited/once'])).stdout, '6\n')
    assert.equal((await site.client.workloads('waited')).find(({ name }) => name === 'once')?.restarts, 1)
    await site.cli(['down', 'waited'])
  })

  test('gc ends what comes from a source that is gone', async () => {
    const file = write(service('web', serving))
    const url = 'https://git.example.org/shop'
    for (const branch of ['kept', 'gone']) await site.cli(['up', file, '-p', `pr-${branch}`, '--source', `${url}@${branch}`])
    await site.cli(['up', file, '-p', 'by-hand'])
    const open = join(folder, 'open')
    writeFileSync(open, '# open branches\nkept\n\nother\n')
    assert.equal((await site.cli(['gc', '--keep-open', open, '--dry-run'])).stdout, `pr-gone  ${url}@gone\n`)
    assert.equal((await site.cli(['gc', '--keep-open', '-'], { stdin: `${url}@kept\n` })).stdout, `pr-gone  ${url}@gone\n`)
    const names = (await site.client.environments({})).map(({ name }) => name).sort()
    assert.deepEqual(names, ['by-hand', 'pr-kept'])
    assert.equal((await site.cli(['gc'])).status, 2)
    await site.cli(['down', '--all'])
  })

  test('a client that is killed leaves what it has asked for', async () => {
    const child = site.start([
      'up',
      write(service('web', serving, 'healthcheck: { test: [CMD, fake, "[{\\"exit\\":1}]"], start_period: 1h }')),
      '-p',
      'left',
    ])
    await until(async () => (await site.client.environments({})).some(({ name }) => name === 'left'))
    child.kill('SIGKILL')
    await once(child, 'close')
    assert.equal((await site.client.environment('left')).state, 'running')
    await site.cli(['down', '--force', 'left'])
  })
})
