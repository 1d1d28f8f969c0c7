/** What every store passes. `storeSuite` registers its tests; a store's own test file gives it a way to open one. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ErrorCode } from '../base/errors.ts'
import { DayflyError } from '../base/errors.ts'
import { newEnvironmentId, newInstanceId } from '../base/ids.ts'
import type { Environment } from '../model/environment.ts'
import type { NewEvent } from '../model/event.ts'
import { dayfly } from '../model/event.ts'
import type { Instance, Origin } from '../model/instance.ts'
import { defaultLimits } from '../model/workload.ts'
import type { EnvironmentFilter, Store } from './store.ts'
import { presentPerPlace } from './store.ts'
import { recordEndSuite } from './store-end.suite.ts'

export interface StoreFixture extends Disposable {
  readonly store: Store
  /** Closes the store and opens it again on what it had written. */
  reopen(): Store
}

export const exampleEnvironment = (name: string, change: Partial<Environment> = {}): Environment => ({
  id: newEnvironmentId(),
  spec: {
    ...{ name, owner: 'somebody', labels: {}, lease: { ttl: 60_000, idle: 30_000, retention: 1_000 } },
    workloads: {
      main: {
        ...{ kind: 'job', image: `sha256:${'a'.repeat(64)}`, imageName: 'example', command: ['true'], env: { A: 'ä' }, user: '', workdir: '/' },
        ...{ readOnly: false, capabilities: [], limits: defaultLimits, egress: [{ cidr: '192.0.2.0/24', port: 443 }], runtime: 'crun' },
        ...{ tty: false, stdin: false, stopSignal: 'SIGTERM', grace: 1_000, logLimit: 65_536, secrets: ['token'] },
      },
    },
  },
  ...{ state: 'creating', reason: 'asked for', cause: undefined, createdAt: 1_000, endedAt: undefined },
  ...{ bootId: 'boot', createdBoot: 5, ttlDeadline: 60_005, lastActivity: 5 },
  ...change,
})

export const exampleOrigin = (cpus: number, memory: number): Origin => ({
  ...{ kind: 'job', image: `sha256:${'a'.repeat(64)}`, stopSignal: 'SIGTERM', grace: 1_000, cpus, memory: memory * 1024 * 1024 },
})

export const exampleInstance = (environment: string, change: Partial<Instance> = {}): Instance => ({
  ...{ id: newInstanceId(), environment, workload: 'main', state: 'pending', reason: 'asked for', createdAt: 1_000 },
  ...{ startedAt: undefined, pid: undefined, start: undefined, exit: undefined, replica: 1, revision: '', wish: undefined, address: undefined },
  ...{ origin: exampleOrigin(1, 512), earlier: 0, streak: 0 },
  ...change,
})

const event = (environment: string, type: string, data: NewEvent['data'] = {}): NewEvent => ({
  environment,
  type,
  actor: dayfly,
  reason: 'because',
  data,
})

const code = (expected: ErrorCode, field?: string) => (error: unknown) =>
  error instanceof DayflyError && error.code === expected && (field === undefined || error.field === field)

