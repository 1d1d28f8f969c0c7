/** Environments whose workloads are kept running, in the world of world.ts: what their tests are written in. */
import { settle } from '../../src/backends/fake/clock.ts'
import { commandOf } from '../../src/backends/fake/process.ts'
import { fakeWorkload } from '../../src/backends/fake/workload.ts'
import type { Script } from '../../src/engine/backend.suite.ts'
import type { Secrets, Seeds } from '../../src/engine/engine.ts'
import type { Dependency, Deployment, HealthCheck, Scale } from '../../src/model/deployment.ts'
import { noRestart } from '../../src/model/deployment.ts'
import type { EnvironmentSpec } from '../../src/model/environment.ts'
import type { Instance } from '../../src/model/instance.ts'
import type { WorkloadSpec } from '../../src/model/workload.ts'
import type { World, WorldOptions } from './world.ts'
import { hour, never, noSecrets, openWorld, user } from './world.ts'

export const noSeeds: Seeds = new Map()

export const forever: Script = [{ on: 'SIGTERM', exit: 0 }, { sleep: 100 * hour }]
/** Takes its whole grace. */
export const deaf: Script = [{ sleep: 100 * hour }]

export const well: HealthCheck = {
  ...{ command: commandOf([{ exit: 0 }]), interval: 1000, timeout: 500, retries: 3, startPeriod: 0, startInterval: 100 },
}
export const ill: HealthCheck = { ...well, command: commandOf([{ exit: 1 }]) }

export const scale = (count: number): Scale => ({ min: count, max: count, window: 0 })
export const after = (condition: Dependency['condition'], required = true): Dependency => ({ condition, required, restart: false })
export const stopFirst = { update: { order: 'stop-first', parallelism: 1 } } as const

export const service = (script: Script = forever, change: Partial<Deployment> = {}, workload: Partial<WorkloadSpec> = {}): WorkloadSpec =>
  fakeWorkload(script, {
    kind: 'service',
    deployment: {
      ...{ scale: scale(1), restart: noRestart, dependsOn: {}, networks: {}, expose: [], update: { order: 'start-first', parallelism: 1 } },
      ...change,
    },
    ...workload,
  })

export const spec = (workloads: EnvironmentSpec['workloads'], change: Partial<EnvironmentSpec> = {}): EnvironmentSpec => ({
  ...{ name: 'shop', owner: 'tester', labels: {}, lease: { ttl: 10 * hour, idle: 10 * hour, retention: hour }, workloads },
  ...change,
})

/** Its id, once what follows at once has happened. */
export const up = async (world: World, wanted: EnvironmentSpec, secrets: Secrets = noSecrets, seeds: Seeds = noSeeds): Promise<string> => {
  const { environment } = await world.engine.up(wanted, secrets, seeds, user, never())
  await settle()
  return environment.id
}

export const states = (world: World, id: string): Record<string, string> =>
  Object.fromEntries(world.engine.workloads(id).map(({ name, state }) => [name, state]))

export const live = (world: World, id: string, workload: string): Instance[] =>
  world.store.instances(id).filter(instance => instance.workload === workload && instance.state === 'running')

export const ids = (instances: readonly { readonly id: string }[]): string[] => instances.map(({ id }) => id)

/** A test in a world of its own; what lives when it is over is ended, and nothing is left of it. */
export const inWorld =
  (body: (world: World) => Promise<void>, options: WorldOptions = {}) =>
  async (): Promise<void> => {
    await using world = await openWorld(options)
    await body(world)
    for (const { id, state } of world.store.environments()) {
      if (state !== 'ended') await world.engine.end(id, 'requested', 'the test is over', user, true, never())
      await world.assertGone(id)
    }
  }
