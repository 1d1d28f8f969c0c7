/**
 * The gate that every start passes. Who decides is given to the engine; what was decided is written into the record, also of what is denied: an environment that
 * was refused leaves its record and nothing else.
 */
import { throwIfAborted } from '../base/abort.ts'
import { DayflyError } from '../base/errors.ts'
import type { Environment, EnvironmentSpec } from '../model/environment.ts'
import type { Actor, NewEvent } from '../model/event.ts'
import { dayfly } from '../model/event.ts'
import type { WorkloadSpec } from '../model/workload.ts'
import type { Decision, Objection } from '../policy/decision.ts'
import { imagePolicyName } from '../policy/images/policy.ts'
import { workloadField } from '../policy/workload-fields.ts'
import { createDenialBudget } from './denial-budget.ts'
import type { Warning } from './engine.ts'
import type { Lifecycle } from './lifecycle.ts'

export interface AdmissionQuestion {
  readonly spec: EnvironmentSpec
  readonly workload: string
  /** `UPDATE`: a workload of that name is there, made from something else. */
  readonly operation: 'CREATE' | 'UPDATE'
  readonly actor: Actor
}

export interface Verdict {
  readonly decision: Decision
  /** It was known already. */
  readonly cached: boolean
  /** ms. */
  readonly took: number
}

export interface Admission {
  /** Fails closed: rejects by the signal, and with `host` while this host cannot decide anything (a full disk); everything else that goes wrong is a denial. */
  admit(question: AdmissionQuestion, signal: AbortSignal): Promise<Verdict>
}

/** By workload. */
export type Verdicts = ReadonlyMap<string, Verdict>

export interface Gate {
  /** Asks for each of the workloads. Throws `denied` when one is; what is then to be written, `refused` writes. */
  ask(
    spec: EnvironmentSpec,
    workloads: Iterable<string>,
    operation: AdmissionQuestion['operation'],
    actor: Actor,
    signal: AbortSignal,
  ): Promise<Verdicts>
  /** Writes verdicts into a record that is open, within `lifecycle.atomically` or by itself. What was said of a workload last is not said again. */
  note(environment: string, verdicts: Verdicts, actor: Actor, instance?: string): void
  /**
   * The record of an environment that never was, without the values that it was refused for. Of one user 30 a minute are written; how many were not says the
   * next one, as `unrecorded`.
   */
  refused(environment: Environment, verdicts: Verdicts, actor: Actor): void
  forget(environment: string): void
}

export const isDenied = ({ decision }: Verdict): boolean => decision.verdict !== 'allowed'

/** What people are to be told at once, by workload. */
export const warningsOf = (verdicts: Verdicts): Warning[] =>
  [...verdicts].flatMap(([workload, { decision }]) => decision.warnings.map(objection => ({ workload, objection })))

const describe = ({ policy, rule, message }: Objection): string => `${message} (${policy}/${rule})`

/** Names the first three reasons of the first workload that is denied, and the remedy of the first. */
export const denialOf = (verdicts: Verdicts): DayflyError | undefined => {
  const [workload, verdict] = [...verdicts].find(([, one]) => isDenied(one)) ?? []
  if (workload === undefined || verdict === undefined) return undefined
  const { denials } = verdict.decision
  const shown = denials.slice(0, 3).map(describe).join('; ')
  const more = denials.length > 3 ? `; and ${denials.length - 3} more` : ''
  const [first] = denials
  const field = first?.field === undefined ? undefined : workloadField(first.field)
  return new DayflyError('denied', `${workload} is not admitted: ${shown === '' ? 'no policy said why' : `${shown}${more}`}`, {
    ...(field === undefined ? {} : { field: ['workloads', workload, ...(field === '' ? [] : [field])].join('.') }),
    remedy: first?.remedy ?? 'See what the policies say: dayfly policy ls.',
  })
}

/** Objections that a record keeps of one decision: the rest is a number. */
const mostKept = 50

const kept = (objections: readonly Objection[]): NewEvent['data'][string] =>
  objections.slice(0, mostKept).map(({ policy, rule, message, field, finding, exemption }) => ({
    ...{ policy, rule, message },
    ...(field === undefined ? {} : { field }),
    ...(finding === undefined ? {} : { finding: finding.id }),
    ...(exemption === undefined ? {} : { exemption }),
  }))

