import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { admission, decision } from '../../test/engine/admission.ts'
import { forever, ids, inWorld, live, service, spec, up } from '../../test/engine/supervised.ts'
import { never, noSecrets, openWorld, user } from '../../test/engine/world.ts'
import { noRestart } from '../model/deployment.ts'
import type { EnvironmentSpec } from '../model/environment.ts'
import type { Actor } from '../model/event.ts'
import type { Decision } from '../policy/decision.ts'
import type { AdmissionQuestion } from './admission.ts'

const denied = (message = 'it is privileged'): Decision =>
  decision({
    verdict: 'denied',
    denials: [
      {
        policy: 'pod-security-baseline',
        rule: 'privileged',
        message,
        field: 'spec.containers[0].securityContext.readOnlyRootFilesystem',
        remedy: 'Leave it out.',
      },
    ],
  })
const warned = decision({ warnings: [{ policy: 'images', rule: 'incompleteScan', message: 'a file could not be read' }] })

test('what is denied leaves its record and nothing else', async () => {
  const asked: AdmissionQuestion[] = []
  await using world = await openWorld({
    engine: {
      admission: admission(question => {
        asked.push(question)
        return denied()
      }),
    },
  })
  const spec = world.spec([])
  await assert.rejects(world.engine.run(spec, noSecrets, user, never()), {
    code: 'denied',
    message: 'main is not admitted: it is privileged (pod-security-baseline/privileged)',
    field: 'workloads.main.readOnly',
    remedy: 'Leave it out.',
  })
  assert.deepEqual(
    asked.map(({ workload, operation, actor }) => [workload, operation, actor.name]),
    [['main', 'CREATE', user.name]],
  )
  const [environment] = world.engine.environments({})
  assert.ok(environment)
  assert.equal(environment.state, 'ended')
  assert.equal(environment.cause, 'denied')
  assert.deepEqual(world.types(environment.id), [
    'environment.creating',
    'admission.denied',
    'environment.ending',
    'environment.ended',
    'record.sealed',
  ])
  assert.equal(world.store.verify(environment.id), undefined)
  assert.deepEqual(await world.backend.observe(), [], 'nothing was made')
  assert.deepEqual(world.engine.instanceList({}), [])
})

test('an allowed start has its decision in the record, before anything is made', async () => {
  await using world = await openWorld({ engine: { admission: admission(() => warned) } })
  const started = await world.engine.run(world.spec([]), noSecrets, user, never())
  assert.deepEqual(started.warnings, [{ workload: 'main', objection: warned.warnings[0] }])
  const types = world.types(started.environment.id)
  assert.ok(types.indexOf('admission.allowed') < types.indexOf('instance.created'))
  const [event] = world.engine.events({ environment: started.environment.id, types: ['admission.allowed'] })
  assert.equal(event?.data['policies'], warned.policies)
  assert.equal(event?.data['inputs'], warned.inputs)
  assert.equal(event?.data['workload'], 'main')
  assert.equal(typeof event?.data['took'], 'number')
  assert.deepEqual(event?.data['warnings'], [{ policy: 'images', rule: 'incompleteScan', message: 'a file could not be read' }])
})

test('without a decision nothing runs', async () => {
  const failing = {
    admit: () => Promise.reject(new Error('the gate is broken')),
  }
  await using world = await openWorld({ engine: { admission: failing } })
  await assert.rejects(world.engine.run(world.spec([]), noSecrets, user, never()), /the gate is broken/)
  assert.deepEqual(await world.backend.observe(), [])
  assert.deepEqual(world.engine.environments({}), [])
})

test('every workload is asked for, and one that is denied denies all', async () => {
  await using world = await openWorld({ engine: { admission: admission(({ workload }) => (workload === 'second' ? denied() : decision())) } })
  const one = world.spec([])
  const [main] = Object.values(one.workloads)
  assert.ok(main)
  const both = { ...one, workloads: { first: main, second: main } }
  await assert.rejects(world.engine.run(both, noSecrets, user, never()), { code: 'denied', message: /^second is not admitted/ })
  assert.deepEqual(await world.backend.observe(), [])
})

test('a denial that gives no reason is one all the same', async () => {
  await using world = await openWorld({ engine: { admission: admission(() => decision({ verdict: 'denied' })) } })
  await assert.rejects(world.engine.run(world.spec([]), noSecrets, user, never()), { code: 'denied', message: /no policy said why/ })
  assert.deepEqual(await world.backend.observe(), [])
})

