/**
 * Random histories on the fake kernel: runs, exits, execs, stops, kills, ends, extensions, crashes, clock jumps, failing backends and full disks, in any
 * order. After each, the invariants must hold; a failing history is printed in its shortest form, with the seed that makes it again.
 */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import type { World } from '../../test/engine/world.ts'
import { assertRecord, never, noSecrets, openWorld, user } from '../../test/engine/world.ts'
import { settle } from '../backends/fake/clock.ts'
import type { Fault, Operation } from '../backends/fake/fake.ts'
import { commandOf } from '../backends/fake/process.ts'
import { fakeWorkload } from '../backends/fake/workload.ts'
import { errnoOf } from '../base/errors.ts'
import type { WorkloadSpec } from '../model/workload.ts'
import type { Script } from './backend.suite.ts'

const day = 86_400_000
const lease = { ttl: 100_000, idle: 20_000, retention: 30 * day }
const grace = 2_000

const scripts: readonly Script[] = [
  [{ exit: 0 }],
  [{ sleep: 3_000 }, { exit: 3 }],
  [{ sleep: 50_000 }, { exit: 4 }],
  [{ on: 'SIGTERM', exit: 5 }, { sleep: 1e9 }],
  [{ sleep: 1e9 }],
  [{ oom: true }],
]

type Deed =
  | { do: 'run'; workloads: { script: number; kind: WorkloadSpec['kind'] }[] }
  | { do: 'exec' | 'stop' | 'kill' | 'end' | 'force' | 'extend' | 'kill monitor'; which: number; ms: number }
  | { do: 'advance'; ms: number }
  | { do: 'step'; ms: number }
  | { do: 'crash' | 'reboot' | 'sweep' | 'full' | 'room' }
  | { do: 'fault'; operation: Operation; fault: Fault; times: number }

const kind = fc.constantFrom<WorkloadSpec['kind'][]>('job', 'service', 'sandbox')
const deeds: fc.Arbitrary<Deed> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('run' as const),
      workloads: fc.array(fc.record({ script: fc.nat(scripts.length - 1), kind }), { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'exec' as const,
        'stop' as const,
        'kill' as const,
        'end' as const,
        'force' as const,
        'extend' as const,
        'kill monitor' as const,
      ),
      which: fc.nat(5),
      ms: fc.constantFrom(1_000, 10_000, 90_000),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.constantFrom(1, 500, 3_000, 15_000, 60_000) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('step' as const), ms: fc.constantFrom(-400 * day, -3_000, 70_000, 400 * day) }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constantFrom('crash' as const, 'reboot' as const, 'sweep' as const, 'full' as const, 'room' as const) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('fault' as const),
      operation: fc.constantFrom<Operation[]>('create', 'start', 'wait', 'signal', 'setDeadline', 'exec', 'remove', 'removeEnvironment', 'observe'),
      fault: fc.constantFrom<Fault[]>('fail', 'late', 'hang'),
      times: fc.integer({ min: 1, max: 3 }),
    }),
  },
)

/** Environments and instances that were, or may have been, ended by other than the rules: what they ended with cannot be asked for. */
interface History {
  readonly world: World
  readonly killedMonitors: Set<string>
  rebooted: boolean
  signalsFailed: boolean
}

/** What must hold at any time. */
const assertAlways = ({ world }: History): void => {
  const { store, kernel, clock } = world
  for (const environment of store.environments()) {
    assertRecord(store, environment.id)
    if (environment.state === 'ended') {
      assert.equal(store.events({ environment: environment.id }).at(-1)?.type, 'record.sealed')
      assert.ok(!kernel.networks.has(environment.id), 'nothing is left of what has ended')
    }
    for (const instance of store.instances(environment.id)) {
      if (instance.state === 'removed') assert.ok(!kernel.machines.has(instance.id), 'nothing is left of what was removed')
    }
  }
  for (const machine of kernel.machines.values()) {
    const environment = store.environment(machine.environment)
    if (!environment) continue
    const latest = environment.ttlDeadline + grace
    assert.ok(machine.state !== 'running' || clock.boot() <= latest, `${machine.id} runs ${clock.boot() - latest} ms after its deadline`)
  }
  for (const [id, starts] of kernel.starts) assert.ok(starts <= 1, `${id} was started ${starts} times`)
}

/** What must hold when everything has had its time, disk and backend being well. */
const assertAtRest = async (history: History): Promise<void> => {
  const { world } = history
  assertAlways(history)
  for (const environment of world.store.environments()) {
    await world.assertGone(environment.id)
    const ran = world.types(environment.id).includes('environment.running')
    for (const instance of world.store.instances(environment.id)) {
      const failed = world.store
        .events({ environment: environment.id })
        .some(({ instance: of, type }) => of === instance.id && type === 'instance.failed')
      assert.ok(!failed || !world.kernel.starts.has(instance.id), `${instance.id} is said never to have run, and ran`)
      if (!ran || history.rebooted || history.signalsFailed || history.killedMonitors.has(instance.id)) continue
      assert.ok(instance.exit, `the exit status of ${instance.id} is known; it is ${instance.reason}`)
    }
  }
  assert.deepEqual(await world.backend.owned(), [])
  assert.deepEqual(await world.engine.leaks(), [])
}

