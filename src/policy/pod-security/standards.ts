/** The Pod Security Standards: `baseline` and `restricted`, at a version of Kubernetes. Another level is none: `privileged` allows everything. */
import { DayflyError } from '../../base/errors.ts'
import type { Pod } from '../pods.ts'
import { baselineControls } from './baseline.ts'
import type { Check, Control, Violation } from './control.ts'
import { restrictedControls } from './restricted.ts'

export type PodSecurityLevel = 'baseline' | 'restricted'

/** The newest minor version of Kubernetes 1.x whose controls are known. */
export const newestVersion = 37

export interface PodSecurityViolation extends Violation {
  /** The control's id. */
  readonly control: string
  readonly remedy: string
}

/** `latest`, `v1.36` or `1.36` → the minor version. What is newer than this program is read as the newest. Throws `invalid`. */
export const parseVersion = (version: string, field: string): number => {
  if (version === 'latest') return newestVersion
  const minor = /^v?1\.(\d{1,4})$/.exec(version)?.[1]
  if (minor !== undefined) return Math.min(Number(minor), newestVersion)
  throw new DayflyError('invalid', `${field}: ${version} is no version of Kubernetes`, { field, remedy: 'Write latest, or a version like v1.36.' })
}

const checkAt = (control: Control, minor: number): Check | undefined => control.versions.findLast(({ since }) => since <= minor)?.check

/** Everything of `level` that the pod breaks. Throws `invalid` when a field has the wrong type. */
export const createPodSecurity = (level: PodSecurityLevel, minor: number): ((pod: Pod) => PodSecurityViolation[]) => {
  const restricted = level === 'restricted' ? restrictedControls.filter(control => checkAt(control, minor) !== undefined) : []
  const replaced = new Set(restricted.map(({ replaces }) => replaces))
  const checks = [...baselineControls.filter(({ id }) => !replaced.has(id)), ...restricted].flatMap(({ id, remedy, ...control }) => {
    const check = checkAt({ id, remedy, ...control }, minor)
    return check === undefined ? [] : [{ id, remedy, check }]
  })
  return pod => checks.flatMap(({ id, remedy, check }) => check(pod).map(violation => ({ ...violation, control: id, remedy })))
}
