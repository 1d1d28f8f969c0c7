/**
 * A control of the Pod Security Standards (https://kubernetes.io/docs/concepts/security/pod-security-standards/). It is versioned as Kubernetes is:
 * a policy that is pinned to a version says the same for ever.
 */
import type { Pod } from '../pods.ts'

export interface Violation {
  /** The field at fault, or where one is missing. */
  readonly field: string
  readonly message: string
}

export type Check = (pod: Pod) => Violation[]

export interface Control {
  /** As Kubernetes names it, e.g. `runAsNonRoot`. */
  readonly id: string
  readonly level: 'baseline' | 'restricted'
  /** By the minor version of Kubernetes 1.x from which on it is checked so; ascending. Before the first it is not checked. */
  readonly versions: readonly { readonly since: number; readonly check: Check }[]
  /** The control of the baseline that this one is the stricter form of. */
  readonly replaces?: string
  readonly remedy: string
}
