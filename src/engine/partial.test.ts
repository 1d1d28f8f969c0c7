import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { after, forever, inWorld, live, noSeeds, service, spec, states, up } from '../../test/engine/supervised.ts'
import type { World } from '../../test/engine/world.ts'
import { never, noSecrets, user } from '../../test/engine/world.ts'
import type { EnvironmentSpec } from '../model/environment.ts'
import type { Secrets } from './engine.ts'

const part = (world: World, wanted: EnvironmentSpec, secrets: Secrets = noSecrets) => world.engine.up(wanted, secrets, noSeeds, user, never(), true)
const secret = (workload: string, value: string): Secrets => new Map([[workload, new Map([['key', Buffer.from(value)]])]])

describe('a part of an environment', () => {
  it(
    'is brought up beside what lives, which stays as it is',
    inWorld(async world => {
      const whole = spec({ web: service(), db: service(), cache: service() }, { labels: { of: 'whole' } })
      const id = await up(world, whole)
      const before = live(world, id, 'db').concat(live(world, id, 'cache'))
      const changed = spec({ web: service(forever, {}, { env: { NEW: '1' } }), more: service() })
      assert.deepEqual(
        world.engine.diff(changed, true).map(({ subject, name, kind }) => [subject, name, kind]),
        [
          ['workload', 'web', 'changed'],
          ['workload', 'more', 'added'],
        ],
      )
      const { changes } = await part(world, changed)
      assert.deepEqual(
        changes.map(({ name, effect }) => [name, effect]),
        [
          ['web', 'replaced'],
          ['more', 'started'],
        ],
      )
      await world.advance(1000)
      assert.deepEqual(states(world, id), { web: 'ready', db: 'ready', cache: 'ready', more: 'ready' })
      assert.deepEqual(live(world, id, 'db').concat(live(world, id, 'cache')), before)
      assert.deepEqual(world.engine.environment(id).spec.labels, { of: 'whole' })
      const [web] = live(world, id, 'web')
      assert.ok(web)
      await part(world, changed)
      await world.advance(1000)
      assert.deepEqual(live(world, id, 'web'), [web], 'and the same again changes nothing')
    }),
  )

  it(
    'does without what it depends on when that is nowhere, and depends on it when it lives',
    inWorld(async world => {
      const web = service(forever, { dependsOn: { db: after('started'), gone: after('started', false) } })
      const { environment } = await part(world, spec({ web }))
      assert.deepEqual(world.engine.environment(environment.id).spec.workloads['web']?.deployment?.dependsOn, {})
      await part(world, spec({ db: service() }))
      await part(world, spec({ web }))
      assert.deepEqual(Object.keys(world.engine.environment(environment.id).spec.workloads['web']?.deployment?.dependsOn ?? {}), ['db'])
      await assert.rejects(
        part(world, spec({ db: service(forever, { dependsOn: { web: after('started') } }) })),
        /depend on each other: db → web → db|web → db → web/,
      )
      await assert.rejects(up(world, spec({ web })), /there is no workload db/)
      const odd = service(forever, { dependsOn: { constructor: after('started') } })
      await assert.rejects(up(world, spec({ web: odd })), /there is no workload constructor/)
    }),
  )

  it(
    'leaves what somebody has stopped elsewhere, and the secrets of others',
    inWorld(async world => {
      const keyed = service([{ secret: 'key' }, ...forever], {}, { secrets: ['key'] })
      const id = await up(world, spec({ keyed, web: service(), db: service() }), secret('keyed', 'first'))
      for (const workload of ['web', 'db']) await world.engine.stop(live(world, id, workload)[0]?.id ?? '', 0, user, never())
      await part(world, spec({ web: service() }))
      await world.advance(1000)
      assert.deepEqual([states(world, id)['web'], states(world, id)['db']], ['ready', 'stopped'])
      // A new instance of it is only possible with what was kept.
      await world.engine.stop(live(world, id, 'keyed')[0]?.id ?? '', 0, user, never())
      await part(world, spec({ web: service(forever, {}, { env: { NEW: '1' } }) }))
      await part(world, spec({ keyed }), secret('keyed', 'second'))
      await world.advance(1000)
      assert.deepEqual([states(world, id)['web'], states(world, id)['keyed']], ['ready', 'ready'])
      await assert.rejects(part(world, spec({ keyed })), /the secret key of keyed has no content/)
    }),
  )
})
