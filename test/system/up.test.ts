/** Compose files on the real backend, by the command line: order, files, secrets, an update, a test stack, a build, the end. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Daemon } from '../daemon.ts'
import { dayflyProgram, makeFolder, root, startDaemon } from '../daemon.ts'

const needsRoot = process.getuid?.() === 0 ? false : 'needs root: it makes namespaces'
const needsBuildah = needsRoot !== false ? needsRoot : spawnSync('buildah', ['--version']).status === 0 ? false : 'buildah is not installed'

const services = (version: string): string => `
services:
  web:
    image: box
    command: ["sh", "-c", "echo ${version} > /tmp/index.html; trap 'kill $$!; exit 0' TERM; httpd -f -p 8080 -h /tmp & wait"]
    ports: ["8080"]
    volumes: ["./site:/site:ro"]
    configs: [{ source: conf, target: /etc/web.conf, mode: 0440 }]
    secrets: [token]
    depends_on: { db: { condition: service_healthy }, migrate: { condition: service_completed_successfully } }
    healthcheck: { test: "wget -q -O /dev/null http://127.0.0.1:8080/", interval: 1s, start_period: 60s, start_interval: 200ms }
  db:
    image: box
    command: ["sh", "-c", "trap 'kill $$!; exit 0' TERM; echo database; sleep 1000 & wait"]
    volumes: ["data:/data"]
    healthcheck: { test: ["CMD", "test", "-f", "/data/seed"], interval: 1s, start_period: 60s, start_interval: 100ms }
  migrate:
    image: box
    command: ["sh", "-c", "cat /data/seed; echo migrated > /data/state"]
    volumes: ["data:/data"]
  tests:
    image: box
    profiles: [test]
    command: ["sh", "-c", "wget -q -O - http://web:8080/ && exit 7"]
    depends_on: { web: { condition: service_healthy } }
volumes: { data: }
configs: { conf: { content: "port = 8080" } }
secrets: { token: { environment: TOKEN } }
`

describe('compose files on the linux backend', { skip: needsRoot, timeout: 600_000 }, () => {
  const folder = needsRoot === false ? makeFolder('/tmp/dayfly-up-') : ''
  const project = join(folder, 'shop')
  let daemon: Daemon

  const dayfly = (...args: string[]): { status: number | null; stdout: string; stderr: string } => {
    const env = { PATH: process.env['PATH'], DAYFLY_RUN_DIR: daemon.runDir, DAYFLY_STATE_DIR: daemon.stateDir, TOKEN: 'hunter22' }
    const { status, stdout, stderr } = spawnSync(dayflyProgram, args, { env, cwd: project, encoding: 'utf8' })
    return { status, stdout, stderr }
  }
  const well = (...args: string[]): string => {
    const { status, stdout, stderr } = dayfly(...args)
    assert.equal(status, 0, `${args.join(' ')}: ${stdout}${stderr}`)
    return stdout
  }
  const write = (version: string): void => writeFileSync(join(project, 'compose.yaml'), services(version))

  before(async () => {
    for (const name of ['site', 'fixtures']) mkdirSync(join(project, name), { recursive: true, mode: 0o755 })
    writeFileSync(join(project, 'site/page'), 'a page\n')
    writeFileSync(join(project, 'fixtures/seed'), 'seeded\n')
    daemon = startDaemon({ folder: join(folder, 'daemon') })
    await daemon.ready
    const tar = execFileSync(join(root, 'scripts/make-image'), [], { encoding: 'utf8' }).trim()
    well('image', 'import', tar, 'box')
  })
  after(async () => {
    const left = await daemon.client.leaks()
    await daemon.stop()
    rmSync(folder, { recursive: true, force: true })
    assert.deepEqual(left, [])
  })

  test('up: in order, with its data, folders, configs and secrets, and reached by the loopback', async () => {
    write('one')
    const shown = well('up', '--seed', 'data=./fixtures')
    const address = /web {2}127\.0\.0\.1:(\d+) → 8080/.exec(shown)?.[1]
    assert.ok(address, shown)
    assert.equal(await (await fetch(`http://127.0.0.1:${address}/`)).text(), 'one\n')
    assert.equal(well('exec', 'shop/web', '--', 'cat', '/site/page', '/etc/web.conf', '/run/secrets/token'), 'a page\nport = 8080hunter22')
    assert.notEqual(dayfly('exec', 'shop/web', '--', 'touch', '/site/new').status, 0)
    assert.equal(well('exec', 'shop/db/1', '--', 'cat', '/data/state'), 'migrated\n')
    assert.match(well('logs', 'shop'), /^migrate-1 +\| seeded$/m)
    assert.match(well('ps', 'shop'), /db +ready[\s\S]*migrate +completed[\s\S]*web +ready/)
  })

  test('an update replaces what has changed and keeps the data', () => {
    write('two')
    const { changes } = JSON.parse(well('diff', '--json'))
    assert.deepEqual(
      changes.map(({ name, effect }: { name: string; effect: string }) => [name, effect]),
      [['web', 'replaced']],
    )
    const before = JSON.parse(well('ps', 'shop', '--json')).environments[0].standing
    well('up')
    assert.equal(well('exec', 'shop/web', '--', 'cat', '/tmp/index.html'), 'two\n')
    assert.equal(well('exec', 'shop/db', '--', 'cat', '/data/state'), 'migrated\n')
    const after = JSON.parse(well('ps', 'shop', '--json')).environments[0].standing
    const idOf = (standing: { name: string; instances: { id: string }[] }[], name: string): string | undefined =>
      standing.find(workload => workload.name === name)?.instances[0]?.id
    assert.equal(idOf(after, 'db'), idOf(before, 'db'))
    assert.notEqual(idOf(after, 'web'), idOf(before, 'web'))
    assert.equal(well('diff'), '')
  })

  test('pause freezes it, resume lets it go on', () => {
    well('pause', 'shop')
    assert.match(well('ps'), /shop +box +paused/)
    well('resume', 'shop')
    assert.match(well('ps'), /shop +box +ready/)
    well('down', '-f', 'compose.yaml')
    assert.equal(well('ps', '--quiet'), '')
  })

  test('a test stack exits as its tests did, and nothing of it is left', () => {
    write('three')
    const { status, stdout } = dayfly('up', '--name', 'ci', '--profile', 'test', '--seed', 'data=fixtures', '--until-exit', 'tests')
    assert.deepEqual([status, stdout], [7, 'tests-1  | three\n'])
    assert.equal(well('ps', '--quiet'), '')
    assert.equal(spawnSync('grep', ['-r', '-l', 'hunter22', daemon.stateDir, join(folder, 'daemon/daemon.log')]).stdout.toString(), '')
  })

  test('what a service builds is built when it is missing, and runs', { skip: needsBuildah }, () => {
    mkdirSync(join(project, 'app'), { mode: 0o700 })
    copyFileSync('/bin/busybox', join(project, 'app/busybox'))
    writeFileSync(join(project, 'app/Dockerfile'), 'FROM box\nARG WORD=none\nRUN echo built $WORD > /built\nCMD ["cat", "/built"]\n')
    writeFileSync(join(project, 'built.yaml'), 'services: { one: { build: { context: ./app, args: { WORD: "in $WHERE" } } } }\n')
    const first = dayfly('up', 'built.yaml', '--name', 'built', '--until-exit', 'one')
    assert.deepEqual([first.status, first.stdout], [0, 'one-1  | built in\n'], first.stderr)
    assert.match(first.stderr, /building built-one for one[\s\S]*STEP/)
    const again = dayfly('up', 'built.yaml', '--name', 'built', '--until-exit', 'one')
    assert.equal(again.status, 0)
    assert.doesNotMatch(again.stderr, /building/)
    assert.equal(dayfly('up', 'built.yaml', '--name', 'other', '--no-build', '--until-exit', 'one').status, 2)
    well('image', 'gc')
  })
})
