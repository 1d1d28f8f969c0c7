import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { load } from './compose.ts'
import type { Drafted, DraftOptions } from './draft.ts'
import { draftOf, environmentName } from './draft.ts'
import { InvalidCompose } from './problems.ts'

const folder = '/srv/shop'

/** The draft of a compose file that lies in /srv/shop, with whatever else lies there. */
const draft = async (text: string, options: DraftOptions = {}, env: Record<string, string> = {}): Promise<Drafted> => {
  const sources = {
    read: async (path: string): Promise<string> => {
      if (path === `${folder}/compose.yaml`) return text
      throw Object.assign(new Error(`no ${path}`), { code: 'ENOENT' })
    },
    kind: async (path: string) =>
      path === `${folder}/compose.yaml` || path.includes('.txt') ? ('file' as const) : path.endsWith('.env') ? undefined : ('folder' as const),
    realpath: async (path: string) => path,
  }
  const loaded = await load({ files: ['compose.yaml'], projectFolder: folder, env, profiles: [], sources })
  return draftOf(loaded, options)
}

const workload = async (lines: string, options: DraftOptions = {}) => {
  const drafted = await draft(`services:\n  web:\n    image: nginx\n${lines.replaceAll(/^/gm, '    ')}\n`, options)
  const web = drafted.draft.workloads['web']
  assert.ok(web)
  return { ...drafted, web, deployment: web.deployment ?? {} }
}

const problems = async (work: Promise<unknown>): Promise<string[]> => {
  const error = await work.then(
    () => assert.fail('it was taken'),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof InvalidCompose, String(error))
  return error.problems.map(({ path, message }) => `${path}: ${message}`)
}

test('a plain file needs nothing of ours', async () => {
  const {
    draft: made,
    warnings,
    builds,
    secrets,
  } = await draft(
    `
name: My_Shop
services:
  web: { image: nginx, ports: ["8080:80"], depends_on: [db] }
  db: { image: postgres, restart: always }
`.replace('My_Shop', 'my_shop'),
  )
  assert.equal(made.name, 'my-shop')
  assert.deepEqual(Object.keys(made.workloads), ['web', 'db'])
  assert.deepEqual(made.networks, { default: { internal: false } })
  assert.deepEqual(made.workloads['web']?.deployment?.dependsOn, { db: { condition: 'started', required: true, restart: false } })
  assert.equal(made.workloads['db']?.deployment?.restart?.condition, 'always')
  assert.deepEqual(made.workloads['web']?.deployment?.networks, { default: { aliases: [] } })
  assert.deepEqual([warnings, builds, secrets, made.lease, made.labels], [[], [], {}, {}, {}])
})

test('names of projects become names of environments', () => {
  assert.deepEqual(['My_App', 'a__b--c', '-x-', 'x'.repeat(80)].map(environmentName), ['my-app', 'a-b-c', 'x', 'x'.repeat(63)])
})

describe('what is exposed', () => {
  const exposed = async (lines: string) => (await workload(lines)).deployment.expose

  test('each published port by TCP on the loopback, and the first that speaks HTTP by name', async () => {
    assert.deepEqual(await exposed('ports: ["5432", "8080:80", "127.0.0.1:3000:3000"]'), [
      { port: 80, protocol: 'http' },
      { port: 5432, protocol: 'tcp', published: 0 },
      { port: 80, protocol: 'tcp', published: 8080 },
      { port: 3000, protocol: 'tcp', published: 3000 },
    ])
  })
  test('app_protocol says what the port number does not, and takes back what it does', async () => {
    assert.deepEqual(await exposed('ports: [{ target: 9999, app_protocol: http }]'), [
      { port: 9999, protocol: 'http' },
      { port: 9999, protocol: 'tcp', published: 0 },
    ])
    assert.deepEqual(await exposed('ports: [{ target: 50051, app_protocol: grpc }]'), [
      { port: 50_051, protocol: 'h2c' },
      { port: 50_051, protocol: 'tcp', published: 0 },
    ])
    assert.deepEqual(await exposed('ports: [{ target: 8080, app_protocol: postgres }]'), [{ port: 8080, protocol: 'tcp', published: 0 }])
  })
  test('expose opens nothing, and UDP is told by name', async () => {
    assert.deepEqual(await exposed('expose: ["80"]'), [])
    const { deployment, warnings } = await workload('ports: ["53:53/udp"]')
    assert.deepEqual(deployment.expose, [])
    assert.deepEqual(
      warnings.map(({ kind, path }) => [kind, path]),
      [['ignored', 'services.web.ports[0]']],
    )
  })
  test('x-dayfly.expose wins, also when it is empty', async () => {
    assert.deepEqual(await exposed('ports: ["8080:80"]\nx-dayfly: { expose: [9000, 5432/tcp, { port: 25, protocol: tcp, published: 2525 }] }'), [
      { port: 9000, protocol: 'http' },
      { port: 5432, protocol: 'tcp', published: 0 },
      { port: 25, protocol: 'tcp', published: 2525 },
    ])
    assert.deepEqual(await exposed('ports: ["8080:80"]\nx-dayfly: { expose: [] }'), [])
  })
  test('a name of its own beside the other; not of what has a port of its own', async () => {
    assert.deepEqual(await exposed('x-dayfly: { expose: [{ port: 80, host: shop.preview.example.org }] }'), [
      { port: 80, protocol: 'http', host: 'shop.preview.example.org' },
    ])
    assert.deepEqual(await problems(workload('x-dayfly: { expose: [{ port: 80, protocol: tcp, host: shop.example.org }] }')), [
      'services.web.x-dayfly.expose: 80/tcp goes by a port of its own, and shop.example.org would be told apart by nothing',
    ])
    const [bare = ''] = await problems(workload('x-dayfly: { expose: [{ port: 80, host: shop }] }'))
    assert.match(bare, /a full host name in lower case below a domain/)
  })
  test('one host name is for one port', async () => {
    assert.deepEqual(await problems(workload('x-dayfly: { expose: [80, 81] }')), [
      'services.web.x-dayfly.expose: a service has one host name, and 80 and 81 both want it',
    ])
  })
})

