/** All policies in force, asked together: built in ones, and those of users' files. One denial denies; what cannot be asked denies too. */
import { throwIfAborted } from '../base/abort.ts'
import { DayflyError, messageOf } from '../base/errors.ts'
import { canonical, digestOf } from './canonical.ts'
import type { AdmissionRequest, Decision, ImageEvidence, Objection, Policies } from './decision.ts'
import { apiServerLimits } from './kubernetes/evaluate.ts'
import type { PolicySet } from './kubernetes/schema.ts'
import type { Exempted, Exemptions, NativePolicy, Outcome, Ruling } from './policy.ts'
import type { PolicyWorker, WorkerLimits } from './worker/worker.ts'
import { createPolicyWorker } from './worker/worker.ts'

export interface PoliciesOptions {
  /** Of users' files, by `loadPolicies`. */
  readonly documents?: PolicySet
  readonly builtIns?: readonly NativePolicy[]
  readonly exemptions?: Exemptions
  readonly limits?: Partial<WorkerLimits>
}

/** Bounds of one decision over all policies of files. */
export const defaultLimits: WorkerLimits = { milliseconds: 100, memory: 256, cost: apiServerLimits }

const undecided = (policy: string, why: string): Ruling => ({
  action: 'deny',
  objection: {
    policy,
    rule: 'evaluation',
    message: `the policy could not be evaluated: ${why}`,
    remedy: 'Correct the policy, or ask whoever wrote it.',
  },
})

const isRuling = (ruling: Ruling): boolean =>
  ['deny', 'warn', 'audit'].includes(ruling.action) &&
  [ruling.objection.policy, ruling.objection.rule, ruling.objection.message].every(text => typeof text === 'string')

/** A built in policy's answer; a policy that throws, or answers with something else, denies. */
const ask = (policy: NativePolicy, request: AdmissionRequest): Outcome => {
  try {
    const outcome = policy.evaluate(request)
    if (Array.isArray(outcome.rulings) && outcome.rulings.every(isRuling)) return outcome
    return { rulings: [undecided(policy.name, 'its answer is none')] }
  } catch (error) {
    return { rulings: [undecided(policy.name, messageOf(error))] }
  }
}

/** An exemption that has ended, or that fails, exempts nothing. */
const exemptionOf = (exemptions: Exemptions | undefined, objection: Objection, request: AdmissionRequest): Exempted | undefined => {
  try {
    const found = exemptions?.find(objection, request)
    return found && found.until > request.now ? found : undefined
  } catch {
    return undefined
  }
}

/** Rulings to a decision. What is exempted becomes an audit entry, and the decision holds until the exemption ends. */
const decideOf = (rulings: readonly Ruling[], exemptions: Exemptions | undefined, request: AdmissionRequest, ends: number[]) => {
  const denials: Objection[] = []
  const warnings: Objection[] = []
  const audits: Objection[] = []
  for (const { action, objection } of rulings) {
    const exempted = action === 'audit' || objection.rule === 'evaluation' ? undefined : exemptionOf(exemptions, objection, request)
    if (exempted) {
      ends.push(exempted.until)
      audits.push({ ...objection, exemption: exempted.name })
    } else if (action === 'deny') denials.push(objection)
    else if (action === 'warn') warnings.push(objection)
    else audits.push(objection)
  }
  return { denials, warnings, audits }
}

const nextStart = (exemptions: Exemptions | undefined, now: number): number[] => {
  try {
    const start = exemptions?.nextStart?.(now)
    return start === undefined ? [] : [start]
  } catch {
    return [now]
  }
}

/** Findings of an image are many and do not change: their digest is made once. */
const findingsDigests = new WeakMap<object, string>()
const digestOfFindings = (findings: ImageEvidence['findings']): string | undefined => {
  if (!findings) return undefined
  const known = findingsDigests.get(findings)
  if (known !== undefined) return known
  const made = digestOf(findings)
  findingsDigests.set(findings, made)
  return made
}

const digestOfRequest = ({ now: _now, images, ...request }: AdmissionRequest): string => {
  try {
    const facts = Object.fromEntries(Object.entries(images).map(([name, image]) => [name, { ...image, findings: digestOfFindings(image.findings) }]))
    return digestOf({ ...request, images: facts })
  } catch (error) {
    return digestOf(`no JSON: ${messageOf(error)}`)
  }
}

/**
 * Puts policies in force. Policies of files are evaluated in a thread, started here; dispose of it. Throws `invalid` when two policies have one name,
 * for an exemption would not know which it is about.
 */
export const createPolicies = ({ documents, builtIns = [], exemptions, limits }: PoliciesOptions): Policies => {
  const set = documents ?? { policies: [], bindings: [], params: [] }
  const bounds = { ...defaultLimits, ...limits }
  const names = [...builtIns.map(({ name }) => name), ...set.policies.map(({ metadata }) => metadata.name)]
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) throw new DayflyError('invalid', `there are two policies called ${twice}`, { remedy: 'Give one of them another name.' })
  const version = digestOf({
    documents: [...set.policies, ...set.bindings, ...set.params].map(canonical).toSorted(),
    builtIns: builtIns.map(({ name, identity }) => ({ name, identity })),
    exemptions: exemptions?.identity ?? null,
  })
  const worker: PolicyWorker | undefined = set.policies.length > 0 ? createPolicyWorker(set, bounds) : undefined

  const ofFiles = async (request: AdmissionRequest, signal: AbortSignal | undefined): Promise<readonly Ruling[]> => {
    if (!worker) return []
    const outcome = await worker.evaluate(request, signal)
    if ('failure' in outcome) return [undecided(outcome.policy ?? 'policies', outcome.failure)]
    return outcome.rulings.every(isRuling) ? outcome.rulings : [undecided('policies', 'the answer of their thread is none')]
  }

  return {
    version,
    decide: async (request, signal): Promise<Decision> => {
      if (signal) throwIfAborted(signal)
      const outcomes = builtIns.map(policy => ask(policy, request))
      const rulings = [...outcomes.flatMap(outcome => outcome.rulings), ...(await ofFiles(request, signal))]
      const ends = [...outcomes.flatMap(({ validUntil }) => (validUntil === undefined ? [] : [validUntil])), ...nextStart(exemptions, request.now)]
      const said = decideOf(rulings, exemptions, request, ends)
      return {
        verdict: said.denials.length > 0 ? 'denied' : 'allowed',
        ...said,
        policies: version,
        inputs: digestOfRequest(request),
        ...(ends.length > 0 ? { validUntil: Math.min(...ends) } : {}),
      }
    },
    [Symbol.asyncDispose]: async () => {
      await worker?.[Symbol.asyncDispose]()
    },
  }
}
