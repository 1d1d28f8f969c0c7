/** The gate of the engine: what is known of the image and what the policies say, put together for one workload. */
import { createHash } from 'node:crypto'
import { abortError } from '../../base/abort.ts'
import type { Clock } from '../../base/clock.ts'
import { DayflyError, messageOf } from '../../base/errors.ts'
import { remember } from '../../base/remember.ts'
import type { Admission, AdmissionQuestion, Verdict } from '../../engine/admission.ts'
import { canonicalJson } from '../../model/record.ts'
import type { WorkloadSpec } from '../../model/workload.ts'
import type { AdmissionRequest, Decision, GivenSecrets, ImageEvidence, KubernetesObject, Policies } from '../../policy/decision.ts'
import type { PodSource } from '../../policy/workload-pod.ts'
import { podOfWorkload } from '../../policy/workload-pod.ts'

export interface AdmissionParts {
  /** In force now. */
  policies(): Policies
  /**
   * What is known of an image, by digest and the name that the user wrote. The same object as long as nothing else is known. Rejects by the signal, or when it
   * cannot be found out.
   */
  evidenceOf(digest: string, name: string, signal: AbortSignal): Promise<ImageEvidence>
  /** The number of a user in an image; '' is root. */
  uidOf(digest: string, user: string): Promise<number>
  /** Secrets in the pod's own words, beside those that are told of its image. */
  given(pod: KubernetesObject, evidence: ImageEvidence): GivenSecrets
  readonly clock: Clock
}

const sourceOf = (spec: WorkloadSpec, uid: number): PodSource => ({
  ...{ image: spec.imageName, command: spec.command, env: spec.env, user: spec.user, uid, workdir: spec.workdir, readOnly: spec.readOnly },
  ...{ capabilities: spec.capabilities, limits: spec.limits, runtime: spec.runtime, tty: spec.tty, stdin: spec.stdin, secrets: spec.secrets },
  ...{ mounts: spec.mounts ?? [], sysctls: spec.sysctls ?? {}, health: spec.deployment?.health, expose: spec.deployment?.expose ?? [] },
  labels: spec.labels ?? {},
})

const requestOf = (
  { spec, workload, operation, actor }: AdmissionQuestion,
  own: WorkloadSpec,
  uid: number,
  pod: KubernetesObject,
  evidence: ImageEvidence,
  given: GivenSecrets,
  now: number,
): AdmissionRequest => ({
  object: pod,
  operation,
  namespace: spec.name,
  namespaceLabels: spec.labels,
  userInfo: { username: actor.name, groups: [] },
  instance: { workload, uid, ...own },
  environment: { name: spec.name, owner: spec.owner, labels: spec.labels, lease: spec.lease },
  images: { [workload]: evidence },
  given,
  now,
})

const hash = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`

/** A decision that could not be made is a denial that says why. */
const undecided = (reason: string, policies: string, inputs: string): Decision => ({
  verdict: 'denied',
  denials: [{ policy: 'admission', rule: 'decided', message: `it could not be decided: ${reason}`, remedy: 'See the log of the daemon.' }],
  ...{ warnings: [], audits: [], policies, inputs },
})

/** Decisions in memory. */
const mostKnown = 512
/** Of one decision, when the policies change while it is made. */
const mostTries = 5

export const createAdmission = ({ policies, evidenceOf, uidOf, given, clock }: AdmissionParts): Admission => {
  const known = new Map<string, { readonly decision: Decision; readonly evidence: ImageEvidence; readonly at: number }>()

  /** Undefined: other policies have come into force meanwhile, and what those before them said holds no more. */
  const decideBy = async (
    inForce: Policies,
    question: AdmissionQuestion,
    own: WorkloadSpec,
    signal: AbortSignal,
  ): Promise<Pick<Verdict, 'decision' | 'cached'> | undefined> => {
    const { operation, actor, workload, spec } = question
    const { name, labels, lease, owner } = spec
    const key = hash(canonicalJson([inForce.version, operation, actor.name, workload, own, name, labels, lease, owner]))
    const evidence = await evidenceOf(own.image, own.imageName, signal)
    const now = clock.wall()
    const before = known.get(key)
    // A clock that was set back is at a time that nothing was decided for.
    const holds =
      before !== undefined && before.evidence === evidence && before.at <= now && (before.decision.validUntil ?? Number.POSITIVE_INFINITY) > now
    if (holds && policies() === inForce) return { decision: before.decision, cached: true }
    const uid = await uidOf(own.image, own.user)
    const pod = podOfWorkload(question.spec, workload, sourceOf(own, uid))
    const decision = await inForce.decide(requestOf(question, own, uid, pod, evidence, given(pod, evidence), now), signal)
    if (policies() !== inForce) return undefined
    remember(known, key, { decision, evidence, at: now }, mostKnown)
    return { decision, cached: false }
  }

  const decide = async (question: AdmissionQuestion, signal: AbortSignal): Promise<Pick<Verdict, 'decision' | 'cached'>> => {
    const { spec, workload } = question
    const own = Object.hasOwn(spec.workloads, workload) ? spec.workloads[workload] : undefined
    if (own === undefined) throw new DayflyError('internal', `there is no workload ${workload}`)
    for (let tries = 0; tries < mostTries; tries++) {
      const decided = await decideBy(policies(), question, own, signal)
      if (decided !== undefined) return decided
    }
    throw new DayflyError('internal', 'the policies change all the time')
  }

  return {
    admit: async (question, signal) => {
      const begin = performance.now()
      try {
        return { ...(await decide(question, signal)), took: performance.now() - begin }
      } catch (error) {
        if (signal.aborted) throw abortError(signal)
        // A full disk says nothing about the workload. Nothing runs either way.
        if (error instanceof DayflyError && error.code === 'host') throw error
        const decision = undecided(messageOf(error), policies().version, hash(question.workload))
        return { decision, cached: false, took: performance.now() - begin }
      }
    },
  }
}