describe('a service', () => {
  test('its command and entry point: left out, cleared, given', async () => {
    assert.deepEqual([(await workload('')).web.command, (await workload('')).web.entrypoint], [undefined, undefined])
    const { web } = await workload('command: []\nentrypoint: [tini, "--"]')
    assert.deepEqual([web.command, web.entrypoint], [[], ['tini', '--']])
  })
  test('limits of deploy and of the service; none means the default', async () => {
    assert.deepEqual((await workload('cpus: 0.5\nmem_limit: 64m\npids_limit: 9')).web.limits, { cpus: 0.5, memory: 64 * 1024 ** 2, pids: 9 })
    assert.deepEqual((await workload('deploy: { resources: { limits: { cpus: "2", memory: 1g } } }')).web.limits, { cpus: 2, memory: 1024 ** 3 })
    assert.deepEqual((await workload('pids_limit: -1')).web.limits, {})
  })
  test('health checks as docker has them', async () => {
    const standard = { interval: 30_000, timeout: 30_000, retries: 3, startPeriod: 0, startInterval: 5000 }
    assert.deepEqual((await workload('healthcheck: { test: curl -f localhost }')).deployment.health, {
      ...standard,
      command: ['/bin/sh', '-c', 'curl -f localhost'],
    })
    assert.deepEqual(
      (await workload('healthcheck: { test: [CMD, a, b], interval: 1s, timeout: 2s, retries: 4, start_period: 5s, start_interval: 6s }')).deployment
        .health,
      {
        ...{ command: ['a', 'b'], interval: 1000, timeout: 2000, retries: 4, startPeriod: 5000, startInterval: 6000 },
      },
    )
    assert.equal((await workload('healthcheck: { test: [NONE] }')).deployment.health, null)
    assert.equal((await workload('healthcheck: { disable: true }')).deployment.health, null)
    assert.equal((await workload('')).deployment.health, undefined)
  })
  test('restart policies of both kinds', async () => {
    assert.deepEqual((await workload('restart: on-failure:3')).deployment.restart, {
      condition: 'on-failure',
      attempts: 3,
      delay: 100,
      window: 10_000,
    })
    assert.deepEqual(
      (await workload('restart: always\ndeploy: { restart_policy: { condition: none, delay: 2s, max_attempts: 5 } }')).deployment.restart,
      {
        ...{ condition: 'no', attempts: 5, delay: 2000, window: 10_000 },
      },
    )
    assert.deepEqual(await problems(workload('restart: sometimes')), ['services.web.restart: "sometimes" is no restart policy'])
  })
  test('how many: the command line before x-dayfly before deploy', async () => {
    const scale = async (lines: string, wanted?: number) =>
      (await workload(lines, wanted === undefined ? {} : { scale: { web: wanted } })).deployment.scale
    assert.deepEqual(await scale(''), { min: 1, max: 1, window: 30_000 })
    assert.deepEqual(await scale('deploy: { replicas: 3 }'), { min: 3, max: 3, window: 30_000 })
    assert.deepEqual(await scale('x-dayfly: { scale: { min: 0, max: 5, target: { cpu: 70 } } }'), {
      min: 0,
      max: 5,
      window: 30_000,
      target: { cpu: 70 },
    })
    assert.deepEqual(await scale('deploy: { replicas: 3 }', 0), { min: 0, max: 0, window: 30_000 })
    assert.deepEqual(await problems(draft('services: { web: { image: a } }', { scale: { wep: 2 } })), [': --scale: there is no service wep'])
  })
  test('idle: one instance while somebody asks, and none after that', async () => {
    const { deployment, warnings } = await workload('ports: ["80"]\nx-dayfly: { idle: 10m }')
    assert.deepEqual(deployment.scale, { min: 0, max: 1, target: { concurrency: 1 }, window: 600_000 })
    assert.deepEqual(warnings, [])
    const unseen = await workload('x-dayfly: { idle: 10m }')
    assert.deepEqual(unseen.deployment.scale, { min: 1, max: 1, window: 30_000 })
    assert.deepEqual(
      unseen.warnings.map(({ kind, path }) => [kind, path]),
      [['ignored', 'services.web.x-dayfly.idle']],
    )
    for (const lines of ['deploy: { replicas: 2 }\nx-dayfly: { idle: 10m }', 'x-dayfly: { idle: 10m, scale: { min: 0, max: 3 } }']) {
      assert.deepEqual(await problems(workload(`ports: ["80"]\n${lines}`)), [
        'services.web.x-dayfly.idle: it is for a service of one instance that does not scale',
      ])
    }
    const [long = ''] = await problems(workload('x-dayfly: { idle: 2d }'))
    assert.match(long, /from 1s to 24h/)
  })
  test('egress of the project and its own', async () => {
    const { draft: made } = await draft(`
x-dayfly: { egress: ["192.0.2.0/24:443"] }
services: { web: { image: a, x-dayfly: { egress: ["*.example.org", "registry.example.org:443"] } } }
`)
    assert.deepEqual(made.workloads['web']?.egress, [{ cidr: '192.0.2.0/24', port: 443 }])
    assert.deepEqual(made.workloads['web']?.egressDomains, [{ domain: '*.example.org' }, { domain: 'registry.example.org', port: 443 }])
  })
  test('signals by number, short and long', async () => {
    for (const text of ['15', 'term', 'SIGTERM']) assert.equal((await workload(`stop_signal: "${text}"`)).web.stopSignal, 'SIGTERM')
    assert.deepEqual(await problems(workload('stop_signal: SIGNONE')), ['services.web.stop_signal: a signal by its name, like SIGTERM'])
  })
})

