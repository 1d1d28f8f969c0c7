import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DayflyError } from '../../base/errors.ts'
import type { EnvironmentDraftInput } from '../../model/draft.ts'
import { EnvironmentDraft } from '../../model/draft.ts'
import { EnvironmentSpec } from '../../model/environment.ts'
import type { PlannedImage } from './plan.ts'
import type { PlanUpParts } from './plan-up.ts'
import { planUp } from './plan-up.ts'

const never = new AbortController().signal
const digest = `sha256:${'a'.repeat(64)}`

const image = (change: Partial<PlannedImage['config']> = {}): PlannedImage => ({
  digest,
  config: {
    ...{
      entrypoint: ['/entry'],
      cmd: ['serve'],
      env: { PATH: '/bin', FROM: 'image' },
      user: 'app',
      workingDir: '/srv',
      stopSignal: 'SIGQUIT',
      volumes: [],
    },
    ...change,
  },
})

interface World {
  readonly asked: { image: string; pull: string }[]
  readonly parts: PlanUpParts
}

const world = (images: Readonly<Record<string, PlannedImage>> = { app: image() }): World => {
  const asked: World['asked'] = []
  return {
    asked,
    parts: {
      owner: 'tester',
      capabilities: ['NET_RAW'],
      runs: platform => platform === 'linux/here',
      domains: ['localhost', 'preview.example', 'example'],
      resolveImage: async ({ image: name, pull }, onProgress) => {
        asked.push({ image: name, pull })
        onProgress({ phase: 'resolve', layer: '', bytes: 0, total: null })
        const found = images[name]
        if (found === undefined) throw new DayflyError('not_found', `image: there is no ${name}`, { field: 'image', remedy: 'Import it.' })
        return found
      },
      uidOf: async (_digest, user) => {
        if (user === 'nobody-knows') throw new DayflyError('invalid', `--user: there is no user ${user}`, { field: '--user' })
        return 0
      },
    },
  }
}

const plan = (draft: EnvironmentDraftInput, { parts } = world(), onProgress = (_image: string): void => {}) =>
  planUp(parts, { draft: EnvironmentDraft.parse(draft), partial: false }, onProgress, never)

const shop = (web: EnvironmentDraftInput['workloads'][string], more: Partial<EnvironmentDraftInput> = {}): EnvironmentDraftInput => ({
  name: 'shop',
  workloads: { web },
  ...more,
})

const failure = async (work: Promise<unknown>): Promise<DayflyError> => {
  const error = await work.then(
    () => assert.fail('it was planned'),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof DayflyError, String(error))
  return error
}

test('what the draft leaves out is said by the image, then by defaults; the outcome is a specification', async () => {
  const spec = await plan(shop({ image: 'app', env: { MORE: 'x' } }))
  assert.deepEqual(EnvironmentSpec.parse(spec), spec)
  const web = spec.workloads['web']
  assert.ok(web)
  assert.deepEqual(web.command, ['/entry', 'serve'])
  assert.deepEqual(web.env, { PATH: '/bin', FROM: 'image', MORE: 'x' })
  assert.deepEqual([web.user, web.workdir, web.stopSignal, web.kind, web.image, web.imageName], ['app', '/srv', 'SIGQUIT', 'service', digest, 'app'])
  assert.deepEqual(web.deployment, {
    ...{ scale: { min: 1, max: 1, window: 30_000 }, dependsOn: {}, networks: {}, expose: [] },
    ...{ restart: { condition: 'no', attempts: 0, delay: 100, window: 10_000 }, update: { order: 'start-first', parallelism: 1 } },
  })
  assert.deepEqual([spec.owner, spec.lease.ttl], ['tester', 3_600_000])
})

test('command and entry point as docker has them', async () => {
  const command = async (web: object) => (await plan(shop({ image: 'app', ...web }))).workloads['web']?.command
  assert.deepEqual(await command({ command: ['other'] }), ['/entry', 'other'])
  assert.deepEqual(await command({ command: [] }), ['/entry'])
  assert.deepEqual(await command({ entrypoint: ['mine'] }), ['mine'])
  assert.deepEqual(await command({ entrypoint: [], command: ['a', 'b'] }), ['a', 'b'])
  assert.match((await failure(command({ entrypoint: [], command: [] }))).message, /^workloads\.web\.command: app has no command/)
})

