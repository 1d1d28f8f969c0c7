/**
 * What a daemon knows of the images that environments run, and what it does when more becomes known: real images, a real daemon, a small set of OSV records
 * made here.
 */
import assert from 'node:assert/strict'
import type { SpawnSyncReturns } from 'node:child_process'
import { execFileSync, spawnSync } from 'node:child_process'
import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, get as httpGet } from 'node:http'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { createClient } from '../../src/api/client/client.ts'
import type { UpInput } from '../../src/api/schemas/workloads.ts'
import { DayflyError } from '../../src/base/errors.ts'
import type { Event } from '../../src/model/event.ts'
import type { Daemon } from '../daemon.ts'
import { dayflyProgram, makeFolder, root, startDaemon } from '../daemon.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root: the daemon makes namespaces'
const patience = 60_000

const until = async (what: string, check: () => boolean | Promise<boolean>): Promise<void> => {
  for (const begin = performance.now(); !(await check()); await sleep(50))
    assert.ok(performance.now() - begin < patience, `${what} did not come about`)
}

const vector = { critical: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H', medium: 'CVSS:3.1/AV:N/AC:H/PR:L/UI:N/S:U/C:L/I:L/A:N' }

const advisory = (id: string, source: string, fixed: string | undefined, severity: keyof typeof vector, aliases: readonly string[] = []): object => ({
  ...{ schema_version: '1.6.0', id, modified: '2026-01-02T00:00:00Z', published: '2026-01-01T00:00:00Z', aliases, summary: `${id} in ${source}` },
  severity: [{ type: 'CVSS_V3', score: vector[severity] }],
  affected: [
    {
      package: { ecosystem: 'Debian:12', name: source },
      ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, ...(fixed === undefined ? [] : [{ fixed }])] }],
    },
  ],
})
const worst = advisory('CVE-2099-1', 'openssl', '3.0.15-1~deb12u1', 'critical', ['GHSA-aaaa-bbbb-cccc'])
const mild = advisory('CVE-2099-2', 'zlib', undefined, 'medium')

