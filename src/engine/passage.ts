/** The steps that an environment goes up by when it is created and down by when it ends, fails or is found half done after a crash. */
import { abortError } from '../base/abort.ts'
import type { Clock } from '../base/clock.ts'
import { DayflyError } from '../base/errors.ts'
import type { Environment } from '../model/environment.ts'
import { dayfly } from '../model/event.ts'
import type { Instance } from '../model/instance.ts'
import type { Gate } from './admission.ts'
import type { Audience } from './audience.ts'
import type { Backend, EnvironmentRequest } from './backend.ts'
import type { Denials } from './denials.ts'
import type { Halt } from './halt.ts'
import type { Instances } from './instances.ts'
import { endingOf } from './instances.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { Live } from './lives.ts'
import type { Outcomes } from './outcomes.ts'
import type { Responses } from './responses.ts'
import { inOrder } from './revision.ts'
import type { SecretKeeper } from './secrets.ts'
import { seedVolumes } from './seeding.ts'
import type { Sessions } from './sessions.ts'
import type { Step } from './steps.ts'
import { together } from './steps.ts'
import type { Store } from './store.ts'
import { isSupervised } from './supervised.ts'
import type { Witness } from './witness.ts'

export interface PassageParts {
  readonly backend: Backend
  readonly store: Store
  readonly clock: Clock
  readonly lifecycle: Lifecycle
  readonly outcomes: Outcomes
  readonly sessions: Sessions
  readonly instances: Instances
  readonly halt: Halt
  readonly keeper: SecretKeeper
  readonly audience: Audience
  readonly denials: Denials
  readonly gate: Gate
  readonly witness: Witness
  readonly responses: Pick<Responses, 'flush' | 'forget'>
}

export const environmentRequest = ({ id, spec }: Environment): EnvironmentRequest => ({
  id,
  networks: spec.networks ?? {},
  volumes: spec.volumes ?? [],
  configs: new Map(Object.entries(spec.configs ?? {}).map(([name, content]) => [name, Buffer.from(content, 'base64')])),
})

/** Who goes first when all are to go: nobody before those that depend on it. */
const waves = (environment: Environment, running: readonly Instance[]): Instance[][] => {
  const depth = new Map<string, number>()
  for (const name of inOrder(environment.spec)) {
    const before = Object.keys(environment.spec.workloads[name]?.deployment?.dependsOn ?? {}).map(dependency => depth.get(dependency) ?? -1)
    depth.set(name, Math.max(-1, ...before) + 1)
  }
  const deepest = Math.max(0, ...depth.values())
  return Array.from({ length: deepest + 1 }, (_, index) => running.filter(({ workload }) => (depth.get(workload) ?? 0) === deepest - index))
}

export const passageSteps = (parts: PassageParts): readonly Step<Live>[] => {
  const { backend, store, clock, lifecycle, outcomes, sessions, keeper } = parts

  const planOf = (live: Live): NonNullable<Live['plan']> => {
    if (!live.plan) throw new DayflyError('internal', `the environment ${live.id} has no plan to be created by`)
    return live.plan
  }

  const record: Step<Live> = {
    name: 'record',
    do: async live => {
      const { started, verdicts, why } = planOf(live)
      lifecycle.atomically(() => {
        lifecycle.insert(started.environment, started.instances, why.actor)
        parts.gate.note(live.id, verdicts, why.actor)
      })
    },
    undo: async live => {
      const environment = store.environment(live.id)
      if (!environment || environment.state === 'ended') return
      await sessions.finish(live.id)
      if (isSupervised(environment.spec)) await parts.audience.ending(environment)
      const testimonies = await parts.witness.settle(live.id)
      parts.responses.flush(live.id)
      lifecycle.flush(live.id)
      lifecycle.atomically(() => {
        for (const testimony of testimonies) lifecycle.note({ ...testimony, environment: live.id, actor: dayfly })
        lifecycle.moveEnvironment(live.id, 'ended', { actor: dayfly, reason: 'nothing of it is left' })
      })
      parts.witness.sealed(live.id)
    },
  }

  const shared: Step<Live> = {
    name: 'what the instances share',
    do: async (live, signal) => {
      const { started, secrets, seeds } = planOf(live)
      // Also of one that starts no instance later: what the next daemon's witness must not write down, it has to know.
      if (secrets.size > 0) keeper.keep(live.id, secrets)
      // Of others the backend makes the network and the ids with the first instance.
      if (!isSupervised(started.environment.spec)) return
      await Promise.all([
        parts.audience.prepare(started.environment, signal),
        backend.prepareEnvironment(environmentRequest(started.environment), signal),
      ])
      await seedVolumes(backend, started.environment, seeds, signal)
    },
    undo: async (live, signal) => {
      const environment = store.environment(live.id)
      if (environment && isSupervised(environment.spec)) await parts.denials.look(live.id)
      parts.denials.forget(live.id)
      parts.gate.forget(live.id)
      keeper.forget(live.id)
      await backend.removeEnvironment(live.id, signal)
    },
  }

  const instances: Step<Live> = {
    name: 'instances',
    do: async (live, signal) => {
      const { started, secrets } = planOf(live)
      await together(started.instances, signal, (instance, signal) => parts.instances.create(started.environment, instance, secrets, signal))
    },
    undo: async (live, signal) => {
      const left = store.instances(live.id).filter(instance => instance.state !== 'removed')
      await together(left, signal, (instance, signal) => backend.remove(instance.id, signal))
      lifecycle.atomically(() => {
        for (const { id } of left) lifecycle.moveInstance(id, 'removed', { actor: dayfly, reason: 'nothing of it is left but its log' })
      })
      for (const { id } of left) outcomes.forget(id)
    },
  }

  const processes: Step<Live> = {
    name: 'processes',
    do: async (live, signal) => {
      const { started } = planOf(live)
      const startedAt = new Map<string, number>()
      await together(started.instances, signal, async ({ id }, signal) => {
        live.attempted.add(id)
        startedAt.set(id, await parts.instances.start(id, signal))
      })
      if (signal.aborted) throw abortError(signal)
      lifecycle.atomically(() => {
        for (const { id } of started.instances) {
          lifecycle.moveInstance(id, 'running', { actor: dayfly, reason: 'started' }, { startedAt: startedAt.get(id) ?? clock.wall() })
        }
        const reason = isSupervised(started.environment.spec) ? 'its network and volumes are there' : 'every instance was started'
        lifecycle.moveEnvironment(live.id, 'running', { actor: dayfly, reason })
      })
      live.attempted.clear()
    },
    undo: async (live, signal) => {
      const environment = store.environment(live.id)
      if (!environment) return
      const running = store.instances(live.id).filter(instance => instance.state === 'running')
      for (const wave of live.ending?.force ? [running] : waves(environment, running)) {
        await together(wave, signal, async (instance, signal) => {
          const { stopSignal, grace } = endingOf(environment, instance)
          await parts.halt(instance.id, stopSignal, live.ending?.force ? 0 : grace, signal)
        })
      }
      outcomes.flush()
    },
  }

  return [record, shared, instances, processes]
}
