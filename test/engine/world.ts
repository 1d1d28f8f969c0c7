/**
 * An engine on the fake kernel with a clock that is moved by hand and a store whose disk can be full: everything a crash leaves behind survives in the
 * world, everything else dies with the engine.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ManualClock } from '../../src/backends/fake/clock.ts'
import { manualClock, settle } from '../../src/backends/fake/clock.ts'
import type { FakeBackend, FakeKernel, FakeOptions } from '../../src/backends/fake/fake.ts'
import { createFakeBackend, createFakeKernel } from '../../src/backends/fake/fake.ts'
import { fakeWorkload } from '../../src/backends/fake/workload.ts'
import { DayflyError } from '../../src/base/errors.ts'
import { createLog } from '../../src/base/log.ts'
import type { Script } from '../../src/engine/backend.suite.ts'
import type { EngineOptions } from '../../src/engine/create.ts'
import { createEngine } from '../../src/engine/create.ts'
import type { Adoption, Engine, Secrets, Started } from '../../src/engine/engine.ts'
import { secretDigestBy } from '../../src/engine/secret-digests.ts'
import type { Store } from '../../src/engine/store.ts'
import type { Environment, EnvironmentSpec } from '../../src/model/environment.ts'
import type { Actor } from '../../src/model/event.ts'
import { defaultLease } from '../../src/model/lease.ts'
import type { WorkloadSpec } from '../../src/model/workload.ts'
import { openStore } from '../../src/store/sqlite.ts'
import { admission } from './admission.ts'

export const user: Actor = { kind: 'user', name: 'tester' }
export const never = (): AbortSignal => new AbortController().signal
export const noSecrets: Secrets = new Map()
export const hour = 3_600_000

/** The store as one engine sees it: writes fail while the disk is full, and everything fails once the engine has crashed. */
const seenBy = (store: Store, state: { full: boolean; dead: boolean; onWrite?: () => void }): Store => {
  const write = <A extends unknown[], R>(work: (...args: A) => R) => {
    return (...args: A): R => {
      if (state.dead) throw new Error('the daemon was killed')
      if (state.full) throw new DayflyError('host', 'the disk is full')
      return work(...args)
    }
  }
  const read = <A extends unknown[], R>(work: (...args: A) => R) => {
    return (...args: A): R => {
      if (state.dead) throw new Error('the daemon was killed')
      return work(...args)
    }
  }
  return {
    transaction: work => {
      if (state.dead) throw new Error('the daemon was killed')
      state.onWrite?.()
      if (state.dead) throw new Error('the daemon was killed')
      if (state.full) throw new DayflyError('host', 'the disk is full')
      return store.transaction(work)
    },
    putEnvironment: write(store.putEnvironment),
    replaceSpec: write(store.replaceSpec),
    environment: read(store.environment),
    environmentByName: read(store.environmentByName),
    environments: read(store.environments),
    environmentIds: read(store.environmentIds),
    environmentIdsOf: read(store.environmentIdsOf),
    expired: read(store.expired),
    putInstance: write(store.putInstance),
    instance: read(store.instance),
    instances: read(store.instances),
    instanceList: read(store.instanceList),
    presentInstances: read(store.presentInstances),
    instanceIds: read(store.instanceIds),
    liveInstances: read(store.liveInstances),
    held: read(store.held),
    inventory: store.inventory,
    signatures: store.signatures,
    usage: store.usage,
    replies: store.replies,
    append: write(store.append),
    seal: write(store.seal),
    events: read(store.events),
    recordHead: read(store.recordHead),
    verify: read(store.verify),
    purge: write(store.purge),
    fact: read(store.fact),
    setFact: write(store.setFact),
    [Symbol.dispose]: () => {},
  }
}

export interface WorldOptions {
  readonly fake?: FakeOptions
  readonly engine?: Partial<EngineOptions>
  /** Is told before each transaction of the engine. */
  readonly onTransaction?: () => void
}

export interface World extends AsyncDisposable {
  readonly clock: ManualClock
  readonly kernel: FakeKernel
  /** What is on the disk, whatever happened to the engine. */
  readonly store: Store
  readonly folder: string
  readonly engine: Engine
  readonly backend: FakeBackend
  /** Lines of the daemon's log. */
  readonly lines: string[]
  full(full: boolean): void
  /** kill -9, at this very instruction. */
  crash(): void
  /** The host is restarted: nothing but the disk survives. */
  reboot(): void
  /** Another engine on what the crash left; it has adopted. */
  restart(options?: WorldOptions): Promise<Adoption>
  spec(script: Script, change?: Partial<EnvironmentSpec>, workload?: Partial<WorkloadSpec>): EnvironmentSpec
  run(script: Script, change?: Partial<EnvironmentSpec>, workload?: Partial<WorkloadSpec>): Promise<Started & { id: string; instance: string }>
  advance(ms: number): Promise<void>
  types(environment: string): string[]
  /** The environment has ended, and well: sealed and whole record, nothing left of it. */
  assertGone(environment: string): Promise<Environment>
}