const dataOf = (workload: string, { decision, cached, took }: Verdict, unrecorded: number): NewEvent['data'] => {
  const { denials, warnings, audits, policies, inputs } = decision
  const left = [denials, warnings, audits].reduce((sum, list) => sum + Math.max(0, list.length - mostKept), 0)
  return {
    ...{ workload, policies, inputs, cached, took: Math.round(took * 1000) / 1000 },
    ...(denials.length > 0 ? { denials: kept(denials) } : {}),
    ...(warnings.length > 0 ? { warnings: kept(warnings) } : {}),
    ...(audits.length > 0 ? { audits: kept(audits) } : {}),
    ...(left > 0 ? { left } : {}),
    ...(unrecorded > 0 ? { unrecorded } : {}),
  }
}

const blank = (values: Readonly<Record<string, string>>): Record<string, string> => Object.fromEntries(Object.keys(values).map(name => [name, '']))

const withoutWords = ({ deployment, ...workload }: WorkloadSpec): WorkloadSpec => {
  const { labels } = workload
  const kept = {
    ...{ ...workload, env: blank(workload.env), command: workload.command.slice(0, 1) },
    ...(labels === undefined ? {} : { labels: blank(labels) }),
  }
  if (deployment === undefined) return kept
  const { health: _health, ...rest } = deployment
  return { ...kept, deployment: rest }
}

/** What is refused for a secret in it is not kept with it: of variables and labels the names, of the command the program. */
const withoutGiven = (spec: EnvironmentSpec, verdicts: Verdicts): EnvironmentSpec => {
  const isLeaky = (name: string): boolean =>
    verdicts.get(name)?.decision.denials.some(({ policy, rule }) => policy === imagePolicyName && rule === 'secrets') ?? false
  if (![...verdicts.keys()].some(isLeaky)) return spec
  const workloads = Object.entries(spec.workloads).map(([name, workload]) => [name, isLeaky(name) ? withoutWords(workload) : workload] as const)
  return { ...spec, labels: blank(spec.labels), workloads: Object.fromEntries(workloads) }
}

export const createGate = (admission: Admission, lifecycle: Lifecycle): Gate => {
  const budget = createDenialBudget()
  /** What was written last of a workload, by environment. */
  const written = new Map<string, Map<string, string>>()

  const write = (environment: string, workload: string, verdict: Verdict, actor: Actor, instance: string | undefined, unrecorded = 0): void => {
    const denied = isDenied(verdict)
    const [first] = verdict.decision.denials
    lifecycle.note({
      environment,
      ...(instance === undefined ? {} : { instance }),
      type: `admission.${denied ? 'denied' : 'allowed'}`,
      actor,
      reason: denied ? (first === undefined ? 'denied' : describe(first)) : 'every policy allows it',
      data: dataOf(workload, verdict, unrecorded),
    })
  }

  return {
    ask: async (spec, workloads, operation, actor, signal) => {
      throwIfAborted(signal)
      const names = [...workloads]
      const verdicts = await Promise.all(names.map(workload => admission.admit({ spec, workload, operation, actor }, signal)))
      return new Map(names.flatMap((name, index) => (verdicts[index] === undefined ? [] : [[name, verdicts[index]] as const])))
    },
    note: (environment, verdicts, actor, instance) => {
      const known = written.get(environment) ?? new Map<string, string>()
      written.set(environment, known)
      for (const [workload, verdict] of verdicts) {
        const { verdict: outcome, inputs, policies } = verdict.decision
        const key = `${outcome} ${inputs} ${policies}`
        if (known.get(workload) === key) continue
        // What Dayfly itself asks for is begun again ever more seldom.
        const unrecorded = isDenied(verdict) && actor.kind === 'user' ? budget.take(actor) : 0
        if (unrecorded === undefined) continue
        write(environment, workload, verdict, actor, instance, unrecorded)
        known.set(workload, key)
      }
    },
    refused: (environment, verdicts, actor) => {
      const unrecorded = budget.take(actor)
      if (unrecorded === undefined) return
      lifecycle.atomically(() => {
        const reason = denialOf(verdicts)?.message ?? 'denied'
        lifecycle.insert({ ...environment, spec: withoutGiven(environment.spec, verdicts) }, [], actor)
        for (const [workload, verdict] of verdicts) write(environment.id, workload, verdict, actor, undefined, isDenied(verdict) ? unrecorded : 0)
        lifecycle.moveEnvironment(environment.id, 'ending', { actor: dayfly, reason }, 'denied')
        lifecycle.moveEnvironment(environment.id, 'ended', { actor: dayfly, reason: 'nothing of it ever was' })
        lifecycle.forget(environment.id)
      })
    },
    forget: environment => {
      written.delete(environment)
    },
  }
}