test('a name that a denied environment had is free', async () => {
  let verdict = denied()
  await using world = await openWorld({ engine: { admission: admission(() => verdict) } })
  const spec = world.spec([], { name: 'again' })
  await assert.rejects(world.engine.run(spec, noSecrets, user, never()), { code: 'denied' })
  verdict = decision()
  const { environment } = await world.engine.run(spec, noSecrets, user, never())
  assert.equal(environment.spec.name, 'again')
})

/** Allows until `name` is what asks, then denies it. */
const denying = (names: Set<string>) => admission(({ workload }) => (names.has(workload) ? denied() : decision()))

describe('what is kept running', () => {
  const names = new Set<string>()
  beforeEach(() => names.clear())

  test('an update that is denied leaves everything as it was, and the record says so', async () => {
    await inWorld(
      async world => {
        const id = await up(world, spec({ web: service(), api: service() }))
        await world.advance(1000)
        const before = ids(live(world, id, 'web'))
        names.add('api')
        const changed = spec({ web: service(forever, {}, { env: { V: '2' } }), api: service() })
        await assert.rejects(up(world, changed), { code: 'denied', message: /^api is not admitted/ })
        await world.advance(5000)
        assert.deepEqual(ids(live(world, id, 'web')), before)
        assert.ok(world.types(id).includes('admission.denied'))
        assert.ok(!world.types(id).includes('environment.updated'))
      },
      { engine: { admission: denying(names) } },
    )()
  })

  test('every start is asked for: an instance that is to be started again is denied, and admitted once it may be', async () => {
    await inWorld(
      async world => {
        const restart = { ...noRestart, condition: 'always' as const, delay: 1000 }
        const id = await up(world, spec({ web: service([{ sleep: 2000 }, { exit: 0 }], { restart }) }))
        await world.advance(1000)
        assert.equal(live(world, id, 'web').length, 1)
        names.add('web')
        await world.advance(10_000)
        assert.equal(live(world, id, 'web').length, 0)
        assert.match(world.engine.workloads(id)[0]?.reason ?? '', /not admitted/)
        assert.ok((await world.backend.observe()).every(({ state }) => state !== 'running'))
        const told = world.types(id).filter(type => type === 'admission.denied').length
        assert.equal(told, 1, 'the same verdict is written once')
        names.clear()
        await world.advance(60_000)
        assert.ok(world.types(id).filter(type => type === 'admission.allowed').length >= 2)
      },
      { engine: { admission: denying(names) } },
    )()
  })
})

test('of one user so many denials a minute get a record; others are not concerned', async () => {
  await using world = await openWorld({ engine: { admission: admission(() => denied()) } })
  const other: Actor = { kind: 'user', name: 'other' }
  for (let count = 0; count < 40; count++) await assert.rejects(world.engine.run(world.spec([]), noSecrets, user, never()), { code: 'denied' })
  await assert.rejects(world.engine.run(world.spec([]), noSecrets, other, never()), { code: 'denied' })
  assert.equal(world.engine.environments({}).length, 31)
})

test('what is refused for a secret in it is not kept with the record', async () => {
  const secret = (field: string): Decision =>
    decision({ verdict: 'denied', denials: [{ policy: 'images', rule: 'secrets', message: 'a secret is given in the clear', field }] })
  let said = secret('spec.containers[0].env.TOKEN')
  await using world = await openWorld({ engine: { admission: admission(() => said) } })
  const asked = (): EnvironmentSpec => {
    const { workloads, ...rest } = world.spec([], { labels: { token: 'hidden-in-label' } })
    const main = workloads['main']
    assert.ok(main)
    return {
      ...rest,
      workloads: {
        main: {
          ...main,
          env: { TOKEN: 'hidden-in-variable' },
          command: ['serve', '--password', 'hidden-in-command'],
          labels: { token: 'hidden-in-label' },
        },
      },
    }
  }
  const kept = async (): Promise<string> => {
    await assert.rejects(world.engine.run(asked(), noSecrets, user, never()), { code: 'denied' })
    const [environment] = world.engine.environments({}).toSorted((left, right) => right.createdAt - left.createdAt || (left.id < right.id ? 1 : -1))
    return JSON.stringify([environment, world.engine.events({ environment: environment?.id ?? '' })])
  }
  assert.ok(!(await kept()).includes('hidden-in'))
  said = denied()
  assert.ok(JSON.stringify(world.engine.environments({})).includes('"TOKEN"'))
  await kept()
  assert.ok(JSON.stringify(world.engine.environments({})).includes('hidden-in-variable'), 'what is refused for something else is')
})