describe('mounts', () => {
  test('volumes, folders, memory and configs', async () => {
    const { draft: made } = await draft(`
services:
  web:
    image: a
    mem_limit: 32m
    read_only: true
    volumes: ["data:/data", "/cache", "./html:/html:ro", { type: volume, source: data, target: /sub, volume: { nocopy: true, subpath: a/b } }]
    tmpfs: ["/run:size=1m,mode=755", /tmp]
    configs: [site, { source: site, target: /etc/site, uid: "33", mode: 0440 }]
volumes: { data: }
configs: { site: { content: hi } }
`)
    assert.deepEqual(made.workloads['web']?.mounts, [
      { type: 'volume', volume: 'data', target: '/data', readOnly: false, copy: true },
      { type: 'volume', volume: 'web.cache', target: '/cache', readOnly: false, copy: true },
      { type: 'bind', source: '/srv/shop/html', target: '/html', readOnly: true },
      { type: 'volume', volume: 'data', target: '/sub', readOnly: false, copy: false, subpath: 'a/b' },
      { type: 'tmpfs', target: '/run', size: 1024 ** 2, mode: 0o755 },
      { type: 'tmpfs', target: '/tmp', size: 32 * 1024 ** 2, mode: 0o1777 },
      { type: 'config', config: 'site', target: '/site', uid: 0, gid: 0, mode: 0o444 },
      { type: 'config', config: 'site', target: '/etc/site', uid: 33, gid: 0, mode: 0o440 },
    ])
    assert.deepEqual(made.volumes, ['data', 'web.cache'])
    assert.deepEqual(made.configs, { site: Buffer.from('hi').toString('base64') })
  })
  test('an anonymous volume of several instances is not shared', async () => {
    const { web, warnings } = await workload('volumes: [/cache]\nscale: 2')
    assert.equal(web.mounts, undefined)
    assert.deepEqual(
      warnings.map(({ path }) => path),
      ['services.web.volumes[0]'],
    )
  })
  test('secrets: where they come from, and the files that they are', async () => {
    const text = `
services:
  web: { image: a, secrets: [token, { source: key, target: tls.key }] }
  db: { image: a, secrets: [token] }
secrets: { token: { environment: TOKEN }, key: { file: ./key.txt } }
`
    const { secrets, draft: made } = await draft(text, {}, { TOKEN: 'hidden' })
    assert.deepEqual(secrets, {
      token: {
        origin: { kind: 'environment', variable: 'TOKEN' },
        files: [
          { workload: 'web', file: 'token' },
          { workload: 'db', file: 'token' },
        ],
      },
      key: { origin: { kind: 'file', path: '/srv/shop/key.txt' }, files: [{ workload: 'web', file: 'tls.key' }] },
    })
    assert.deepEqual(made.workloads['web']?.secrets, ['token', 'tls.key'])
    assert.ok(!JSON.stringify(made).includes('hidden'))
    const given = await draft(text, { secrets: new Set(['key']) })
    assert.deepEqual(given.secrets['key']?.origin, { kind: 'given' })
  })
  test('a secret may come from a command, and from nowhere only if it is given', async () => {
    const text = (command: string) => `
services: { web: { image: a, secrets: [s] } }
secrets: { s: { x-dayfly: { ${command} } } }
`
    assert.deepEqual((await draft(text('command: pass show s'))).secrets['s']?.origin, { kind: 'command', command: ['/bin/sh', '-c', 'pass show s'] })
    assert.deepEqual((await draft(text('command: [pass, show]'))).secrets['s']?.origin, { kind: 'command', command: ['pass', 'show'] })
    assert.deepEqual(await problems(draft(text(''))), ['secrets.s: nothing says what it holds'])
    assert.deepEqual(await problems(draft(text('comand: x'))), ['secrets.s.x-dayfly.comand: there is no such property'])
    assert.deepEqual((await draft(text(''), { secrets: new Set(['s']) })).secrets['s']?.origin, { kind: 'given' })
  })
  test('a secret is under /run/secrets', async () => {
    const text = (target: string) => `
services: { web: { image: a, secrets: [{ source: s, target: ${target} }] } }
secrets: { s: { environment: S } }
`
    assert.deepEqual((await draft(text('/run/secrets/x'), {}, { S: 's' })).draft.workloads['web']?.secrets, ['x'])
    assert.deepEqual(await problems(draft(text('/etc/x'), {}, { S: 's' })), ['services.web.secrets[0].target: a secret cannot be at /etc/x'])
  })
})

