/** The pod in a Kubernetes object: its own, or that of its template. */
import type { Node } from './fields.ts'
import { child, children, flag, pathOf, text } from './fields.ts'

export interface Pod {
  /** Undefined where there is none. */
  readonly metadata: Node | undefined
  readonly spec: Node
  readonly securityContext: Node | undefined
  /** Init containers, then containers, then ephemeral ones. */
  readonly containers: readonly Node[]
}

/** Where each kind keeps its pod, from the object down. */
const templates: Readonly<Record<string, readonly string[]>> = {
  Pod: [],
  PodTemplate: ['template'],
  ReplicationController: ['spec', 'template'],
  ReplicaSet: ['spec', 'template'],
  Deployment: ['spec', 'template'],
  StatefulSet: ['spec', 'template'],
  DaemonSet: ['spec', 'template'],
  Job: ['spec', 'template'],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template'],
}

export const podKinds = Object.keys(templates)

/** Undefined when the kind has no pod (a ConfigMap). Throws `invalid` where one that should have it has not, naming the field. */
export const podOf = (object: Node): Pod | undefined => {
  const kind = text(object, 'kind') ?? ''
  if (!Object.hasOwn(templates, kind)) return undefined
  const holder = (templates[kind] ?? []).reduce<Node | undefined>((node, key) => child(node, key), object)
  // A ReplicationController may have no template; a pod without a spec runs nothing, and the API server refuses it.
  const spec = child(holder, 'spec')
  if (holder === undefined || spec === undefined) return undefined
  return {
    metadata: child(holder, 'metadata'),
    spec,
    securityContext: child(spec, 'securityContext'),
    containers: [...children(spec, 'initContainers'), ...children(spec, 'containers'), ...children(spec, 'ephemeralContainers')],
  }
}

export const nameOf = (container: Node): string => text(container, 'name') ?? container.path

/** Of the pod first, if it has one, then of each container that has one. */
export const securityContexts = (pod: Pod): Node[] =>
  [pod.securityContext, ...pod.containers.map(container => child(container, 'securityContext'))].filter(context => context !== undefined)

export const isWindows = (pod: Pod): boolean => text(child(pod.spec, 'os'), 'name') === 'windows'

/** It runs in a user namespace of its own: its root is nobody outside. */
export const hasUserNamespace = (pod: Pod): boolean => flag(pod.spec, 'hostUsers') === false

/** Where a setting belongs that the container does not have: `spec.containers[0].securityContext.KEY`. */
export const wouldBe = (container: Node, key: string): string => `${pathOf(container, 'securityContext')}.${key}`
