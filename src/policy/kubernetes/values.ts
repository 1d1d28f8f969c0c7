/** What the expressions of a policy may speak of, and what that is for a request. */
import { fromJson } from '../cel/json.ts'
import type { Scope, Variable } from '../cel/scope.ts'
import type { Type } from '../cel/types.ts'
import { bool, dyn, listOf, mapOf, objectOf, string } from '../cel/types.ts'
import type { Value } from '../cel/values.ts'
import { CelError } from '../cel/values.ts'
import type { AdmissionRequest, ImageEvidence } from '../decision.ts'
import { namespaceLabels } from './match.ts'
import { resourceOf } from './resources.ts'

const groupKind = objectOf('request.kind', { group: string, version: string, kind: string })
const groupResource = objectOf('request.resource', { group: string, version: string, resource: string })
const requestType = objectOf('request', {
  uid: string,
  kind: groupKind,
  resource: groupResource,
  subResource: string,
  requestKind: groupKind,
  requestResource: groupResource,
  requestSubResource: string,
  name: string,
  namespace: string,
  operation: string,
  userInfo: objectOf('request.userInfo', { username: string, uid: string, groups: listOf(string), extra: mapOf(string, listOf(string)) }),
  dryRun: bool,
  options: dyn,
})

const firstContainer = (request: AdmissionRequest): string | undefined => {
  const { spec } = request.object
  const containers = typeof spec === 'object' && spec !== null && 'containers' in spec ? spec.containers : undefined
  const first: unknown = Array.isArray(containers) ? containers[0] : undefined
  return typeof first === 'object' && first !== null && 'name' in first && typeof first.name === 'string' ? first.name : undefined
}

const firstImage = (request: AdmissionRequest): ImageEvidence | undefined => {
  const name = firstContainer(request)
  return (name === undefined || !Object.hasOwn(request.images, name) ? undefined : request.images[name]) ?? Object.values(request.images)[0]
}

const findingsOf = (request: AdmissionRequest): unknown => {
  const image = firstImage(request)
  if (image?.findings) return [...image.findings, ...(request.given?.findings ?? [])]
  const why = image ? image.problems.join('; ') : 'there is no image in this request'
  throw new CelError(`the findings of the image are not known${why === '' ? '' : `: ${why}`}`)
}

const requestOf = (request: AdmissionRequest): unknown => {
  const { group, version, kind, resource } = resourceOf(request.object)
  return {
    uid: '',
    kind: { group, version, kind },
    resource: { group, version, resource },
    subResource: '',
    requestKind: { group, version, kind },
    requestResource: { group, version, resource },
    requestSubResource: '',
    name: request.object.metadata['name'] ?? '',
    namespace: request.namespace,
    operation: request.operation,
    userInfo: { username: request.userInfo.username, uid: '', groups: request.userInfo.groups, extra: {} },
    dryRun: false,
    options: null,
  }
}

const namespaceObject = (request: AdmissionRequest): unknown =>
  resourceOf(request.object).namespaced
    ? {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: request.namespace, labels: namespaceLabels(request), annotations: {} },
        spec: {},
        status: {},
      }
    : null

interface Root {
  readonly name: string
  readonly type: Type
  /** Plain JSON; throws CelError where the request does not have it. */
  of(request: AdmissionRequest): unknown
}

/** In the order of their slots. The first four are Kubernetes', the others Dayfly's own; null is what a foreign manifest does not have. */
const roots: readonly Root[] = [
  { name: 'object', type: dyn, of: request => request.object },
  { name: 'oldObject', type: dyn, of: request => request.oldObject ?? null },
  { name: 'request', type: requestType, of: requestOf },
  { name: 'namespaceObject', type: dyn, of: namespaceObject },
  { name: 'instance', type: dyn, of: request => request.instance ?? null },
  { name: 'environment', type: dyn, of: request => request.environment ?? null },
  { name: 'image', type: dyn, of: request => firstImage(request) ?? null },
  { name: 'images', type: dyn, of: request => request.images },
  { name: 'findings', type: listOf(dyn), of: findingsOf },
]

/** Slots of what is known about images: the greater part of a request by far. */
export const imageSlots: ReadonlySet<number> = new Set(
  roots.flatMap(({ name }, slot) => (['image', 'images', 'findings'].includes(name) ? [slot] : [])),
)

/** Slot of `params`, and of the first of a policy's own variables. */
export const paramsSlot = roots.length
export const variablesSlot = roots.length + 1

/** The scope of a policy's expressions; its variables are added one after another. */
export const policyScope = (withParams: boolean, variables: ReadonlyMap<string, Variable> | undefined): Scope => {
  const names = new Map<string, Variable>(roots.map(({ name, type }, slot) => [name, { type, slot, local: false }]))
  if (withParams) names.set('params', { type: dyn, slot: paramsSlot, local: false })
  if (variables) names.set('variables', { type: dyn, slot: -1, local: false, members: variables })
  return { variables: names, depth: 0 }
}

/** Values of the roots for one request: made when they are first asked for, once for all policies. */
export const requestValues = (request: AdmissionRequest): ((slot: number) => Value) => {
  const made: (Value | undefined)[] = []
  return slot => {
    const known = made[slot]
    if (known !== undefined) return known
    const root = roots[slot]
    if (!root) throw new CelError('there is no such variable')
    const value = fromJson(root.of(request))
    made[slot] = value
    return value
  }
}
