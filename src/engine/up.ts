/** Bringing environments up whose workloads are kept running, and changing those that are there. */
import { abortable, throwIfAborted } from '../base/abort.ts'
import { DayflyError } from '../base/errors.ts'
import type { Environment } from '../model/environment.ts'
import { EnvironmentSpec } from '../model/environment.ts'
import type { Actor } from '../model/event.ts'
import { parse } from '../model/parse.ts'
import { teamOf } from '../model/principal.ts'
import type { Gate, Verdicts } from './admission.ts'
import { denialOf, warningsOf } from './admission.ts'
import type { Audience } from './audience.ts'
import type { Backend } from './backend.ts'
import { changesBetween } from './changes.ts'
import type { Change, Engine, Secrets, Seeds, Started } from './engine.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { Waiting } from './line.ts'
import type { Lives } from './lives.ts'
import { partialSecrets, partialSpec } from './partial.ts'
import { environmentRequest } from './passage.ts'
import type { SecretDigest } from './secret-digests.ts'
import { withDigests } from './secret-digests.ts'
import type { SecretKeeper } from './secrets.ts'
import { checkSecrets } from './secrets.ts'
import { emptyVolumes, noteSeeding, seedVolumes, unclaimedVolumes } from './seeding.ts'
import type { Store } from './store.ts'
import { isSupervised } from './supervised.ts'
import type { Supervisor } from './supervisor.ts'

interface UpParts {
  readonly backend: Backend
  readonly lives: Lives
  readonly store: Store
  readonly lifecycle: Lifecycle
  readonly keeper: SecretKeeper
  readonly secretDigest: SecretDigest
  readonly supervisor: Supervisor
  readonly audience: Audience
  readonly gate: Gate
  readonly run: (
    spec: EnvironmentSpec,
    secrets: Secrets,
    seeds: Seeds,
    actor: Actor,
    signal: AbortSignal,
    waiting: Waiting | undefined,
  ) => Promise<Started>
  /** Resolves when nothing is left of it. */
  readonly ended: (id: string, signal: AbortSignal) => Promise<Environment>
  /** The lease runs for this long from now, if that is later than its end. */
  readonly prolong: (id: string, ttl: number, actor: Actor) => Promise<Environment>
}

const fault = (field: string, message: string, remedy: string): DayflyError => new DayflyError('invalid', `${field}: ${message}`, { field, remedy })

/** Names the workloads of a circle of dependencies, or nothing. */
const circleOf = (spec: EnvironmentSpec): string[] | undefined => {
  const over = new Set<string>()
  const visit = (name: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name]
    if (over.has(name)) return undefined
    for (const dependency of Object.keys(spec.workloads[name]?.deployment?.dependsOn ?? {})) {
      const found = visit(dependency, [...path, name])
      if (found) return found
    }
    over.add(name)
    return undefined
  }
  for (const name of Object.keys(spec.workloads)) {
    const found = visit(name, [])
    if (found) return found
  }
  return undefined
}

/** What one workload says of others and of what they share must be there. */
const checkReferences = (spec: EnvironmentSpec): void => {
  for (const [name, { deployment, mounts = [] }] of Object.entries(spec.workloads)) {
    const of = `workloads.${name}`
    if (!deployment)
      throw fault(`${of}.deployment`, 'it is missing', 'An environment that is kept running consists of workloads that are: use run for others.')
    for (const [dependency, { required, condition }] of Object.entries(deployment.dependsOn)) {
      if (required && !Object.hasOwn(spec.workloads, dependency))
        throw fault(`${of}.deployment.dependsOn.${dependency}`, `there is no workload ${dependency}`, 'Add it, or make it not required.')
      if (required && condition === 'completed' && spec.workloads[dependency]?.deployment?.scale.min === 0)
        throw fault(
          `${of}.deployment.dependsOn.${dependency}`,
          `${dependency} is scaled to none, and so never completes`,
          'Let it have an instance, or make it not required.',
        )
    }
    for (const network of Object.keys(deployment.networks)) {
      if (!Object.hasOwn(spec.networks ?? {}, network))
        throw fault(`${of}.deployment.networks.${network}`, `there is no network ${network}`, 'Name it under networks.')
    }
    for (const [index, mount] of mounts.entries()) {
      if (mount.type === 'volume' && !spec.volumes?.includes(mount.volume))
        throw fault(`${of}.mounts[${index}].volume`, `there is no volume ${mount.volume}`, 'Name it under volumes.')
      if (mount.type === 'config' && !Object.hasOwn(spec.configs ?? {}, mount.config))
        throw fault(`${of}.mounts[${index}].config`, `there is no config ${mount.config}`, 'Give its content under configs.')
    }
  }
  const circle = circleOf(spec)
  if (circle)
    throw fault(
      `workloads.${circle[0]}.deployment.dependsOn`,
      `they depend on each other: ${circle.join(' → ')}`,
      'Take one of these dependencies away.',
    )
}

