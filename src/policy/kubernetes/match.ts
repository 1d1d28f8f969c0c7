/** Whether a policy or binding is about a request, as the API server decides it. */
import type { AdmissionRequest, KubernetesObject } from '../decision.ts'
import type { Resource } from './resources.ts'
import { resourceOf } from './resources.ts'
import type { Matching, Rule, Selector } from './schema.ts'

type Labels = Readonly<Record<string, string>>

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value)

export const labelsOf = (object: KubernetesObject | undefined): Labels => {
  const labels = object?.metadata['labels']
  if (!isRecord(labels)) return {}
  return Object.fromEntries(Object.entries(labels).filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}

/** An empty selector selects everything. */
export const selects = (selector: Selector, labels: Labels): boolean => {
  const value = (key: string): string | undefined => (Object.hasOwn(labels, key) ? labels[key] : undefined)
  if (!Object.entries(selector.matchLabels ?? {}).every(([key, wanted]) => value(key) === wanted)) return false
  return (selector.matchExpressions ?? []).every(({ key, operator, values }) => {
    const found = value(key)
    switch (operator) {
      case 'In':
        return found !== undefined && (values ?? []).includes(found)
      case 'NotIn':
        return found === undefined || !(values ?? []).includes(found)
      case 'Exists':
        return found !== undefined
      case 'DoesNotExist':
        return found === undefined
    }
    return false
  })
}

const isEmpty = (selector: Selector): boolean => Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length === 0

/** Groups whose resources of one name are the same things, as `matchPolicy: Equivalent` means it. */
const equivalentGroups: readonly (readonly string[])[] = [
  ['apps', 'extensions'],
  ['networking.k8s.io', 'extensions'],
  ['policy', 'extensions'],
  ['', 'events.k8s.io'],
]
const movedResources = new Set(['deployments', 'daemonsets', 'replicasets', 'ingresses', 'networkpolicies', 'podsecuritypolicies', 'events'])

const groupFits = (rule: Rule, { group, resource }: Resource, equivalent: boolean): boolean => {
  if (rule.apiGroups.includes('*') || rule.apiGroups.includes(group)) return true
  return (
    equivalent &&
    movedResources.has(resource) &&
    equivalentGroups.some(groups => groups.includes(group) && groups.some(other => rule.apiGroups.includes(other)))
  )
}

/** There are no subresources in what Dayfly is asked about: `pods/exec` never fits, `pods/*` does. */
const resourceFits = (written: string, { resource }: Resource): boolean => {
  const [name, sub = ''] = written.split('/', 2)
  return (name === '*' || name === resource) && (sub === '' || sub === '*')
}

const ruleFits = (rule: Rule, of: Resource, request: AdmissionRequest, equivalent: boolean): boolean => {
  const name = request.object.metadata['name']
  return (
    groupFits(rule, of, equivalent) &&
    (equivalent || rule.apiVersions.includes('*') || rule.apiVersions.includes(of.version)) &&
    rule.operations.some(operation => operation === '*' || operation === request.operation) &&
    rule.resources.some(written => resourceFits(written, of)) &&
    (rule.scope === '*' || (rule.scope === 'Namespaced') === of.namespaced) &&
    (rule.resourceNames === undefined || rule.resourceNames.length === 0 || rule.resourceNames.some(wanted => wanted === name))
  )
}

/** The API server never asks a policy about policies, nor about questions of access. */
const exempt = new Set([
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'TokenReview',
  'SubjectAccessReview',
  'SelfSubjectAccessReview',
  'LocalSubjectAccessReview',
  'SelfSubjectRulesReview',
  'SelfSubjectReview',
])
const exemptGroups = new Set(['admissionregistration.k8s.io', 'authentication.k8s.io', 'authorization.k8s.io'])

export const matches = (matching: Matching, request: AdmissionRequest): boolean => {
  const of = resourceOf(request.object)
  if (exempt.has(of.kind) && exemptGroups.has(of.group)) return false
  const equivalent = matching.matchPolicy === 'Equivalent'
  if (!namespaceFits(matching.namespaceSelector, of, request)) return false
  const selector = matching.objectSelector
  if (!isEmpty(selector) && !selects(selector, labelsOf(request.object)) && !(request.oldObject && selects(selector, labelsOf(request.oldObject))))
    return false
  if (matching.excludeResourceRules.some(rule => ruleFits(rule, of, request, equivalent))) return false
  return (
    matching.resourceRules === undefined ||
    matching.resourceRules.length === 0 ||
    matching.resourceRules.some(rule => ruleFits(rule, of, request, equivalent))
  )
}

/** Labels of the namespace with the one that the API server gives to each. */
export const namespaceLabels = (request: AdmissionRequest): Labels => ({
  ...request.namespaceLabels,
  'kubernetes.io/metadata.name': request.namespace,
})

const namespaceFits = (selector: Selector, of: Resource, request: AdmissionRequest): boolean => {
  if (isEmpty(selector)) return true
  if (of.kind === 'Namespace' && of.group === '') {
    const name = request.object.metadata['name']
    return selects(selector, { ...labelsOf(request.object), ...(typeof name === 'string' ? { 'kubernetes.io/metadata.name': name } : {}) })
  }
  return !of.namespaced || selects(selector, namespaceLabels(request))
}