const play = async (history: readonly Deed[]): Promise<void> => {
  const faults: { operation: Operation; fault: Fault; left: number }[] = []
  const fake = {
    fault: (operation: Operation): Fault | undefined => {
      const found = faults.find(other => other.operation === operation && other.left > 0)
      if (found) found.left--
      return found?.fault
    },
  }
  const options = { fake, engine: { attemptPatience: 5_000, killPatience: 5_000, startPatience: 10_000, sweepInterval: 5_000 } }
  await using world = await openWorld(options)
  const so: History = { world, killedMonitors: new Set(), rebooted: false, signalsFailed: false }
  /** What is asked for may be refused, and by nothing but an error that can be shown. */
  const ask = (work: Promise<unknown>): void => {
    work.catch((error: unknown) => {
      const shown =
        error instanceof Error && ['DayflyError', 'Error'].includes(error.name) && errnoOf(error) !== undefined && errnoOf(error) !== 'internal'
      if (!shown && !(error instanceof Error && error.message === 'the daemon was killed')) unexpected.push(error)
    })
  }
  const unexpected: unknown[] = []
  /** A start of the daemon that fails is tried again, as a service manager does. */
  const restart = async (): Promise<void> => {
    for (let attempt = 1; ; attempt++) {
      try {
        await world.restart(options)
        return
      } catch (error) {
        if (attempt > 5) throw error
      }
    }
  }

  for (const deed of history) {
    const instances = world.store.instanceList({}).filter(({ state }) => state === 'running')
    switch (deed.do) {
      case 'run': {
        const workloads = Object.fromEntries(
          deed.workloads.map(({ script, kind }, index) => [`w${index}`, fakeWorkload(scripts[script] ?? [], { kind, grace })]),
        )
        ask(world.engine.run(world.spec([], { lease, workloads }), noSecrets, user, never()))
        break
      }
      case 'advance':
        // The clock of a hung observe stands still: nobody waits for it but the next start.
        await world.advance(deed.ms)
        break
      case 'step':
        world.clock.step(deed.ms)
        break
      case 'full':
      case 'room':
        world.full(deed.do === 'full')
        break
      case 'sweep':
        ask(world.engine.sweep(never()))
        break
      case 'crash':
        faults.splice(0)
        await restart()
        break
      case 'reboot':
        faults.splice(0)
        so.rebooted = true
        world.reboot()
        await restart()
        break
      case 'fault':
        if (deed.operation === 'signal') so.signalsFailed = true
        // Nothing aborts an observe or a signal: one that hangs would be a backend that breaks its contract.
        if (deed.fault !== 'hang' || !['observe', 'signal', 'setDeadline'].includes(deed.operation)) {
          faults.push({ operation: deed.operation, fault: deed.fault, left: deed.times })
        }
        break
      default: {
        const instance = instances[deed.which % Math.max(1, instances.length)]
        if (!instance) break
        const { id, environment } = instance
        if (deed.do === 'exec') {
          const request = { command: commandOf([{ sleep: deed.ms }]), env: {}, user: undefined, workdir: undefined, tty: false, rows: 1, columns: 1 }
          ask(world.engine.exec(id, request, user, never()))
        }
        if (deed.do === 'stop') ask(world.engine.stop(id, deed.ms === 1_000 ? undefined : deed.ms, user, never()))
        if (deed.do === 'kill') ask(world.engine.kill(id, deed.ms === 1_000 ? 'SIGTERM' : 'SIGKILL', user))
        if (deed.do === 'end' || deed.do === 'force') ask(world.engine.end(environment, 'requested', 'asked', user, deed.do === 'force', never()))
        if (deed.do === 'extend') ask(world.engine.extend(environment, deed.ms, user))
        if (deed.do === 'kill monitor') {
          so.killedMonitors.add(id)
          world.kernel.machines.get(id)?.killMonitor()
        }
      }
    }
    await settle()
    assertAlways(so)
  }

  faults.splice(0)
  world.full(false)
  await world.advance(10 * 60_000)
  await assertAtRest(so)
  assert.deepEqual(unexpected, [])
}

it('whatever happens, the invariants hold', async () => {
  const runs = Number(process.env['DAYFLY_PROPERTY_RUNS'] ?? 150)
  const seed = process.env['DAYFLY_PROPERTY_SEED']
  await fc.assert(fc.asyncProperty(fc.array(deeds, { minLength: 1, maxLength: 40, size: 'max' }), play), {
    numRuns: runs,
    interruptAfterTimeLimit: 120_000,
    ...(seed === undefined ? {} : { seed: Number(seed) }),
  })
})
