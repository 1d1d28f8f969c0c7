import type { Project } from './project.ts'
import type { Sources } from './sources.ts'

/** Named after the Pod Security Standards' controls where there is one for the same thing. */
export type Policy =
  | 'AppArmor'
  | 'Build entitlements'
  | 'Capabilities'
  | 'Container engine socket'
  | 'Credentials of the host'
  | 'Devices'
  | 'External resources'
  | 'Host namespaces'
  | 'Host paths'
  | 'Network drivers'
  | 'No route to the host'
  | 'Privilege escalation'
  | 'Privileged containers'
  | 'Proc mount type'
  | 'Runtimes'
  | 'Seccomp'
  | 'SELinux'
  | 'Shared namespaces'
  | 'Supported features'
  | 'Sysctls'
  | 'Volume drivers'
  | 'Volume types'

export interface Surroundings {
  readonly project: Project
  readonly sources: Sources
}

/** What becomes of a value. Ignored: a warning with the reason. Refused: an error with the policy's name. */
export type Verdict =
  | { readonly status: 'ignored'; readonly reason: string }
  | { readonly status: 'refused'; readonly policy: Policy; readonly reason: string; readonly remedy?: string }

/** undefined: it is done as it is written. */
export type Judge = (value: unknown, around: Surroundings) => Verdict | undefined | Promise<Verdict | undefined>

export type Support = { readonly status: 'supported' } | Verdict | { readonly status: 'judged'; readonly judge: Judge }

export const ignored = (reason: string): Verdict => ({ status: 'ignored', reason })

export const refused = (policy: Policy, reason: string, remedy?: string): Verdict => ({
  status: 'refused',
  policy,
  reason,
  ...(remedy === undefined ? {} : { remedy }),
})