const checkSeeds = (spec: EnvironmentSpec, seeds: Seeds): void => {
  const stray = [...seeds.keys()].find(volume => !spec.volumes?.includes(volume))
  if (stray !== undefined) throw fault('--seed', `there is no volume ${stray}`, `Its volumes are: ${spec.volumes?.join(', ') ?? 'none'}.`)
}

/** Changes of one name, one after another. */
interface Turns {
  /** When the last of them is over, and all before it, whoever of them was given up meanwhile. Never rejects. */
  over: Promise<unknown>
  count: number
  /** What the one whose turn it is waits for in line itself. */
  reason: string | undefined
}

export const createUp = (parts: UpParts): Pick<Engine, 'up' | 'diff'> => {
  const { backend, store, lives, lifecycle, keeper, supervisor } = parts
  const changing = new Map<string, Turns>()

  /** Does the work when all that came before for that name is over. */
  const inTurn = async <T>(
    spec: EnvironmentSpec,
    waiting: Waiting | undefined,
    signal: AbortSignal,
    work: (waiting: Waiting | undefined) => Promise<T>,
  ) => {
    const { name } = spec
    const key = `${teamOf(spec)}/${name}`
    const turns = changing.get(key) ?? { over: Promise.resolve(), count: 0, reason: undefined }
    changing.set(key, turns)
    const { over, count } = turns
    if (count > 0) {
      const also = turns.reason === undefined ? '' : `, which waits in line itself: ${turns.reason}`
      waiting?.onPlace({ place: count + 1, reason: `another up of ${name} comes first${also}` })
    }
    const told: Waiting | undefined = waiting && {
      patience: waiting.patience,
      onPlace: place => {
        turns.reason = place.reason
        waiting.onPlace(place)
      },
    }
    const mine = (count === 0 ? Promise.resolve() : abortable(over, signal)).then(() => work(told))
    turns.count++
    turns.over = Promise.allSettled([over, mine])
    try {
      return await mine
    } finally {
      turns.reason = undefined
      if (--turns.count === 0) changing.delete(key)
    }
  }

  /** Changes what lives, unless it ends: its end breaks the change off, and waits until it is. */
  const whileItLives = async <T>({ id, spec: { name } }: Environment, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    const live = lives.get(id)
    if (!live || live.ending) throw new DayflyError('wrong_state', `name: the environment ${name} is ending`, { field: 'name' })
    const breakOff = new AbortController()
    const { promise: over, resolve } = Promise.withResolvers<void>()
    live.update = { abort: reason => breakOff.abort(reason), over }
    try {
      return await work(AbortSignal.any([signal, breakOff.signal]))
    } finally {
      live.update = undefined
      resolve()
    }
  }

  /** The whole of what is wanted, in which all references lead somewhere. */
  const whole = (wanted: EnvironmentSpec, living: Environment | undefined, partial: boolean): EnvironmentSpec => {
    const spec = partial ? partialSpec(living?.spec, wanted) : wanted
    checkReferences(spec)
    return spec
  }

  const digested = (spec: EnvironmentSpec, living: Environment | undefined, part: EnvironmentSpec, secrets: Secrets | undefined): EnvironmentSpec =>
    withDigests(parts.secretDigest, spec, living?.spec, new Set(Object.keys(part.workloads)), secrets)

  /** The environment that a spec would change; undefined where it would make a new one. */
  const before = (spec: EnvironmentSpec): Environment | undefined => {
    const found = store.environmentByName(spec.name, teamOf(spec))
    if (!found) return undefined
    if (found.spec.owner !== spec.owner || !isSupervised(found.spec)) {
      throw new DayflyError('conflict', `name: an environment named ${spec.name} lives already, and was not brought up by you`, {
        field: 'name',
        remedy: 'Choose another name.',
      })
    }
    if (found.state !== 'running') {
      throw new DayflyError('wrong_state', `name: the environment ${spec.name} is ${found.state}: ${found.reason}`, {
        field: 'name',
        remedy: found.state === 'creating' ? 'Wait until it is there.' : `Wait until it has ended: dayfly down ${spec.name}`,
      })
    }
    return found
  }

  /** Denied, the environment stays as it is, and its record says so. */
  const admitted = async (
    found: Environment,
    spec: EnvironmentSpec,
    named: ReadonlySet<string>,
    actor: Actor,
    signal: AbortSignal,
  ): Promise<Verdicts> => {
    const verdicts = await parts.gate.ask(spec, named, 'UPDATE', actor, signal)
    const denial = denialOf(verdicts)
    if (denial === undefined) return verdicts
    parts.gate.note(found.id, verdicts, actor)
    throw denial
  }

  const update = async (
    found: Environment,
    spec: EnvironmentSpec,
    named: ReadonlySet<string>,
    secrets: Secrets,
    seeds: Seeds,
    actor: Actor,
    signal: AbortSignal,
  ): Promise<readonly Change[]> => {
    const changes = changesBetween(found.spec, spec)
    const known = new Set(found.spec.volumes ?? [])
    const old = [...seeds.keys()].find(volume => known.has(volume))
    if (old !== undefined)
      throw fault('--seed', `the volume ${old} is in use already`, 'Only new volumes are filled; end the environment first to begin anew.')
    const unclaimed = unclaimedVolumes(store, found)
    await parts.audience.prepare({ ...found, spec }, signal)
    throwIfAborted(signal)
    if (seeds.size > 0) noteSeeding(lifecycle, found, [...unclaimed, ...seeds.keys()], actor)
    await backend.prepareEnvironment(environmentRequest({ ...found, spec }), signal)
    await emptyVolumes(
      backend,
      found,
      unclaimed.filter(volume => !seeds.has(volume)),
      signal,
    )
    await seedVolumes(backend, found, seeds, signal)
    throwIfAborted(signal)
    const before = keeper.find(found.id)
    keeper.keep(found.id, partialSecrets(spec, named, before, secrets))
    if (changes.length > 0) {
      const data = { changes: changes.map(({ subject, name, kind, effect }) => ({ subject, name, kind, effect })) }
      try {
        lifecycle.replaceSpec(found.id, spec, data, { actor, reason: 'asked for' })
      } catch (error) {
        keeper.keep(found.id, before)
        throw error
      }
    }
    lifecycle.forgive(found.id, named)
    lifecycle.touch(found.id)
    await parts.prolong(found.id, spec.lease.ttl, actor)
    supervisor.takeUp(found, true)
    await supervisor.resume(found.id, actor, 'it was brought up again')
    return changes
  }

  return {
    diff: (wanted, partial = false, secrets = undefined) => {
      const part = parse(EnvironmentSpec, wanted)
      const found = before(part)
      if (secrets) checkSecrets(part, secrets)
      return changesBetween(found?.spec, digested(whole(part, found, partial), found, part, secrets))
    },
    up: async (wanted, secrets, seeds, actor, signal, partial = false, waiting = undefined) => {
      const part = parse(EnvironmentSpec, wanted)
      if (!partial) checkReferences(part)
      checkSecrets(part, secrets)
      checkSeeds(part, seeds)
      const named = new Set(Object.keys(part.workloads))
      return await inTurn(part, waiting, signal, async told => {
        const earlierOne = store.environmentByName(part.name, teamOf(part))
        // Its name is free once nothing is left of it.
        if (earlierOne?.state === 'ending') await parts.ended(earlierOne.id, signal)
        const found = before(part)
        const spec = digested(whole(part, found, partial), found, part, secrets)
        if (found) {
          const outcome = await whileItLives(found, signal, async living => {
            const verdicts = await admitted(found, spec, named, actor, living)
            const changes = await update(found, spec, named, secrets, seeds, actor, living).catch((error: unknown) => {
              // What was opened for it is closed again.
              const now = store.environment(found.id)
              if (now && lives.get(found.id) && !lives.get(found.id)?.ending) parts.audience.statuses(now, supervisor.statuses(found.id))
              throw error
            })
            parts.gate.note(found.id, verdicts, actor)
            return { changes, warnings: warningsOf(verdicts) }
          })
          return { environment: lifecycle.current(store.environment(found.id) ?? found), ...outcome }
        }
        const { environment, warnings } = await parts.run(spec, secrets, seeds, actor, signal, told)
        return { environment, changes: changesBetween(undefined, spec), warnings }
      })
    },
  }
}