export const storeSuite = (name: string, open: () => StoreFixture): void => {
  const check = (what: string, body: (store: Store, reopen: () => Store) => void): void => {
    it(what, () => {
      using fixture = open()
      body(fixture.store, () => fixture.reopen())
    })
  }

  describe(`the contract of a store: ${name}`, () => {
    describe('environments', () => {
      check('are kept as they are, over a restart too', (store, reopen) => {
        const one = exampleEnvironment('one')
        store.putEnvironment(one)
        assert.deepEqual(store.environment(one.id), one)
        const after: Environment = {
          ...one,
          state: 'ended',
          reason: 'done',
          cause: 'completed',
          endedAt: 9_000,
          ttlDeadline: 70_000,
          lastActivity: 99,
        }
        store.putEnvironment(after)
        assert.deepEqual(reopen().environment(one.id), after)
        assert.equal(store === undefined, false)
      })

      check('that do not exist are undefined', store => {
        assert.equal(store.environment('none'), undefined)
        assert.equal(store.environmentByName('none'), undefined)
        assert.deepEqual(store.environments(), [])
      })

      check('have names that are unique among those that have not ended', store => {
        const first = exampleEnvironment('web')
        store.putEnvironment(first)
        assert.throws(() => store.putEnvironment(exampleEnvironment('web')), code('conflict', '--name'))
        assert.equal(store.environmentByName('web')?.id, first.id)
        store.putEnvironment({ ...first, state: 'ended', endedAt: 1 })
        assert.equal(store.environmentByName('web'), undefined)
        const second = exampleEnvironment('web')
        store.putEnvironment(second)
        assert.equal(store.environmentByName('web')?.id, second.id)
      })

      check('are listed newest first, by state, name and labels', store => {
        const put = (name: string, labels: Record<string, string>, change: Partial<Environment> = {}): string => {
          const made = exampleEnvironment(name, change)
          store.putEnvironment({ ...made, spec: { ...made.spec, labels } })
          return made.id
        }
        const a = put('a', { team: 'red', tier: '1' })
        const b = put('b', { team: 'red', tier: '2' })
        const c = put('a', { team: 'blue' }, { state: 'ended', endedAt: 3 })
        const ids = (filter?: Parameters<Store['environments']>[0]): string[] => store.environments(filter).map(({ id }) => id)
        assert.deepEqual(ids(), [c, b, a])
        assert.deepEqual(ids({ ended: false }), [b, a])
        assert.deepEqual(ids({ ended: true }), [c])
        assert.deepEqual(ids({ name: 'a' }), [c, a])
        assert.deepEqual(ids({ labels: { team: 'red' } }), [b, a])
        assert.deepEqual(ids({ labels: { team: 'red', tier: '2' } }), [b])
        assert.deepEqual(ids({ labels: { toString: 'x' } }), [])
      })

      check('are listed in parts, with their instances, also after one that is gone, and of some teams', store => {
        const made = Array.from({ length: 9 }, (_, at) => {
          const { spec, ...rest } = exampleEnvironment(`n${at}`, { createdAt: Math.floor(at / 2), state: at === 3 ? 'ended' : 'running' })
          const environment = { ...rest, spec: { ...spec, team: at % 3 === 0 ? 'blue' : 'green', labels: at % 2 === 0 ? { even: 'yes' } : {} } }
          store.putEnvironment(environment)
          const instance = exampleInstance(environment.id, { createdAt: environment.createdAt })
          store.putInstance(instance)
          return { environment, instance }
        })
        const places = (list: readonly { readonly id: string; readonly createdAt: number }[]) => list.map(({ id, createdAt }) => ({ id, createdAt }))
        const newest = places(made.map(({ environment }) => environment)).toReversed()
        const oldest = places(made.map(({ instance }) => instance))
        for (const [at, after] of newest.entries()) assert.deepEqual(places(store.environments({ after, limit: 2 })), newest.slice(at + 1, at + 3))
        for (const [at, after] of oldest.entries()) assert.deepEqual(places(store.instanceList({ after, limit: 2 })), oldest.slice(at + 1, at + 3))

        const names = (filter: EnvironmentFilter): string =>
          store
            .environments(filter)
            .map(({ spec }) => spec.name.slice(1))
            .join('')
        assert.equal(names({ teams: ['blue'] }), '630')
        assert.equal(names({ teams: ['blue'], ended: false, limit: 1 }), '6')
        assert.equal(names({ teams: ['blue'], after: { id: made[6]?.environment.id ?? '', createdAt: 3 } }), '30')
        assert.equal(names({ labels: { even: 'yes' }, limit: 3 }), '864')
        assert.deepEqual(store.environmentIdsOf(['blue']).length, 3)
        assert.deepEqual(store.environmentIdsOf('all').length, 9)
        assert.deepEqual(places(store.instanceList({ teams: ['blue'], limit: 2 })), [oldest[0], oldest[3]])

        store.purge(made[3]?.environment.id ?? '')
        const gone = newest[5]
        assert.ok(gone)
        // What is as old as it is told again: better than left out.
        assert.deepEqual(names({ after: gone, limit: 2 }), '21')
        assert.deepEqual(places(store.instanceList({ after: oldest[3] ?? gone, limit: 2 })), [oldest[2], oldest[4]])
      })

      check('are found by the beginning of their id', store => {
        for (const id of ['eaaa1', 'eaaa2', 'eaab1', 'eb']) store.putEnvironment(exampleEnvironment(id, { id }))
        assert.deepEqual(store.environmentIds('eaaa', 5), ['eaaa1', 'eaaa2'])
        assert.deepEqual(store.environmentIds('ea', 2), ['eaaa1', 'eaaa2'])
        assert.deepEqual(store.environmentIds('eaab1', 2), ['eaab1'])
        assert.deepEqual(store.environmentIds('%', 5), [])
        assert.deepEqual(store.environmentIds('ec', 5), [])
      })

      check('expire when their retention is over, the oldest end first', store => {
        store.putEnvironment(exampleEnvironment('b', { id: 'e2', state: 'ended', endedAt: 5_000 }))
        store.putEnvironment(exampleEnvironment('a', { id: 'e1', state: 'ended', endedAt: 4_000 }))
        store.putEnvironment(exampleEnvironment('c', { id: 'e3' }))
        assert.deepEqual(store.expired(5_000, 10), [])
        assert.deepEqual(store.expired(5_001, 10), ['e1'])
        assert.deepEqual(store.expired(9_999, 10), ['e1', 'e2'])
        assert.deepEqual(store.expired(9_999, 1), ['e1'])
      })
    })

    describe('instances', () => {
      check('are kept as they are, over a restart too', (store, reopen) => {
        const environment = exampleEnvironment('one')
        store.putEnvironment(environment)
        const made = exampleInstance(environment.id)
        store.putInstance(made)
        assert.deepEqual(store.instance(made.id), made)
        const exit = { code: 137, signal: 9, oom: true, cause: 'deadline' as const, endedAt: 7, droppedBytes: 1, droppedLines: 2 }
        const after: Instance = { ...made, state: 'exited', reason: 'x', startedAt: 4, pid: 77, start: 'prepared', exit }
        store.putInstance(after)
        assert.deepEqual(reopen().instance(made.id), after)
      })

      check('belong to an environment that exists', store => {
        assert.throws(() => store.putInstance(exampleInstance('nowhere')))
      })

      check('are listed by environment and by being live', store => {
        const [one, two] = [exampleEnvironment('one'), exampleEnvironment('two')]
        store.putEnvironment(one)
        store.putEnvironment(two)
        const states = ['pending', 'created', 'running', 'exited', 'failed', 'lost', 'removed'] as const
        const made = states.map(state => exampleInstance(one.id, { state }))
        for (const instance of made) store.putInstance(instance)
        const other = exampleInstance(two.id)
        store.putInstance(other)
        const ids = (instances: readonly Instance[]): string[] => instances.map(({ id }) => id)
        assert.deepEqual(ids(store.instances(one.id)), ids(made))
        assert.deepEqual(ids(store.instanceList({})), [...ids(made), other.id])
        assert.deepEqual(ids(store.instanceList({ environment: one.id })), ids(made))
        assert.deepEqual(ids(store.liveInstances()), [...ids(made.slice(0, 3)), other.id])
        assert.deepEqual(store.instanceIds(other.id.slice(0, 8), 2), [other.id])
        const wishes = ['stopped', 'retired'] as const
        const ended = wishes.map(wish => exampleInstance(two.id, { state: 'removed', wish }))
        const going = exampleInstance(two.id, { state: 'running', wish: 'retired' })
        for (const instance of [...ended, going]) store.putInstance(instance)
        assert.deepEqual(ids(store.presentInstances(two.id)), [other.id, ended[0]?.id, going.id])
      })

      check('that are gone are present only as the newest of their place, over a restart too', (store, reopen) => {
        const { id } = exampleEnvironment('one')
        store.putEnvironment(exampleEnvironment('one', { id }))
        const living = exampleInstance(id, { state: 'running' })
        store.putInstance(living)
        const end = (change: Partial<Instance>): string => {
          const instance = exampleInstance(id, change)
          for (const state of ['running', 'exited', 'removed'] as const) store.putInstance({ ...instance, state })
          return instance.id
        }
        const first = Array.from({ length: presentPerPlace + 3 }, () => end({ replica: 1 }))
        const second = [end({ replica: 2 })]
        const other = [end({ replica: 1, workload: 'other' })]
        const retired = end({ replica: 1, wish: 'retired' })
        const expected = [living.id, ...first.slice(3), ...second, ...other]
        const present = (of: Store): string[] => of.presentInstances(id).map(instance => instance.id)
        assert.deepEqual(present(store), expected)
        assert.equal(store.instances(id).length, first.length + 4)
        // What is history stays history, whatever is written of it.
        for (const gone of [first[0] ?? '', retired]) {
          const old = store.instance(gone)
          assert.ok(old)
          store.putInstance({ ...old, reason: 'again' })
        }
        assert.deepEqual(present(store), expected)
        const forgiven = store.instance(second[0] ?? '')
        assert.ok(forgiven)
        store.putInstance({ ...forgiven, wish: 'retired' })
        assert.deepEqual(
          present(reopen()),
          expected.filter(instance => instance !== forgiven.id),
        )
      })

      check('are summed for the owner of their environments, as long as they are live', store => {
        assert.deepEqual(store.held('somebody'), { environments: 0, instances: 0, cpus: 0, memory: 0 })
        const [one, empty, ended, others] = ['one', 'empty', 'ended', 'others'].map(name => exampleEnvironment(name))
        assert.ok(one && empty && ended && others)
        for (const environment of [one, empty]) store.putEnvironment(environment)
        store.putEnvironment({ ...ended, state: 'ended', endedAt: 1 })
        store.putEnvironment({ ...others, spec: { ...others.spec, owner: 'another' } })
        for (const state of ['pending', 'created', 'running', 'exited', 'failed', 'lost', 'removed'] as const)
          store.putInstance(exampleInstance(one.id, { state, origin: exampleOrigin(0.5, 100) }))
        store.putInstance(exampleInstance(one.id, { state: 'running', origin: undefined }))
        store.putInstance(exampleInstance(others.id, { state: 'running', origin: exampleOrigin(8, 1000) }))
        assert.deepEqual(store.held('somebody'), { environments: 2, instances: 4, cpus: 1.5, memory: 300 * 1024 * 1024 })
        assert.deepEqual(store.held('another'), { environments: 1, instances: 1, cpus: 8, memory: 1000 * 1024 * 1024 })
      })
    })

    describe('the record', () => {
      const recorded = (store: Store, entries: number): string => {
        const environment = exampleEnvironment(`r${newInstanceId()}`)
        store.putEnvironment(environment)
        for (let entry = 1; entry <= entries; entry++)
          store.append(event(environment.id, `test.${entry}`, { entry, nested: { b: [1, null, 'ü'], a: true } }))
        return environment.id
      }

      check('gives each entry its place, time and hash', store => {
        const [a, b] = [recorded(store, 2), recorded(store, 1)]
        const third = store.append({ ...event(a, 'test.3'), instance: 'i1' })
        assert.equal(third.sequence, 3)
        assert.equal(third.instance, 'i1')
        assert.match(third.hash, /^[0-9a-f]{64}$/)
        assert.ok(third.time > 0)
        assert.deepEqual(store.events({ environment: a }).at(-1), third)
        assert.deepEqual(
          store.events({}).map(({ environment, sequence }) => [environment, sequence]),
          [
            [a, 1],
            [a, 2],
            [b, 1],
            [a, 3],
          ],
        )
        const cursors = store.events({}).map(({ cursor }) => cursor)
        assert.deepEqual(
          cursors,
          cursors.toSorted((left, right) => left - right),
        )
      })

      check('is read from a cursor, a time, and up to a limit', store => {
        const id = recorded(store, 5)
        const all = store.events({ environment: id })
        const third = all[2]
        assert.ok(third)
        assert.deepEqual(store.events({ environment: id, after: third.cursor }), all.slice(3))
        assert.deepEqual(store.events({ after: third.cursor, limit: 1 }), all.slice(3, 4))
        assert.deepEqual(store.events({ since: third.time + 1e9 }), [])
        assert.equal(store.events({ environment: id, since: 0, limit: 2 }).length, 2)
        assert.deepEqual(store.events({ environment: 'none' }), [])
        assert.deepEqual(store.events({ environment: id, types: [third.type, 'none'] }), [third])
        assert.deepEqual(store.events({ environment: id, newestFirst: true, limit: 2 }), all.slice(-2).reverse())
        assert.deepEqual(store.events({ environment: id, before: third.cursor, newestFirst: true }), all.slice(0, 2).reverse())
        assert.deepEqual(store.events({ types: [] }), [])
      })

      check('holds its chain, over a restart too', (store, reopen) => {
        const id = recorded(store, 4)
        assert.equal(store.verify(id), undefined)
        const again = reopen()
        again.append(event(id, 'test.5'))
        assert.equal(again.verify(id), undefined)
        assert.equal(again.events({ environment: id }).at(-1)?.sequence, 5)
      })

      check('is sealed once and for all', store => {
        const id = recorded(store, 3)
        const last = store.events({ environment: id }).at(-1)
        const seal = store.seal(id, dayfly)
        assert.equal(seal.type, 'record.sealed')
        assert.deepEqual(seal.data, { count: 3, hash: last?.hash })
        assert.throws(() => store.append(event(id, 'late')), code('wrong_state'))
        assert.throws(() => store.seal(id, dayfly), code('wrong_state'))
        assert.equal(store.verify(id), undefined)
        assert.equal(store.events({ environment: id }).length, 4)
      })

      check('of an unknown environment cannot be verified', store => {
        assert.throws(() => store.verify('none'), code('not_found'))
      })

      check('of an ended environment must be sealed', store => {
        const environment = exampleEnvironment('x')
        store.putEnvironment(environment)
        store.append(event(environment.id, 'only'))
        store.putEnvironment({ ...environment, state: 'ended', endedAt: 1 })
        assert.equal(store.verify(environment.id), 2)
      })
    })

    describe('transactions', () => {
      check('keep all or nothing', store => {
        const environment = exampleEnvironment('one')
        assert.throws(
          () =>
            store.transaction(() => {
              store.putEnvironment(environment)
              store.append(event(environment.id, 'x'))
              throw new Error('no')
            }),
          /^Error: no$/,
        )
        assert.equal(store.environment(environment.id), undefined)
        assert.deepEqual(store.events({}), [])
        const result = store.transaction(() => {
          store.putEnvironment(environment)
          return store.append(event(environment.id, 'y')).sequence
        })
        assert.equal(result, 1)
        assert.equal(store.verify(environment.id), undefined)
      })

      check('nest: what the inner one throws undoes the inner one', store => {
        const environment = exampleEnvironment('one')
        store.transaction(() => {
          store.putEnvironment(environment)
          store.append(event(environment.id, 'kept'))
          assert.throws(() =>
            store.transaction(() => {
              store.append(event(environment.id, 'undone'))
              throw new Error('no')
            }),
          )
          store.transaction(() => store.append(event(environment.id, 'kept too')))
        })
        assert.deepEqual(
          store.events({}).map(({ type, sequence }) => [type, sequence]),
          [
            ['kept', 1],
            ['kept too', 2],
          ],
        )
        assert.equal(store.verify(environment.id), undefined)
      })

      check('can be undone as a whole after an inner one was kept', store => {
        const environment = exampleEnvironment('one')
        assert.throws(() =>
          store.transaction(() => {
            store.transaction(() => store.putEnvironment(environment))
            throw new Error('no')
          }),
        )
        assert.equal(store.environment(environment.id), undefined)
      })
    })

    recordEndSuite(check, { environment: exampleEnvironment, instance: exampleInstance })

    describe('the end of retention', () => {
      check('forgets an ended environment with all that belongs to it, and no other', store => {
        const [gone, kept] = [exampleEnvironment('gone'), exampleEnvironment('kept')]
        for (const environment of [gone, kept]) {
          store.putEnvironment(environment)
          store.putInstance(exampleInstance(environment.id, { state: 'removed' }))
          store.append(event(environment.id, 'x'))
        }
        assert.throws(() => store.purge(gone.id), code('wrong_state'))
        store.seal(gone.id, dayfly)
        store.putEnvironment({ ...gone, state: 'ended', endedAt: 1 })
        const last = Math.max(...store.events({}).map(({ cursor }) => cursor))
        store.purge(gone.id)
        store.purge(gone.id)
        assert.equal(store.environment(gone.id), undefined)
        assert.deepEqual(store.instances(gone.id), [])
        assert.deepEqual(store.events({ environment: gone.id }), [])
        assert.equal(store.verify(kept.id), undefined)
        assert.equal(store.instances(kept.id).length, 1)
        assert.ok(store.append(event(kept.id, 'y')).cursor > last, 'a cursor is never given twice')
      })
    })

    describe('facts', () => {
      check('are kept', (store, reopen) => {
        assert.equal(store.fact('slice'), undefined)
        store.setFact('slice', '3')
        store.setFact('slice', '4')
        assert.equal(reopen().fact('slice'), '4')
      })
    })
  })
}