test('networks: membership, aliases, links, none', async () => {
  const { draft: made } = await draft(`
services:
  web: { image: a, networks: { front: { aliases: [www] }, back: }, links: ["db:database"] }
  db: { image: a, networks: [back], container_name: shop-db, hostname: pg }
  lone: { image: a, network_mode: none }
networks: { front: , back: { internal: true } }
`)
  assert.deepEqual(made.networks, { front: { internal: false }, back: { internal: true }, 'none.lone': { internal: true } })
  assert.deepEqual(made.workloads['web']?.deployment?.networks, { front: { aliases: ['www'] }, back: { aliases: [] } })
  assert.deepEqual(made.workloads['db']?.deployment?.networks, { back: { aliases: ['shop-db', 'pg', 'database'] } })
  assert.deepEqual(made.workloads['lone']?.deployment?.networks, { 'none.lone': { aliases: [] } })
})

test('builds: one image for those that share it, and never fetched', async () => {
  const { builds, draft: made } = await draft(
    `
name: shop
services:
  web: { build: . }
  worker: { image: shop-web, build: . }
  api: { build: { context: ./api, target: prod }, pull_policy: build }
`,
    { pull: true },
  )
  assert.deepEqual(
    builds.map(({ image, services, always }) => ({ image, services, always })),
    [
      { image: 'shop-web', services: ['web', 'worker'], always: false },
      { image: 'shop-api', services: ['api'], always: true },
    ],
  )
  assert.deepEqual(
    Object.values(made.workloads).map(({ pull }) => pull),
    ['never', 'never', 'never'],
  )
})

test('lease, labels and seeds', async () => {
  const text = `
x-dayfly: { lease: { ttl: 2h, idle: 5m, onIdle: pause } }
services: { db: { image: a, volumes: ["data:/data"] } }
volumes: { data: { x-dayfly: { seed: ./fixtures } } }
`
  const { draft: made, seeds } = await draft(text, { lease: { ttl: 60_000 }, labels: { team: 'blue' } })
  assert.deepEqual(made.lease, { ttl: 60_000, idle: 300_000, onIdle: 'pause' })
  assert.deepEqual(made.labels, { team: 'blue' })
  assert.deepEqual(seeds, { data: '/srv/shop/fixtures' })
  assert.deepEqual(await problems(draft(text.replace('./fixtures', '../fixtures'))), [
    'volumes.data.x-dayfly.seed: /srv/fixtures is outside the project folder /srv/shop',
  ])
})

test('all that is wrong is told at once', async () => {
  const found = await problems(workload('restart: sometimes\nx-dayfly: { expose: [80, 81] }\nstop_signal: SIGNONE'))
  assert.equal(found.length, 3)
})
