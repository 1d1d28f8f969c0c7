/** Carrying out one measure. Each may be asked for again, after a crash too, and then finishes the work or finds it done. */
import { DayflyError } from '../base/errors.ts'
import type { Measure } from '../detect/responses/plan.ts'
import type { Environment } from '../model/environment.ts'
import { dayfly } from '../model/event.ts'
import type { Instance } from '../model/instance.ts'
import { isLive } from '../model/instance.ts'
import type { Backend, ProcessOfHost } from './backend.ts'
import type { BlockedImages } from './blocked-images.ts'
import type { Findings } from './findings.ts'
import type { Forensics } from './forensics.ts'
import type { Halt } from './halt.ts'
import type { Quarantine } from './quarantine.ts'
import type { Store } from './store.ts'

export interface About {
  readonly rule: string
  readonly process: ProcessOfHost & { readonly name: string }
  /** Place of the decision in the record. */
  readonly decision: number
  /** Wall ms of what was detected. */
  readonly detectedAt: number
}

export interface Measures {
  /** False: it is done already, or there is nothing left that it could be done to. */
  isNeeded(measure: Measure, instance: Instance, environment: Environment): boolean
  /** Digest of the image that it was made from; empty when nobody knows. */
  imageOf(instance: Instance, environment: Environment | undefined): string
  /** Resolves to what was done, for people. Rejects `not_found` or `invalid` when it never can be. */
  carryOut(step: Measure | 'forensics', instance: Instance, about: About, signal: AbortSignal): Promise<string>
  /** Does `work` while the instance stands still, or has ended. */
  still(instance: Instance, work: () => Promise<void>): Promise<void>
}

interface MeasuresParts {
  readonly backend: Pick<Backend, 'killProcess'>
  readonly store: Store
  readonly findings: Findings
  readonly quarantine: Quarantine
  readonly blocked: BlockedImages
  readonly forensics: Forensics
  readonly halt: Halt
  /** Resolves when its end is written. */
  readonly endEnvironment: (environment: string, reason: string, signal: AbortSignal) => Promise<void>
  readonly isPaused: (environment: string) => boolean
}

const tooLate = 'it had ended already'

export const createMeasures = (parts: MeasuresParts): Measures => {
  const { backend, store, findings, quarantine, blocked, forensics, halt } = parts

  const imageOf: Measures['imageOf'] = ({ origin, workload }, environment) => origin?.image ?? environment?.spec.workloads[workload]?.image ?? ''
  const isHere = ({ id }: Instance): boolean => isLive(store.instance(id)?.state ?? 'removed')
  const isStaying = ({ state }: Environment): boolean => state === 'creating' || state === 'running'

  const killProcess = async (instance: Instance, { process }: About): Promise<string> => {
    const killed = await backend.killProcess(instance.id, process).catch((error: unknown) => {
      // Nothing of it is left.
      if (!isHere(instance) || (error instanceof DayflyError && error.code === 'not_found')) return false
      throw error
    })
    return killed ? `the process ${process.pid} (${process.name}) was killed` : `the process ${process.pid} (${process.name}) had ended already`
  }

  const isolate = async (id: string, { rule, decision }: About): Promise<string> => {
    const environment = store.environment(id)
    if (environment === undefined || !isStaying(environment)) return tooLate
    await findings.isolate(environment, `isolated because of ${rule}`, { rule, decision })
    return 'nothing gets out of the environment any more'
  }

  const block = (instance: Instance, { rule }: About): string => {
    const environment = store.environment(instance.environment)
    const digest = imageOf(instance, environment)
    if (digest === '') throw new DayflyError('not_found', 'nobody knows what image it was made from')
    const name = environment?.spec.workloads[instance.workload]?.imageName
    blocked.block({
      digest,
      ...(name === undefined ? {} : { name }),
      ...{ reason: `an instance of it did what ${rule} is about`, actor: dayfly, rule, environment: instance.environment },
    })
    return `the image ${digest} is not admitted any more`
  }

  const freeze = async (instance: Instance, { rule, decision }: About): Promise<string> => {
    if (!isHere(instance)) return tooLate
    await quarantine.freeze(instance, `frozen because of ${rule}`, { rule, decision })
    return 'it stands still until somebody resumes it'
  }

  const endInstance = async (instance: Instance, signal: AbortSignal): Promise<string> => {
    if (!isHere(instance)) return tooLate
    await halt(instance.id, 'SIGKILL', 0, signal)
    return 'it was killed'
  }

  return {
    imageOf,
    isNeeded: (measure, instance, environment) => {
      const digest = imageOf(instance, environment)
      return {
        'block-image': () => digest !== '' && blocked.find(digest) === undefined,
        isolate: () => isStaying(environment) && !findings.isIsolated(environment.id),
        freeze: () => isHere(instance) && !quarantine.isFrozen(instance.id),
        'kill-process': () => isHere(instance),
        'end-instance': () => isHere(instance),
        'end-environment': () => isStaying(environment),
      }[measure]()
    },
    carryOut: async (step, instance, about, signal) => {
      const { environment } = instance
      switch (step) {
        case 'block-image':
          return block(instance, about)
        case 'isolate':
          return await isolate(environment, about)
        case 'forensics':
          await forensics.take(instance, { take: about.decision, rule: about.rule, until: about.detectedAt }, signal)
          return 'evidence was taken'
        case 'freeze':
          return await freeze(instance, about)
        case 'kill-process':
          return await killProcess(instance, about)
        case 'end-instance':
          return await endInstance(instance, signal)
        case 'end-environment':
          await parts.endEnvironment(environment, `ended because of ${about.rule}`, signal)
          return 'the environment ends'
      }
    },
    still: async (instance, work) => {
      let stands = false
      const working = (): Promise<void> => {
        stands = true
        return work()
      }
      try {
        await quarantine.still(instance, () => !parts.isPaused(instance.environment), working)
      } catch (error) {
        if (stands) throw error
        // What has ended says nothing more; of what cannot be frozen, the evidence says so.
        await work()
      }
    },
  }
}
