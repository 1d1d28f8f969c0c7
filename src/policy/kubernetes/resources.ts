/** From the kind of an object to the resource that rules speak of. */
import type { KubernetesObject } from '../decision.ts'

export interface Resource {
  readonly group: string
  readonly version: string
  readonly kind: string
  /** Plural, in small letters. */
  readonly resource: string
  readonly namespaced: boolean
}

/** Plurals that the rule below does not give. */
const plurals: Readonly<Record<string, string>> = {
  Endpoints: 'endpoints',
  ComponentStatus: 'componentstatuses',
  SecurityContextConstraints: 'securitycontextconstraints',
}

const cluster = new Set([
  'Namespace',
  'Node',
  'PersistentVolume',
  'ComponentStatus',
  'ClusterRole',
  'ClusterRoleBinding',
  'StorageClass',
  'VolumeAttachment',
  'VolumeAttributesClass',
  'CSIDriver',
  'CSINode',
  'PriorityClass',
  'RuntimeClass',
  'IngressClass',
  'CustomResourceDefinition',
  'APIService',
  'CertificateSigningRequest',
  'ClusterTrustBundle',
  'FlowSchema',
  'PriorityLevelConfiguration',
  'MutatingWebhookConfiguration',
  'ValidatingWebhookConfiguration',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'MutatingAdmissionPolicy',
  'MutatingAdmissionPolicyBinding',
  'TokenReview',
  'SubjectAccessReview',
  'SelfSubjectAccessReview',
  'SelfSubjectReview',
  'IPAddress',
  'ServiceCIDR',
  'DeviceClass',
  'ResourceSlice',
  'PodSecurityPolicy',
])

/** What kubectl guesses too: ingress → ingresses, networkpolicy → networkpolicies, gateway → gateways. */
const pluralOf = (kind: string): string => {
  const known = plurals[kind]
  if (known !== undefined) return known
  const name = kind.toLowerCase()
  if (/(s|x|z|ch|sh)$/.test(name)) return `${name}es`
  return /[^aeiou]y$/.test(name) ? `${name.slice(0, -1)}ies` : `${name}s`
}

export const resourceOf = ({ apiVersion, kind }: KubernetesObject): Resource => {
  const slash = apiVersion.indexOf('/')
  return {
    group: slash < 0 ? '' : apiVersion.slice(0, slash),
    version: apiVersion.slice(slash + 1),
    kind,
    resource: pluralOf(kind),
    namespaced: !cluster.has(kind),
  }
}