test("the image's health check is taken, replaced or turned off", async () => {
  const health = { command: ['well'], interval: 1000, timeout: 1000, retries: 1, startPeriod: 0, startInterval: 1000 }
  const images = () => world({ app: image({ health }) })
  const planned = async (deployment: object) => (await plan(shop({ image: 'app', deployment }), images())).workloads['web']?.deployment?.health
  assert.deepEqual(await planned({}), health)
  assert.equal(await planned({ health: null }), undefined)
  assert.deepEqual(await planned({ health: { ...health, command: ['other'] } }), { ...health, command: ['other'] })
})

test('volumes that the image asks for, and the order of updates of what writes to one', async () => {
  const images = () => world({ app: image({ volumes: ['/var/lib/data/', '/given'] }) })
  const mounted = (max: number) =>
    shop(
      {
        ...{ image: 'app', mounts: [{ type: 'volume', volume: 'own', target: '/given', readOnly: true, copy: true }] },
        deployment: { scale: { min: max, max, window: 0 } },
      },
      { volumes: ['own'] },
    )
  const one = await plan(mounted(1), images())
  assert.deepEqual(
    one.workloads['web']?.mounts?.map(mount => [mount.target, mount.type === 'volume' ? mount.volume : '']),
    [
      ['/given', 'own'],
      ['/var/lib/data', 'web.var-lib-data'],
    ],
  )
  assert.deepEqual(one.volumes, ['own', 'web.var-lib-data'])
  assert.equal(one.workloads['web']?.deployment?.update.order, 'stop-first')
  const two = await plan(mounted(2), images())
  assert.equal(two.workloads['web']?.mounts?.length, 1, 'of several instances each has it for itself')
  assert.equal(two.workloads['web']?.deployment?.update.order, 'start-first', 'it only reads what it mounts')
})

test('an image that several workloads have is resolved once, as anew as any of them wants it', async () => {
  const { asked, parts } = world()
  const seen: string[] = []
  const workloads = { a: { image: 'app', pull: 'never' as const }, b: { image: 'app', pull: 'always' as const }, c: { image: 'app' } }
  await plan({ name: 'shop', workloads }, { asked, parts }, name => seen.push(name))
  assert.deepEqual(asked, [{ image: 'app', pull: 'always' }])
  assert.deepEqual(seen, ['app'])
})

test('all faults are told at once, each with its field and its remedy', async () => {
  const draft: EnvironmentDraftInput = {
    name: 'shop',
    workloads: {
      web: {
        image: 'nowhere',
        limits: { cpus: 1000 },
        capabilities: ['SYS_ADMIN'],
        deployment: { expose: [{ port: 1, protocol: 'tcp', published: 80 }] },
      },
      db: {
        ...{ image: 'app', user: 'nobody-knows', platform: 'plan9/mips' },
        mounts: [
          { type: 'volume', volume: 'gone', target: '/a', readOnly: false, copy: true },
          { type: 'bind', source: '/nowhere/at/all', target: '/a', readOnly: true },
        ],
        deployment: {
          expose: [{ port: 2, protocol: 'tcp', published: 80 }],
          dependsOn: { web: { condition: 'started', required: true, restart: false } },
        },
      },
    },
  }
  const { message, code, field, remedy } = await failure(plan(draft))
  const lines = message.split('\n').map(line => line.replace(/: .*/, ''))
  assert.deepEqual(lines.sort(), [
    'workloads.db.deployment.expose',
    'workloads.db.mounts[0]',
    'workloads.db.mounts[1]',
    'workloads.db.mounts[1]',
    'workloads.db.platform',
    'workloads.db.user',
    'workloads.web.capabilities',
    'workloads.web.image',
    'workloads.web.limits.cpus',
  ])
  assert.match(message, /workloads\.web\.image: there is no nowhere\. Import it\./)
  assert.match(message, /workloads\.db\.user: there is no user nobody-knows/)
  assert.deepEqual([code, remedy], ['invalid', undefined])
  assert.equal(field, lines.includes(field ?? '') ? field : 'none of them')
})

