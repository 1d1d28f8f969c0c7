/** The whole of an environment, with real software in it: examples/shop comes up, sells something, bears a change, and leaves nothing. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { crowd, visit } from '../../examples/shop/visitor.ts'
import type { Daemon } from '../daemon.ts'
import { dayflyProgram, makeFolder, root, startDaemon } from '../daemon.ts'

interface Images {
  /** Tars by name. */
  readonly tars: ReadonlyMap<string, string>
  readonly absent: string | false
}

/** They are kept in /var/cache/dayfly, so that only the first run needs Debian's servers. */
const buildImages = (): Images => {
  const none = new Map<string, string>()
  if (process.getuid?.() !== 0) return { tars: none, absent: 'needs root: it makes real instances' }
  const { status, stdout, stderr } = spawnSync(join(root, 'examples/shop/build-images'), { encoding: 'utf8' })
  if (stderr.includes('the packages cannot be fetched'))
    return { tars: none, absent: `Debian's packages cannot be had: ${stderr.trim().slice(-300)}` }
  assert.equal(status, 0, stderr)
  const lines = stdout.trim().split('\n')
  return { tars: new Map(lines.map((line): [string, string] => [line.split(' ')[0] ?? '', line.split(' ')[1] ?? ''])), absent: false }
}

const images = buildImages()
const file = join(root, 'examples/shop/compose.yaml')
const workloads = ['api', 'db', 'migrate', 'redis', 'web', 'worker']

describe('the shop', { skip: images.absent }, () => {
  let folder = ''
  let daemon: Daemon
  let shop = new URL('http://localhost')

  const dayfly = async (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<{ code: number; stdout: string; stderr: string }> => {
    const child = spawn(dayflyProgram, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        DAYFLY_RUN_DIR: daemon.runDir,
        DAYFLY_STATE_DIR: daemon.stateDir,
        DB_PASSWORD: 'correct+horse/battery=staple',
        ...env,
      },
    })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (text: Buffer) => {
      stdout += text.toString()
    })
    child.stderr.on('data', (text: Buffer) => {
      stderr += text.toString()
    })
    const [code] = await once(child, 'close')
    return { code, stdout, stderr }
  }
  const inside = (workload: string, script: string) => dayfly(['exec', `shop/${workload}`, 'python3', '-c', script])

  before(async () => {
    folder = makeFolder('/tmp/dayfly-shop-')
    daemon = startDaemon({ folder, env: { ...process.env, DAYFLY_GATEWAY: '127.0.0.1:0' } })
    await daemon.ready
    for (const [name, path] of images.tars) await daemon.client.importImage({ path, name }, () => {})
  })
  after(async () => {
    await dayfly(['down', '--all', '--force'])
    await daemon.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  test('comes up, all of it healthy, and says where it is', async () => {
    const { code, stdout, stderr } = await dayfly(['up', file])
    assert.equal(code, 0, stderr)
    shop = new URL(/http:\/\/web\.shop\.localhost:\d+/.exec(stdout)?.[0] ?? assert.fail(`no address: ${stdout}`))
    const [environment] = await daemon.client.environments()
    assert.equal(environment?.name, 'shop')
    const instances = environment?.instances ?? []
    assert.deepEqual(instances.map(({ workload }) => workload).sort(), workloads)
    for (const { workload, state, exit } of instances) {
      if (workload === 'migrate') assert.equal(exit?.code, 0)
      else assert.equal(state, 'running', workload)
    }
  })

  test('sells: pages through the gateway, the cart in Redis, the order in PostgreSQL, packed by the worker', async () => {
    using visitor = visit(shop)
    assert.match((await visitor.get('/')).body, /<title>Corner Shop<\/title>/)
    assert.equal((await visitor.post('/orders')).status, 409, 'an empty cart cannot be ordered')
    assert.equal((await visitor.post('/cart', { product: '3' })).status, 303)
    assert.match((await visitor.get('/')).body, /1 × Lamp/)
    assert.equal((await visitor.post('/orders')).status, 303)
    while ((await visitor.orders())[0]?.state !== 'packed') await sleep(50)
    const [order] = await visitor.orders()
    assert.match(order?.packer ?? '', /^worker-/)
    using stranger = visit(shop)
    assert.deepEqual(await stranger.orders(), [])
  })

  test('its pages reach the API and nothing else', async () => {
    const reach = (host: string, port: number) => inside('web', `import socket; socket.create_connection(('${host}', ${port}), 2)`)
    assert.equal((await reach('api', 8080)).code, 0)
    for (const [host, port] of [['db', 5432] as const, ['redis', 6379] as const, ['192.0.2.1', 443] as const]) {
      assert.notEqual((await reach(host, port)).code, 0, `${host} was reached`)
    }
  })

  test('its secret is a file of those that need it, and in no record', async () => {
    const read = "print(open('/run/secrets/db-password').read().strip())"
    assert.equal((await inside('api', read)).stdout.trim(), 'correct+horse/battery=staple')
    assert.notEqual((await inside('web', read)).code, 0)
    for (const args of [
      ['events', '--environment', 'shop', '--json'],
      ['inspect', 'shop', '--json'],
      ['logs', 'shop'],
    ]) {
      assert.ok(!(await dayfly(args)).stdout.includes('correct+horse'), args.join(' '))
    }
  })

  test('more visitors get more instances; a change replaces them one by one; no request fails', async () => {
    const crowded = crowd(shop, 20, 6_000)
    await sleep(1_500)
    const { code, stderr } = await dayfly(['up', file], { SHOP_NAME: 'Autumn Shop' })
    assert.equal(code, 0, stderr)
    const { answered, failed, instances } = await crowded
    assert.deepEqual(failed, {})
    assert.ok(answered > 0)
    assert.ok(instances > 1, `${instances} instances answered`)
    using visitor = visit(shop)
    assert.match((await visitor.get('/')).body, /<title>Autumn Shop<\/title>/)
  })

  test('leaves nothing', async () => {
    const { code, stderr } = await dayfly(['down', 'shop'])
    assert.equal(code, 0, stderr)
    assert.deepEqual(await daemon.client.environments(), [])
    assert.deepEqual(await daemon.client.leaks(), [])
    using visitor = visit(shop)
    assert.equal((await visitor.get('/')).status, 410)
  })
})
