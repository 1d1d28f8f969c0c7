/**
 * Tests of policies: files of cases, each a request and what is expected of it.
 *
 * ```yaml
 * apiVersion: dayfly.dev/v1
 * kind: PolicyTest
 * metadata: { name: images }
 * cases:
 * - name: an image of elsewhere is refused
 *   object: { apiVersion: v1, kind: Pod, metadata: { name: web }, spec: { containers: [{ name: main, image: evil/web }] } }
 *   namespace: shop
 *   expect: { verdict: denied, denials: [{ policy: registries, message: not from our registry }] }
 * ```
 */
import { z } from 'zod'
import { DayflyError, messageOf } from '../../base/errors.ts'
import type { AdmissionRequest, Decision, Objection } from '../decision.ts'
import type { PolicyDocument } from '../kubernetes/files.ts'

const KubernetesObject = z.looseObject({
  apiVersion: z.string().min(1),
  kind: z.string().min(1),
  metadata: z.record(z.string(), z.unknown()).default({}),
})

/** All that is said must fit; `message` is a part of the message. */
const ExpectedObjection = z.strictObject({
  policy: z.string().optional(),
  rule: z.string().optional(),
  message: z.string().optional(),
  exemption: z.string().optional(),
})
type ExpectedObjection = z.output<typeof ExpectedObjection>

const record = z.record(z.string(), z.unknown())

const Evidence = z.strictObject({
  name: z.string(),
  digest: z.string().default(''),
  /** Facts as `dayfly scan --format json` gives them; left out: nobody has looked. */
  findings: z.array(z.unknown()).optional(),
  problems: z.array(z.string()).default([]),
  labels: z.record(z.string(), z.string()).default({}),
  signatures: z
    .array(
      z.strictObject({
        key: z.string(),
        signed: z.boolean().default(true),
        attestations: z.array(z.strictObject({ type: z.string(), predicate: z.unknown() })).default([]),
      }),
    )
    .optional(),
  dataFrom: z.number().optional(),
})

const Case = z.strictObject({
  name: z.string().min(1),
  object: KubernetesObject,
  oldObject: KubernetesObject.optional(),
  operation: z.enum(['CREATE', 'UPDATE']).default('CREATE'),
  namespace: z.string().optional(),
  namespaceLabels: z.record(z.string(), z.string()).default({}),
  userInfo: z.strictObject({ username: z.string(), groups: z.array(z.string()).default([]) }).default({ username: 'test', groups: [] }),
  instance: record.optional(),
  environment: record.optional(),
  images: z.record(z.string(), Evidence).default({}),
  /** When it is decided; left out: now. */
  now: z.iso.datetime({ offset: true }).optional(),
  expect: z.strictObject({
    verdict: z.enum(['allowed', 'denied']),
    /** Each must be among what was said; what else was said does not matter. */
    denials: z.array(ExpectedObjection).default([]),
    warnings: z.array(ExpectedObjection).default([]),
    audits: z.array(ExpectedObjection).default([]),
  }),
})

const CaseFile = z.strictObject({
  apiVersion: z.literal('dayfly.dev/v1'),
  kind: z.literal('PolicyTest'),
  metadata: z.looseObject({ name: z.string().min(1) }),
  cases: z.array(Case).min(1),
})

export interface PolicyCase {
  /** Name of the file's test, and of the case. */
  readonly suite: string
  readonly name: string
  readonly file: string
  readonly line: number
  readonly request: AdmissionRequest
  readonly expect: z.output<typeof Case>['expect']
}

export interface CaseResult {
  readonly suite: string
  readonly name: string
  readonly file: string
  readonly line: number
  readonly milliseconds: number
  /** Empty: it is as expected. */
  readonly failures: readonly string[]
}

export const isCaseFile = (document: PolicyDocument): boolean => document.apiVersion === 'dayfly.dev/v1' && document.kind === 'PolicyTest'

const namespaceOf = (object: z.output<typeof KubernetesObject>): string => {
  const namespace = object.metadata['namespace']
  return typeof namespace === 'string' ? namespace : 'default'
}

/** The cases of a document of kind PolicyTest. Throws `invalid` with each fault's place. `now` is for cases that say no time, wall ms. */
export const readCases = (document: PolicyDocument, now: number): PolicyCase[] => {
  const parsed = CaseFile.safeParse(document.value)
  if (!parsed.success) {
    const faults = parsed.error.issues.map(issue => {
      const { line, column } = document.place(issue.path)
      return `${document.file}:${line}:${column}: ${issue.path.join('.') || 'the document'}: ${issue.message}`
    })
    throw new DayflyError('invalid', faults.join('\n'), { field: document.file, remedy: 'Correct the case.' })
  }
  return parsed.data.cases.map(({ name, expect, object, oldObject, images, now: at, namespace, instance, environment, ...rest }, index) => ({
    suite: parsed.data.metadata.name,
    name,
    file: document.file,
    line: document.place(['cases', index]).line,
    expect,
    request: {
      ...rest,
      object,
      ...(oldObject ? { oldObject } : {}),
      namespace: namespace ?? namespaceOf(object),
      instance,
      environment,
      images: Object.fromEntries(Object.entries(images).map(([container, image]) => [container, evidence(image)])),
      now: at === undefined ? now : Date.parse(at),
    },
  }))
}

/** Findings are plain JSON to a policy of a file; a test may say only the fields that its rule reads. */
const evidence = (image: z.output<typeof Evidence>): AdmissionRequest['images'][string] => ({
  ...image,
  findings: image.findings as AdmissionRequest['images'][string]['findings'],
  signatures: image.signatures,
  dataFrom: image.dataFrom,
})

const fits = (expected: ExpectedObjection, objection: Objection): boolean =>
  (expected.policy === undefined || expected.policy === objection.policy) &&
  (expected.rule === undefined || expected.rule === objection.rule) &&
  (expected.exemption === undefined || expected.exemption === objection.exemption) &&
  (expected.message === undefined || objection.message.includes(expected.message))

const shown = (objections: readonly Objection[]): string =>
  objections.length === 0
    ? 'there was none'
    : `there was ${objections.map(({ policy, rule, message }) => `${policy}/${rule}: ${message}`).join('; ')}`

const missing = (what: string, expected: readonly ExpectedObjection[], said: readonly Objection[]): string[] =>
  expected
    .filter(each => !said.some(objection => fits(each, objection)))
    .map(each => `expected a ${what} with ${JSON.stringify(each)}; ${shown(said)}`)

/** What differs from what is expected. */
export const compareDecision = (expect: PolicyCase['expect'], decision: Decision): string[] => [
  ...(decision.verdict === expect.verdict ? [] : [`expected it to be ${expect.verdict}, it was ${decision.verdict}; ${shown(decision.denials)}`]),
  ...missing('denial', expect.denials, decision.denials),
  ...missing('warning', expect.warnings, decision.warnings),
  ...missing('audit entry', expect.audits, decision.audits),
]

/** Runs the cases, one after another. A case whose decision fails has failed. */
export const runCases = async (cases: readonly PolicyCase[], decide: (request: AdmissionRequest) => Promise<Decision>): Promise<CaseResult[]> => {
  const results: CaseResult[] = []
  for (const { suite, name, file, line, request, expect } of cases) {
    const started = performance.now()
    let failures: string[]
    try {
      failures = compareDecision(expect, await decide(request))
    } catch (error) {
      failures = [`it could not be decided: ${messageOf(error)}`]
    }
    results.push({ suite, name, file, line, milliseconds: performance.now() - started, failures })
  }
  return results
}
