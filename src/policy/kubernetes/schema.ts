/**
 * ValidatingAdmissionPolicy and ValidatingAdmissionPolicyBinding of admissionregistration.k8s.io, v1 and v1beta1 (they are the same).
 * https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/validating-admission-policy-v1/
 * A field that is not known is refused: what is misspelt would not be enforced.
 */
import { z } from 'zod'

const apiVersion = z.enum(['admissionregistration.k8s.io/v1', 'admissionregistration.k8s.io/v1beta1'])

const metadata = z.looseObject({ name: z.string().min(1).max(253) })

const expression = z.string().trim().min(1, 'an expression is expected')

export const Selector = z.strictObject({
  matchLabels: z.record(z.string(), z.string()).optional(),
  matchExpressions: z
    .array(
      z
        .strictObject({ key: z.string().min(1), operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']), values: z.array(z.string()).nullish() })
        .refine(({ operator, values }) => (operator === 'In' || operator === 'NotIn') === (values?.length ?? 0) > 0, {
          message: 'In and NotIn need values, Exists and DoesNotExist have none',
        }),
    )
    .optional(),
})
export type Selector = z.output<typeof Selector>

/** `*` stands for all and so stands alone. */
const wildcard = z
  .array(z.string())
  .min(1)
  .refine(all => all.length === 1 || !all.includes('*'), { message: '* stands alone' })

const Rule = z.strictObject({
  apiGroups: wildcard,
  apiVersions: wildcard,
  operations: z.array(z.enum(['CREATE', 'UPDATE', 'DELETE', 'CONNECT', '*'])).min(1),
  resources: z.array(z.string().min(1)).min(1),
  resourceNames: z.array(z.string()).optional(),
  scope: z.enum(['*', 'Cluster', 'Namespaced']).default('*'),
})
export type Rule = z.output<typeof Rule>

const matching = {
  excludeResourceRules: z.array(Rule).default([]),
  matchPolicy: z.enum(['Exact', 'Equivalent']).default('Equivalent'),
  namespaceSelector: Selector.default({}),
  objectSelector: Selector.default({}),
}
const Constraints = z.strictObject({ resourceRules: z.array(Rule).min(1), ...matching })
const Resources = z.strictObject({ resourceRules: z.array(Rule).optional(), ...matching })
export type Matching = z.output<typeof Resources>

const unique = <T>(key: (item: T) => string, what: string) => ({
  check: (items: T[]): boolean => new Set(items.map(key)).size === items.length,
  message: { message: `each ${what} is there once` },
})
const byName = unique<{ name: string }>(item => item.name, 'name')
const byKey = unique<{ key: string }>(item => item.key, 'key')

const identifier = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'a variable is named with letters, digits and underscores')

export const Policy = z.strictObject({
  apiVersion,
  kind: z.literal('ValidatingAdmissionPolicy'),
  metadata,
  spec: z
    .strictObject({
      failurePolicy: z.enum(['Fail', 'Ignore']).default('Fail'),
      paramKind: z.strictObject({ apiVersion: z.string().min(1), kind: z.string().min(1) }).optional(),
      matchConstraints: Constraints,
      matchConditions: z
        .array(z.strictObject({ name: z.string().min(1), expression }))
        .max(64)
        .refine(byName.check, byName.message)
        .default([]),
      variables: z
        .array(z.strictObject({ name: identifier, expression }))
        .refine(byName.check, byName.message)
        .default([]),
      validations: z
        .array(
          z.strictObject({
            expression,
            message: z.string().trim().min(1).optional(),
            messageExpression: expression.optional(),
            reason: z.enum(['Unauthorized', 'Forbidden', 'Invalid', 'RequestEntityTooLarge']).optional(),
          }),
        )
        .default([]),
      auditAnnotations: z
        .array(z.strictObject({ key: z.string().min(1), valueExpression: expression }))
        .max(20)
        .refine(byKey.check, byKey.message)
        .default([]),
    })
    .refine(spec => spec.validations.length + spec.auditAnnotations.length > 0, {
      message: 'validations or auditAnnotations are needed',
      path: ['validations'],
    }),
  status: z.unknown().optional(),
})
export type Policy = z.output<typeof Policy>

const ParamRef = z
  .strictObject({
    name: z.string().min(1).optional(),
    namespace: z.string().optional(),
    selector: Selector.optional(),
    parameterNotFoundAction: z.enum(['Allow', 'Deny']),
  })
  .refine(ref => (ref.name === undefined) !== (ref.selector === undefined), { message: 'either name or selector is given' })

export const Binding = z.strictObject({
  apiVersion,
  kind: z.literal('ValidatingAdmissionPolicyBinding'),
  metadata,
  spec: z.strictObject({
    policyName: z.string().min(1),
    paramRef: ParamRef.optional(),
    matchResources: Resources.optional(),
    validationActions: z
      .array(z.enum(['Deny', 'Warn', 'Audit']))
      .min(1)
      .refine(actions => new Set(actions).size === actions.length, { message: 'each action is there once' })
      .refine(actions => !(actions.includes('Deny') && actions.includes('Warn')), {
        message: 'Deny and Warn do not go together: a denial is shown anyway',
      }),
  }),
})
export type Binding = z.output<typeof Binding>

/** Any object that a policy takes as its parameters. */
export const Param = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional(), labels: z.record(z.string(), z.string()).optional() }),
})
export type Param = z.output<typeof Param>

/** All that decides, as plain JSON: what the worker is given. */
export interface PolicySet {
  readonly policies: readonly Policy[]
  readonly bindings: readonly Binding[]
  readonly params: readonly Param[]
}