test('one fault alone keeps its code and its remedy', async () => {
  const { code, field, message, remedy } = await failure(plan(shop({ image: 'nowhere' })))
  assert.deepEqual([code, field, message, remedy], ['not_found', 'workloads.web.image', 'workloads.web.image: there is no nowhere', 'Import it.'])
})

test('dependencies lead somewhere and not in circles', async () => {
  const on = (name: string, required = true) => ({ dependsOn: { [name]: { condition: 'started' as const, required, restart: false } } })
  const circle = { a: { image: 'app', deployment: on('b') }, b: { image: 'app', deployment: on('c') }, c: { image: 'app', deployment: on('a') } }
  assert.match((await failure(plan({ name: 'shop', workloads: circle }))).message, /a → b → c → a/)
  assert.match((await failure(plan(shop({ image: 'app', deployment: on('x') })))).message, /dependsOn\.x: there is no workload x/)
  await plan(shop({ image: 'app', deployment: on('x', false) }))
})

test('a name of its own is one label below a domain of the gateway, and no other workload has it', async () => {
  const named = (host: string, protocol: 'http' | 'tcp' = 'http') => shop({ image: 'app', deployment: { expose: [{ port: 80, protocol, host }] } })
  for (const host of ['shop.localhost', 'shop.example']) {
    assert.equal((await plan(named(host))).workloads['web']?.deployment?.expose[0]?.host, host)
  }
  const refused = async (host: string, protocol?: 'tcp') => {
    const { code, field, message, remedy } = await failure(plan(named(host, protocol)))
    assert.deepEqual([code, field], ['invalid', 'workloads.web.deployment.expose[0].host'])
    return `${message} ${remedy}`
  }
  assert.match(await refused('shop.example.org'), /below none of the gateway's domains.*NAME\.localhost or .*--gateway-domain/)
  assert.match(await refused('web.other.localhost'), /the form WORKLOAD\.ENVIRONMENT\.DOMAIN/)
  // One label below preview.example, and two below example: it is the workload shop of the environment preview.
  assert.match(await refused('shop.preview.example'), /the form WORKLOAD\.ENVIRONMENT\.DOMAIN/)
  assert.match(await refused('a.b.c.localhost'), /too deep/)
  assert.match(await refused('shop.localhost', 'tcp'), /by TCP has no name/)
  const expose = [{ port: 80, protocol: 'http' as const, host: 'shop.localhost' }]
  const twice = { web: { image: 'app', deployment: { expose } }, api: { image: 'app', deployment: { expose } } }
  assert.match((await failure(plan({ name: 'shop', workloads: twice }))).message, /workloads\.api\..*shop\.localhost is the name of web already/)
})

test('what was cancelled is no fault of a field', async () => {
  const { parts } = world()
  const cancelled = { ...parts, resolveImage: () => Promise.reject(new DayflyError('aborted', 'it was cancelled')) }
  const error = await failure(plan(shop({ image: 'app' }), { asked: [], parts: cancelled }))
  assert.deepEqual([error.code, error.field], ['aborted', undefined])
})

test('what is to complete before another one begins is not scaled to none', async () => {
  const draft = (required: boolean): EnvironmentDraftInput => ({
    name: 'shop',
    workloads: {
      web: { image: 'app', deployment: { dependsOn: { migrate: { condition: 'completed', required, restart: false } } } },
      migrate: { image: 'app', deployment: { scale: { min: 0, max: 0, window: 0 } } },
    },
  })
  const { field, message, remedy } = await failure(plan(draft(true)))
  assert.equal(field, 'workloads.web.deployment.dependsOn.migrate')
  assert.match(message, /migrate is scaled to none, and so never completes/)
  assert.ok(remedy)
  assert.equal((await plan(draft(false))).workloads['migrate']?.deployment?.scale.max, 0)
})
