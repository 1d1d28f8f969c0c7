/** Kubernetes manifests as requests: every object of every document, those of lists among them, each with its place. */
import { DayflyError } from '../base/errors.ts'
import type { AdmissionRequest, ImageEvidence, KubernetesObject } from './decision.ts'
import { root, text } from './fields.ts'
import type { PolicyDocument, PolicyFile } from './kubernetes/files.ts'
import { asKubernetes, readDocuments } from './kubernetes/files.ts'
import { labelsOf } from './kubernetes/match.ts'
import { resourceOf } from './kubernetes/resources.ts'
import { nameOf, podOf } from './pods.ts'

export interface Manifest {
  readonly file: string
  /** Of its first line, from 1. */
  readonly line: number
  /** `Deployment/default/web`, `ClusterRole/admin`. */
  readonly name: string
  readonly namespace: string
  readonly object: KubernetesObject
  /** The line of a field like `spec.containers[0].securityContext.privileged`, or of what is nearest to it. */
  lineOf(field: string): number
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** `spec.containers[0].name` → `['spec', 'containers', 0, 'name']`. */
export const fieldPath = (field: string): (string | number)[] =>
  field
    .split(/\.|(?=\[\d+\])/)
    .filter(part => part !== '')
    .map(part => {
      const index = /^\[(\d+)\]$/.exec(part)?.[1]
      return index === undefined ? part : Number(index)
    })

/** A PodList or DeploymentList: its items need not say what they are. */
const itemsOf = ({ kind, apiVersion, value }: PolicyDocument): readonly Readonly<Record<string, unknown>>[] | undefined => {
  const items = value['items']
  if (!kind.endsWith('List') || !Array.isArray(items)) return undefined
  return items.map(item => ({ apiVersion, kind: kind.slice(0, -'List'.length), ...(isRecord(item) ? item : {}) }))
}

const texts = (value: unknown): string => (typeof value === 'string' ? value : '')

const manifest = (document: PolicyDocument, value: Readonly<Record<string, unknown>>, prefix: readonly (string | number)[]): Manifest => {
  const { apiVersion, kind } = value
  const { line } = document.place(prefix)
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') {
    throw new DayflyError('invalid', `${document.file}:${line}: apiVersion and kind must be texts`, {
      field: document.file,
      remedy: 'Correct the file.',
    })
  }
  const metadata = isRecord(value['metadata']) ? value['metadata'] : {}
  const object: KubernetesObject = { ...value, apiVersion, kind, metadata }
  const { namespaced } = resourceOf(object)
  const named = texts(metadata['name']) || `${texts(metadata['generateName'])}*`
  const namespace = namespaced ? texts(metadata['namespace']) || 'default' : ''
  return {
    ...{ file: document.file, line, object, namespace },
    name: [kind, ...(namespaced ? [namespace] : []), named].join('/'),
    lineOf: field => document.place([...prefix, ...fieldPath(field)]).line,
  }
}

/** All objects of a file. Throws `invalid` with file and line. */
export const readManifests = (file: PolicyFile): Manifest[] =>
  readDocuments(file, asKubernetes).flatMap(document => {
    const items = itemsOf(document)
    return items === undefined ? [manifest(document, document.value, [])] : items.map((item, index) => manifest(document, item, ['items', index]))
  })

/** What is known of an image that nobody has looked at: its name. */
export const unseen = (name: string): ImageEvidence => ({
  ...{ name, digest: /@(sha256:[0-9a-f]{64})$/.exec(name)?.[1] ?? '', labels: {} },
  ...{ findings: undefined, problems: [], signatures: undefined, dataFrom: undefined },
})

const imagesOf = (object: KubernetesObject): AdmissionRequest['images'] => {
  try {
    const containers = podOf(root(object))?.containers ?? []
    return Object.fromEntries(containers.map(container => [nameOf(container), unseen(text(container, 'image') ?? '')]))
  } catch {
    return {} // It is no pod that anybody could run, which the policies say.
  }
}

/** Labels of the namespaces that are among the manifests: policies may select by them. */
export const namespaceLabels = (manifests: readonly Manifest[]): ReadonlyMap<string, Readonly<Record<string, string>>> =>
  new Map(
    manifests.flatMap(({ object }) =>
      object.kind === 'Namespace' && object.apiVersion === 'v1' ? [[texts(object.metadata['name']), labelsOf(object)] as const] : [],
    ),
  )

/** `now` is wall ms. */
export const requestOf = (
  { object, namespace }: Manifest,
  labels: ReturnType<typeof namespaceLabels>,
  username: string,
  now: number,
): AdmissionRequest => ({
  ...{ object, namespace, namespaceLabels: labels.get(namespace) ?? {}, operation: 'CREATE' },
  userInfo: { username, groups: [] },
  ...{ instance: undefined, environment: undefined, images: imagesOf(object), now },
})