/** What is common to every record, by the diagrams in model/: checked from the events alone. */
export const assertRecord = (store: Store, environment: string): void => {
  assert.equal(store.verify(environment), undefined, 'the chain holds')
  const next: Readonly<Record<string, readonly string[]>> = {
    'environment.creating': ['environment.running', 'environment.ending'],
    'environment.running': ['environment.ending'],
    'environment.ending': ['environment.ended'],
    'environment.ended': [],
    'instance.pending': ['instance.created', 'instance.failed'],
    'instance.created': ['instance.running', 'instance.failed'],
    'instance.running': ['instance.exited', 'instance.lost'],
    'instance.exited': ['instance.removed'],
    'instance.failed': ['instance.removed'],
    'instance.lost': ['instance.removed'],
    'instance.removed': [],
  }
  const last = new Map<string, string>()
  for (const { type, instance } of store.events({ environment })) {
    if (!(type in next)) continue
    const subject = type.startsWith('instance.') ? (instance ?? '') : ''
    const before = last.get(subject)
    if (before === undefined) assert.ok(type === 'environment.creating' || type === 'instance.pending', `${subject} begins with ${type}`)
    else assert.ok(next[before]?.includes(type), `${subject} goes from ${before} to ${type}`)
    last.set(subject, type)
  }
}

/** An engine that was crashed may still finish a call, and make its folder anew for it: what is left goes with the process. */
const folders = new Set<string>()
process.once('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

export const openWorld = async (options: WorldOptions = {}): Promise<World> => {
  const clock = manualClock()
  const folder = mkdtempSync(join(tmpdir(), 'dayfly-engine-'))
  folders.add(folder)
  const store = openStore({ path: ':memory:', clock })
  const kernel = createFakeKernel(clock, clock.agenda())
  const lines: string[] = []
  const log = createLog({ write: line => lines.push(line), level: 'debug', json: true })
  let current: { engine: Engine; backend: FakeBackend; state: { full: boolean; dead: boolean }; agenda: Disposable } | undefined
  let names = 0
  let full = false

  const start = async ({ fake = {}, engine: more = {}, onTransaction }: WorldOptions): Promise<Adoption> => {
    const backend = createFakeBackend(kernel, fake)
    const state = { full, dead: false, ...(onTransaction ? { onWrite: onTransaction } : {}) }
    const agenda = clock.agenda()
    const secretDigest = secretDigestBy(new TextEncoder().encode('the key of this world'))
    const own = { store: seenBy(store, state), agenda, sweepInterval: 60_000, secretDigest }
    const engine = createEngine({ ...own, backend, clock, recordsFolder: folder, log, admission: admission(), ...more })
    current = { engine, backend, state, agenda }
    return await engine.adopt(never())
  }
  const alive = (): NonNullable<typeof current> => {
    assert.ok(current, 'there is an engine')
    return current
  }
  const crash = (): void => {
    const { engine, backend, state, agenda } = alive()
    state.dead = true
    backend.crash()
    agenda[Symbol.dispose]()
    engine[Symbol.asyncDispose]().then(
      () => {},
      () => {},
    )
  }
  await start(options)

  const world: World = {
    ...{ clock, kernel, store, folder, lines, crash },
    get engine() {
      return alive().engine
    },
    get backend() {
      return alive().backend
    },
    reboot: () => {
      crash()
      clock.reboot()
      kernel.reboot(clock.agenda())
    },
    full: value => {
      full = value
      alive().state.full = value
    },
    restart: async (again = {}) => {
      if (!alive().state.dead) crash()
      await settle()
      return await start(again)
    },
    spec: (script, change = {}, workload = {}) => ({
      ...{ name: `env-${++names}`, owner: 'tester', labels: {}, lease: defaultLease },
      workloads: { main: fakeWorkload(script, workload) },
      ...change,
    }),
    run: async (script, change, workload) => {
      const started = await alive().engine.run(world.spec(script, change, workload), noSecrets, user, never())
      const [instance] = started.instances
      assert.ok(instance)
      return { ...started, id: started.environment.id, instance: instance.id }
    },
    advance: ms => clock.advance(ms),
    types: environment => store.events({ environment }).map(({ type }) => type),
    assertGone: async id => {
      const environment = store.environment(id)
      assert.equal(environment?.state, 'ended')
      assertRecord(store, id)
      assert.equal(store.events({ environment: id }).at(-1)?.type, 'record.sealed')
      const mine = new Set([id, ...store.instances(id).map(instance => instance.id)])
      assert.ok(![...kernel.machines.keys(), ...kernel.networks].some(owner => mine.has(owner)), 'nothing is left of it')
      for (const instance of store.instances(id)) assert.equal(instance.state, 'removed')
      return environment
    },
    [Symbol.asyncDispose]: async () => {
      const { engine, backend, agenda } = alive()
      if (!alive().state.dead) await engine[Symbol.asyncDispose]()
      await backend[Symbol.asyncDispose]()
      agenda[Symbol.dispose]()
      kernel.agenda[Symbol.dispose]()
      store[Symbol.dispose]()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  return world
}