describe('what a daemon knows', { skip, timeout: 300_000 }, () => {
  let folder = ''
  let daemon: Daemon
  let data = ''

  const dayfly = (...args: readonly string[]): SpawnSyncReturns<string> => {
    const env = { PATH: process.env['PATH'], HOME: folder, DAYFLY_RUN_DIR: daemon.runDir, DAYFLY_STATE_DIR: daemon.stateDir }
    return spawnSync(dayflyProgram, args, { env, encoding: 'utf8' })
  }
  const ok = (...args: readonly string[]): string => {
    const { status, stdout, stderr } = dayfly(...args)
    assert.equal(status, 0, `dayfly ${args.join(' ')}: ${stderr}`)
    return stdout
  }
  const put = (advisories: readonly object[]): void => {
    rmSync(data, { recursive: true, force: true })
    mkdirSync(data)
    for (const [index, each] of advisories.entries()) writeFileSync(join(data, `${index}.json`), JSON.stringify(each))
  }
  /** The data is these records from now on, and every image that runs has been held against them. */
  const learn = async (...advisories: readonly object[]): Promise<void> => {
    put(advisories)
    const { records } = await daemon.client.updateVulnerabilityData({ sources: [{ location: data }] }, () => {})
    assert.equal(records, advisories.length)
  }
  const writePolicy = (whileRunning: object, ...more: readonly object[]): void => {
    const settings = { apiVersion: 'dayfly.dev/v1', kind: 'AdmissionSettings', spec: { preset: 'permissive', whileRunning } }
    mkdirSync(join(folder, 'state/policies'), { recursive: true })
    writeFileSync(join(folder, 'state/policies/settings.yaml'), [settings, ...more].map(document => JSON.stringify(document)).join('\n---\n'))
  }
  /** Resolves when it is in force. */
  const policy = async (whileRunning: object, ...more: readonly object[]): Promise<void> => {
    const changes = (): number => readFileSync(join(folder, 'daemon.log'), 'utf8').split('"policies have changed"').length
    const before = changes()
    writePolicy(whileRunning, ...more)
    await until('the policy is in force', () => changes() > before)
  }
  const eventsOf = (environment: string, type: string): Promise<Event[]> =>
    daemon.client.events({ environment }).then(events => events.filter(event => event.type === type))
  const raised = async (environment: string): Promise<unknown[]> =>
    (await eventsOf(environment, 'finding.raised')).map(({ data: { id, package: of, severity, fixed } }) => [
      id,
      String(of).split('@')[0],
      severity,
      fixed,
    ])
  const run = (image: string, name: string): Promise<{ id: string }> =>
    daemon.client.create({ image, name, command: ['sleep', '600'], lease: { ttl: 600_000 }, limits: { memory: 16 * 1024 * 1024, cpus: 0.2 } })

  const importImage = async (name: string, status: string): Promise<void> => {
    const tar = execFileSync(join(root, 'scripts/make-image'), [], { encoding: 'utf8' }).trim()
    const base = join(folder, 'root')
    rmSync(base, { recursive: true, force: true })
    mkdirSync(base)
    execFileSync('tar', ['-xf', tar, '-C', base])
    rmSync(join(base, 'var/lib/dpkg'), { recursive: true })
    mkdirSync(join(base, 'var/lib/dpkg'), { recursive: true })
    writeFileSync(join(base, 'etc/os-release'), 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n')
    writeFileSync(join(base, 'var/lib/dpkg/status'), status)
    await daemon.client.importImage({ path: base, name, command: ['/bin/sh'] }, () => {})
    rmSync(base, { recursive: true, force: true })
  }
  const entry = (name: string, version: string, source = ''): string =>
    `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\n${source}Version: ${version}\nDescription: x\n\n`
  const full = `${entry('libssl3', '3.0.11-1~deb12u2', 'Source: openssl\n')}${entry('zlib1g', '1:1.2.13.dfsg-1', 'Source: zlib\n')}`

  const start = async (): Promise<void> => {
    daemon = startDaemon({ folder })
    await daemon.ready
  }

  before(async () => {
    folder = makeFolder('/tmp/dayfly-inventory-')
    data = join(folder, 'osv')
    writePolicy({ action: 'none' })
    await start()
    await importImage('app:1', full)
    await importImage('app:2', `${entry('libssl3', '3.0.15-1~deb12u1', 'Source: openssl\n')}`)
  })
  beforeEach(async () => {
    for (const { id } of await daemon.client.environments()) await daemon.client.end(id, { force: true })
    await policy({ action: 'none' })
    await learn()
  })
  after(async () => {
    for (const { id } of await daemon.client.environments()) await daemon.client.end(id, { force: true })
    assert.deepEqual(await daemon.client.leaks(), [])
    await daemon[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  })

  test('an image is scanned: findings, CycloneDX, SPDX, and a summary where it is inspected', async () => {
    await learn(worst, mild)
    const scan = await daemon.client.scan({ image: 'app:1' }, () => {})
    assert.equal(scan.distribution?.id, 'debian')
    assert.deepEqual(scan.packages.map(({ name, version, source }) => [name, version, source?.name]).sort(), [
      ['libssl3', '3.0.11-1~deb12u2', 'openssl'],
      ['zlib1g', '1:1.2.13.dfsg-1', 'zlib'],
    ])
    const vulnerabilities = scan.findings.flatMap(finding =>
      finding.kind === 'vulnerability' ? [[finding.id, finding.severity, finding.fixed]] : [],
    )
    assert.deepEqual(vulnerabilities, [
      ['CVE-2099-1', 'critical', '3.0.15-1~deb12u1'],
      ['CVE-2099-2', 'medium', undefined],
    ])
    assert.ok(scan.findings.some(({ id }) => id === 'image-without-digest'))
    assert.deepEqual([scan.problems, scan.unknown, scan.dataFrom], [[], [], Date.parse('2026-01-02T00:00:00Z')])
    const cyclonedx = await daemon.client.document({ image: 'app:1' }, 'cyclonedx', () => {})
    assert.equal(cyclonedx['specVersion'], '1.6')
    assert.equal(z.array(z.unknown()).parse(cyclonedx['vulnerabilities']).length, 2)
    const spdx = await daemon.client.document({ image: 'app:1' }, 'spdx', () => {})
    assert.equal(spdx['spdxVersion'], 'SPDX-2.3')
    await assert.rejects(
      daemon.client.scan({ image: 'nobody/has:this', pull: 'never' }, () => {}),
      error => error instanceof DayflyError && error.code === 'not_found' && error.field === 'image',
    )
    const inspected = ok('image', 'inspect', 'app:1')
    assert.match(inspected, /packages +2\n/)
    assert.match(inspected, /vulnerabilities +1 critical, 1 medium \(data of 2026-01-02/)
    const { scan: summary } = await daemon.client.image('app:1')
    assert.deepEqual([summary?.packages, summary?.vulnerabilities.critical, summary?.vulnerabilities.low], [2, 1, 0])
  })

  test('who ran it is answered while it runs, when it has ended, when the image is gone, and by the next daemon', async () => {
    const who = async (parameters: Parameters<Daemon['client']['who']>[0]): Promise<unknown[]> =>
      (await daemon.client.who(parameters)).rows.map(({ environment, workload, running, package: of, fixed, until: end }) => [
        ...[environment.name, workload, running, of?.name, fixed, end === null],
      ])
    await importImage('gone:1', entry('only-here', '7.1-2'))
    const [one] = [await run('gone:1', 'first'), await run('app:1', 'second'), await run('app:2', 'third')]
    assert.deepEqual(await who({ package: 'only-here@7.1' }), [['first', 'main', 1, 'only-here', null, true]])
    assert.deepEqual(await who({ package: 'openssl@3.0.11' }), [['second', 'main', 1, 'libssl3', null, true]])
    assert.deepEqual((await who({ package: 'libssl3' })).length, 2)
    assert.deepEqual((await who({ image: 'app:2' })).length, 1)
    assert.deepEqual(await who({ package: 'only-here', since: Date.now() + 60_000 }), [['first', 'main', 1, 'only-here', null, true]])

    await daemon.client.end(one.id, { force: true })
    await daemon.client.removeImage('gone:1')
    assert.deepEqual(await who({ package: 'only-here@7.1-2' }), [['first', 'main', 0, 'only-here', null, false]])
    assert.deepEqual(await who({ package: 'only-here', running: true }), [])
    assert.deepEqual(await who({ package: 'only-here', since: Date.now() + 60_000 }), [])

    // Data that comes now is about what ran then.
    await learn(advisory('CVE-2099-7', 'only-here', '7.3-1', 'critical', ['GHSA-7777']), worst)
    await until('the image that is gone is held against it', async () => (await who({ cve: 'GHSA-7777' })).length === 1)
    assert.deepEqual(await who({ cve: 'CVE-2099-7' }), [['first', 'main', 0, 'only-here', '7.3-1', false]])
    await until('the image that runs', async () => (await who({ cve: 'CVE-2099-1' })).length === 1)

    await daemon.kill()
    await start()
    assert.deepEqual(await who({ package: 'only-here@7.1', cve: 'CVE-2099-7' }), [['first', 'main', 0, 'only-here', '7.3-1', false]])
    assert.deepEqual(await who({ cve: 'CVE-2099-1', running: true }), [['second', 'main', 1, 'libssl3', '3.0.15-1~deb12u1', true]])
    assert.deepEqual(await raised(one.id), [])
  })

  test('the command: a table, JSON, nobody, and three mistakes', async () => {
    await learn(worst)
    await run('app:1', 'web')
    const text = ok('who', '--package', 'openssl@3.0.11', '--since', '30d')
    assert.match(text, /^ENVIRONMENT +WORKLOAD +IMAGE +PACKAGE +STATE +WHEN +VULNERABILITIES +FIXED IN\n/)
    assert.match(text, /^web +main +\S*app:1 +libssl3 3\.0\.11-1~deb12u2 +running +since .*CVE-2099-1 critical +3\.0\.15-1~deb12u1$/m)
    const json: unknown = JSON.parse(ok('who', '--cve', 'GHSA-aaaa-bbbb-cccc', '--running', '--json'))
    const { rows } = z.object({ rows: z.array(z.object({ environment: z.object({ name: z.string() }) })) }).parse(json)
    assert.deepEqual(rows, [{ environment: { name: 'web' } }])
    assert.equal(ok('who', '--package', 'never-heard-of'), 'nobody\n')
    for (const [args, message] of [
      [[], /--package: neither a package, nor a vulnerability, nor an image is asked for\n {2}Name one of them/],
      [['--package', 'x', '--since', 'yesterday'], /--since: "yesterday" is neither a duration nor a date/],
      [['--package', 'x', '--limit', '0'], /limit/],
    ] as const) {
      const { status, stderr } = dayfly('who', ...args)
      assert.match(stderr, message)
      assert.equal(status, 2)
    }
  })

  test('what becomes known while it runs goes into the record, once', async () => {
    const one = await run('app:1', 'one')
    const other = await run('app:2', 'other')
    assert.deepEqual(await raised(one.id), [])
    await learn(worst)
    const first = ['CVE-2099-1', 'pkg:deb/debian/libssl3', 'critical', '3.0.15-1~deb12u1']
    await until('the first is raised', async () => (await raised(one.id)).length > 0)
    assert.deepEqual(await raised(one.id), [first])
    const [event] = await eventsOf(one.id, 'finding.raised')
    assert.equal(event?.reason, 'CVE-2099-1 (critical) in libssl3 3.0.11-1~deb12u2 of main: fixed in 3.0.15-1~deb12u1')

    // It was known when this one began.
    const late = await run('app:1', 'late')
    await learn()
    await learn(worst)
    await daemon.kill()
    await start()
    await learn(worst, mild)
    await until('the second is raised', async () => (await raised(one.id)).length > 1)
    const second = ['CVE-2099-2', 'pkg:deb/debian/zlib1g', 'medium', undefined]
    assert.deepEqual(await raised(one.id), [first, second])
    await until('also of the other', async () => (await raised(late.id)).length > 0)
    assert.deepEqual(await raised(late.id), [second])
    assert.deepEqual(await raised(other.id), [])
    assert.deepEqual(await eventsOf(one.id, 'finding.warned'), [])
  })

  test('policy warns, once each; what is exempted or said to do no harm is let be', async () => {
    const exemption = {
      ...{ apiVersion: 'dayfly.dev/v1', kind: 'Exemption', metadata: { name: 'known' } },
      spec: {
        ...{ policies: ['images'], match: { namespaces: ['exempted'], findings: ['GHSA-aaaa-bbbb-cccc'] } },
        ...{ owner: 'us', reason: 'it is behind a wall', until: new Date(Date.now() + 86_400_000).toISOString() },
      },
    }
    await policy({ action: 'warn', severity: 'critical' }, exemption)
    const [one, exempted] = [await run('app:1', 'warned'), await run('app:1', 'exempted')]
    await learn(worst, mild)
    await until('a warning', async () => (await eventsOf(one.id, 'finding.warned')).length > 0)
    await policy({ action: 'warn', severity: 'low', fixable: false }, exemption)
    await until('another warning', async () => (await eventsOf(one.id, 'finding.warned')).length > 1)
    assert.deepEqual(
      (await eventsOf(one.id, 'finding.warned')).map(event => event.data['ids']),
      [['CVE-2099-1'], ['CVE-2099-2']],
    )
    await until('one that is not exempted', async () => (await eventsOf(exempted.id, 'finding.warned')).length > 0)
    assert.deepEqual(
      (await eventsOf(exempted.id, 'finding.warned')).map(event => event.data['ids']),
      [['CVE-2099-2']],
    )
    const { digest } = await daemon.client.image('app:1')
    const vex = join(folder, 'app.openvex.json')
    const say = (...statements: readonly object[]): void => {
      const document = { '@context': 'https://openvex.dev/ns/v0.2.0', '@id': 'https://example.org/vex', author: 'us', version: 1 }
      writeFileSync(vex, JSON.stringify({ ...document, timestamp: '2026-01-03T00:00:00Z', statements }))
      ok('vulndb', 'import', vex)
    }
    const products = [`pkg:oci/app@${encodeURIComponent(digest)}`]
    say({ vulnerability: { name: 'CVE-2099-1' }, products, status: 'not_affected', justification: 'component_not_present' })
    await until('it is settled', async () =>
      (await daemon.client.who({ cve: 'CVE-2099-1' })).rows.every(row => row.vulnerabilities.every(each => each.settled)),
    )
    await policy({ action: 'end', severity: 'critical' }, exemption)
    await sleep(1_000)
    assert.equal((await daemon.client.environment(one.id)).state, 'running')
    say()
  })

  test('policy isolates: it runs on and is reached through the gateway, nothing gets out of it, over a killed daemon and for instances to come', async () => {
    const web = {
      ...{ image: 'app:1', command: ['/bin/sh', '-c', 'echo here > /tmp/index.html; httpd -f -p 8080 -h /tmp'] },
      ...{ limits: { memory: 16 * 1024 * 1024, cpus: 0.2, pids: 32 }, egress: [{ cidr: '192.0.2.0/24' }] },
      deployment: {
        expose: [{ port: 8080, protocol: 'http' as const }],
        restart: { condition: 'always' as const, attempts: 5, delay: 100, window: 10_000 },
      },
    }
    const draft: UpInput['draft'] = { name: 'shop', lease: { ttl: 600_000 }, workloads: { web } }
    const { environment } = await daemon.client.up({ draft }, () => {})
    const bystander = await run('app:2', 'bystander')
    const url = async (): Promise<string | undefined> => (await daemon.client.workloads('shop'))[0]?.exposed[0]?.url ?? undefined
    const answer = async (): Promise<string> => {
      const { port, host } = new URL((await url()) ?? 'http://nowhere:1')
      const { promise, resolve, reject } = Promise.withResolvers<string>()
      httpGet({ host: '127.0.0.1', port, headers: { host }, agent: false }, got => {
        got.setEncoding('utf8').on('data', resolve).on('error', reject)
      }).on('error', reject)
      return await promise
    }
    await until('it answers', () => answer().then(text => text === 'here\n', () => false)) // biome-ignore format: short
    const isolated = (): string[] => {
      const listed = execFileSync('nft', ['-j', 'list', 'sets', 'inet'], { encoding: 'utf8' })
      const { nftables } = z
        .object({ nftables: z.array(z.object({ set: z.object({ name: z.string(), elem: z.array(z.unknown()).optional() }).optional() })) })
        .parse(JSON.parse(listed))
      return nftables.flatMap(({ set }) => (set?.name === 'isolated' ? (set.elem ?? []) : [])).map(String)
    }
    const before = new Set(isolated())
    await policy({ action: 'isolate', severity: 'critical' })
    await learn(worst)
    await until('it is isolated', async () => (await eventsOf(environment.id, 'environment.isolated')).length > 0)
    const [bridge, ...more] = isolated().filter(name => !before.has(name))
    assert.ok(bridge !== undefined && more.length === 0)
    const [event] = await eventsOf(environment.id, 'environment.isolated')
    assert.match(event?.reason ?? '', /^isolated by policy: CVE-2099-1 \(critical\) in libssl3/)
    assert.deepEqual(await eventsOf(bystander.id, 'environment.isolated'), [])
    assert.equal(await answer(), 'here\n')
    const reach = async (): Promise<number | undefined> => {
      const [workload] = await daemon.client.workloads('shop')
      const id = workload?.instances.find(({ state }) => state === 'running')?.id ?? ''
      // Refused at once would be an answer: what is closed is silent.
      return dayfly('exec', id, '--', 'timeout', '2', 'nc', '192.0.2.9', '80').status ?? undefined
    }
    assert.equal(await reach(), 143)
    const denied = async (): Promise<number> =>
      (await eventsOf(environment.id, 'egress.denied')).filter(({ data: { destination } }) => destination === '192.0.2.9').length
    await until('what it tried is in the record', async () => (await denied()) > 0)

    await daemon.kill()
    await start()
    assert.ok(isolated().includes(bridge))
    const running = async (): Promise<string | undefined> =>
      (await daemon.client.workloads('shop'))[0]?.instances.find(({ state }) => state === 'running')?.id
    await until('it is taken up', async () => (await running()) !== undefined)
    const gone = await running()
    await daemon.client.kill(gone ?? '', 'SIGKILL')
    await until('another instance runs', async () => ![undefined, gone].includes(await running()))
    await until('it answers again', () => answer().then(text => text === 'here\n', () => false)) // biome-ignore format: short
    assert.equal(await reach(), 143)
    assert.equal((await eventsOf(environment.id, 'environment.isolated')).length, 1)
    await daemon.client.end(environment.id, { force: true })
    assert.ok(!isolated().includes(bridge))
  })

  test('policy ends what has it, with a cause, and nothing else; exploited is worse than any severity', async () => {
    await policy({ action: 'end', severity: 'critical' })
    const [doomed, fine] = [await run('app:1', 'doomed'), await run('app:2', 'fine')]
    await learn(mild)
    await until('it is known', async () => (await raised(doomed.id)).length > 0)
    await sleep(1_000)
    assert.equal((await daemon.client.environment(doomed.id)).state, 'running')
    const kev = join(folder, 'kev.json')
    writeFileSync(kev, JSON.stringify({ catalogVersion: '1', dateReleased: '2026-01-03T00:00:00Z', vulnerabilities: [{ cveID: 'CVE-2099-2' }] }))
    ok('vulndb', 'import', kev)
    await until('it has ended', async () => (await daemon.client.environment(doomed.id)).state === 'ended')
    const { cause, reason } = await daemon.client.environment(doomed.id)
    assert.deepEqual([cause, reason], ['policy', 'ended by policy: CVE-2099-2 (medium, exploited) in zlib1g 1:1.2.13.dfsg-1'])
    assert.equal((await daemon.client.environment(fine.id)).state, 'running')
    // What is gone must be no news for the tests that follow.
    writeFileSync(kev, JSON.stringify({ catalogVersion: '2', dateReleased: '2026-01-04T00:00:00Z', vulnerabilities: [] }))
    ok('vulndb', 'import', kev)
  })

  test('data: shown, replaced whole, refused when it is none, and cancelled', async () => {
    await learn(worst)
    assert.match(ok('vulndb', 'status'), /^records +1\nnewest +2026-01-02T00:00:00Z, .* ago\nabout +Debian:12\n/)
    put([worst, mild])
    const updated: unknown = JSON.parse(ok('vulndb', 'update', '--json'))
    assert.equal(z.object({ records: z.number() }).parse(updated).records, 2)
    appendFileSync(join(data, '0.json'), 'no JSON')
    const { stdout } = dayfly('vulndb', 'update')
    assert.match(stdout, /fault +0\.json/)
    const status = await daemon.client.vulnerabilityData()
    assert.equal(status.sources.find(({ location }) => location === data)?.bad, 1)

    const server = createServer(() => {}).listen(0, '127.0.0.1') // It never answers.
    try {
      await until('the server listens', () => server.listening)
      const address = server.address()
      const location = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/all.zip`
      const giving = new AbortController()
      const asked = new Promise<void>(resolve => server.once('request', () => resolve()))
      const updating = createClient(join(daemon.runDir, 'dayfly.sock'), giving.signal).updateVulnerabilityData({ sources: [{ location }] }, () => {})
      updating.catch(() => undefined) // Looked at below.
      await asked
      await assert.rejects(
        daemon.client.updateVulnerabilityData({ sources: [{ location: data }] }, () => {}),
        error => error instanceof DayflyError && error.code === 'conflict',
      )
      giving.abort()
      await assert.rejects(updating)
    } finally {
      server.closeAllConnections()
      server.close()
    }
    await until('another may begin', () => dayfly('vulndb', 'update', '--source', data).status === 0)
    assert.equal(
      (await daemon.client.vulnerabilityData()).sources.some(({ location }) => location.startsWith('http')),
      false,
    )

    for (const [args, message] of [
      [['update', '--source', '/nowhere/at/all'], /--source: there is no \/nowhere\/at\/all\n {2}Name a folder, a file or an https:/],
      [['import', join(root, 'package.json')], /is no vulnerability data that Dayfly knows/],
      [['update', '--source', 'http://192.0.2.1/all.zip'], /is not fetched from http:\/\/192\.0\.2\.1\n {2}Use an https/],
      [['update', '--source', data, '--format', 'csv'], /--format: "csv" is not one of osv/],
    ] as const) {
      const { status: code, stderr } = dayfly('vulndb', ...args)
      assert.match(stderr, message)
      assert.equal(code, 2, stderr)
    }
  })

  test('a folder of data without a daemon', () => {
    put([worst])
    const db = join(folder, 'db')
    assert.match(ok('vulndb', 'update', '--db', db, '--source', data), /^records +1\n/)
    put([worst, mild])
    assert.match(ok('vulndb', 'update', '--db', db), /^records +2\n/)
    assert.match(ok('vulndb', 'status', '--db', db), /^records +2\n/)
    assert.match(ok('vulndb', 'status', '--db', join(folder, 'none')), /there is no vulnerability data/)
  })
})
