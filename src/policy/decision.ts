/**
 * Contract of admission: a pure function of (request, facts about its images, policies, time). Who asks gives everything; nothing is looked up.
 * It fails closed: an error, a timeout or a missing fact is a denial whose reason says so.
 */
import { z } from 'zod'
import type { Finding, SecretFinding } from '../model/finding.ts'

/** One thing that a policy said. */
export const Objection = z.object({
  /** The policy's name, e.g. `pod-security-restricted`, `image-vulnerabilities`. */
  policy: z.string(),
  /** Which of its rules: `runAsNonRoot`, `validations[2]`. */
  rule: z.string(),
  message: z.string(),
  /** What to do, where the policy knows it. */
  remedy: z.string().optional(),
  /** Field of the request, as users write it: `services.web.user`, `spec.containers[0].securityContext.privileged`. */
  field: z.string().optional(),
  /** The finding that it is about, where it is about one. */
  finding: z.object({ id: z.string(), fingerprint: z.string() }).optional(),
  /** The exemption that turned it into an audit entry. */
  exemption: z.string().optional(),
})
export type Objection = z.infer<typeof Objection>

export const Decision = z.object({
  verdict: z.enum(['allowed', 'denied']),
  /** Why it is denied; empty when it is allowed. */
  denials: z.array(Objection),
  /** Shown to the user at once, and recorded. */
  warnings: z.array(Objection),
  /** Recorded only. */
  audits: z.array(Objection),
  /** `sha256:…` of all policies, parameters and exemptions in force. */
  policies: z.string(),
  /** `sha256:…` of the request and the facts that it was decided on. */
  inputs: z.string(),
  /** Wall ms until which the same inputs give the same decision: an exemption or a grace period ends then, data becomes too old. */
  validUntil: z.number().optional(),
})
export type Decision = z.infer<typeof Decision>

/** What is known about an image when its admission is asked for. */
export interface ImageEvidence {
  /** What the user wrote. */
  readonly name: string
  /** Manifest digest; '' where it is not known (a manifest in a pipeline whose image was not looked at). */
  readonly digest: string
  /** Undefined: nobody has looked, or could; `problems` says why. Rules that need findings deny then. */
  readonly findings: readonly Finding[] | undefined
  readonly problems: readonly string[]
  readonly labels: Readonly<Record<string, string>>
  /** Undefined: signatures were not looked for. */
  readonly signatures: readonly VerifiedSignature[] | undefined
  /** Wall ms of the newest vulnerability data; undefined where there is none. */
  readonly dataFrom: number | undefined
}

export interface VerifiedSignature {
  /** Name of the trusted key that made it. */
  readonly key: string
  /** It signed the image. Otherwise it only says something of it, which may be that it is bad. */
  readonly signed: boolean
  /** in-toto predicate types that this key attests for the digest, with their predicates: `https://slsa.dev/provenance/v1`, … */
  readonly attestations: readonly { readonly type: string; readonly predicate: unknown }[]
}

/** Secrets in the clear in a request's own words: variables, command lines, labels. */
export interface GivenSecrets {
  /** Their places are fields of the request's object. */
  readonly findings: readonly SecretFinding[]
  /** What was not searched. With any, nobody knows that there are no others. */
  readonly problems: readonly string[]
}

/** A Kubernetes object, as JSON: at least apiVersion, kind and metadata. */
export interface KubernetesObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: Readonly<Record<string, unknown>>
  readonly [field: string]: unknown
}

export interface AdmissionRequest {
  /**
   * What Kubernetes would see: a Pod, or anything else of a manifest. Dayfly's own workloads are mapped to a Pod, so that one rule reads both.
   */
  readonly object: KubernetesObject
  readonly oldObject?: KubernetesObject
  readonly operation: 'CREATE' | 'UPDATE'
  readonly namespace: string
  readonly namespaceLabels: Readonly<Record<string, string>>
  readonly userInfo: { readonly username: string; readonly groups: readonly string[] }
  /** Dayfly's own view; undefined for foreign manifests. Plain JSON: what CEL sees as `instance` and `environment`. */
  readonly instance: Readonly<Record<string, unknown>> | undefined
  readonly environment: Readonly<Record<string, unknown>> | undefined
  /** By container name. What CEL sees as `images`; `image` and `findings` are those of the only or first container. */
  readonly images: Readonly<Record<string, ImageEvidence>>
  /** Undefined: nobody has looked. What CEL sees behind those of the image in `findings`. */
  readonly given?: GivenSecrets
  /** Wall ms. */
  readonly now: number
}

export interface Policies extends AsyncDisposable {
  /** `sha256:…`; changes when anything in force does. */
  readonly version: string
  /** Never rejects but by the signal: what goes wrong is a denial. */
  decide(request: AdmissionRequest, signal?: AbortSignal): Promise<Decision>
}
