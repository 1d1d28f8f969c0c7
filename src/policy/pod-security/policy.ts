/** The Pod Security Standards as a policy: a level to enforce, and what follows from the breach of single controls. */

import { root } from '../fields.ts'
import { podOf } from '../pods.ts'
import type { Action, NativePolicy } from '../policy.ts'
import { baselineControls } from './baseline.ts'
import { restrictedControls } from './restricted.ts'
import type { PodSecurityLevel } from './standards.ts'
import { createPodSecurity } from './standards.ts'

export interface PodSecurityOptions {
  readonly level: PodSecurityLevel
  /** Minor version of Kubernetes. */
  readonly version: number
  readonly action: Action
  /** By control, what follows instead, for Dayfly's own workloads. */
  readonly own?: Readonly<Record<string, Action>>
}

export const createPodSecurityPolicy = (options: PodSecurityOptions): NativePolicy => {
  const { level, version, action, own = {} } = options
  const violationsOf = createPodSecurity(level, version)
  const controls = level === 'baseline' ? baselineControls : [...baselineControls, ...restrictedControls]
  return {
    name: `pod-security-${level}`,
    rules: controls.map(({ id, remedy }) => ({ name: id, summary: remedy })),
    identity: { code: 1, ...options },
    evaluate: ({ object, instance }) => {
      const pod = podOf(root(object))
      if (pod === undefined) return { rulings: [] }
      return {
        rulings: violationsOf(pod).map(({ control, field, message, remedy }) => ({
          action: instance === undefined ? action : (own[control] ?? action),
          objection: { policy: `pod-security-${level}`, rule: control, message, remedy, field },
        })),
      }
    },
  }
}
