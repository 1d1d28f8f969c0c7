/** What follows when something becomes known of an image while it runs: `whileRunning` of the AdmissionSettings. */
import { z } from 'zod'
import type { VulnerabilityFinding } from '../model/finding.ts'
import { compareSeverity, Severity } from '../model/finding.ts'
import type { NativePolicy } from './policy.ts'

/** From the mildest on; `isolate`: nothing gets out of the environment any more, and it runs on. */
export const responses = ['none', 'warn', 'isolate', 'end'] as const
export type Response = (typeof responses)[number]

export const RunningRules = z.strictObject({
  action: z.enum(responses),
  /** From this severity on. */
  severity: Severity.default('critical'),
  /** Only what an update would mend. */
  fixable: z.boolean().default(true),
  /** Known to be exploited: whatever its severity, and whether or not there is a fix. */
  exploited: z.boolean().default(true),
})
export type RunningRules = z.output<typeof RunningRules>

/** What of a vulnerability it depends on. */
export interface RunningVulnerability extends Pick<VulnerabilityFinding, 'severity'> {
  readonly fixed?: string | undefined
  readonly exploited: boolean
  /** An OpenVEX statement says that it does no harm. */
  readonly settled: boolean
}

export const countsWhileRunning = ({ severity, fixed, exploited, settled }: RunningVulnerability, rules: RunningRules): boolean => {
  if (rules.action === 'none' || settled) return false
  if (rules.exploited && exploited) return true
  return compareSeverity(severity, rules.severity) >= 0 && (!rules.fixable || fixed !== undefined)
}

export const runningPolicyName = 'while-running'

/** It has nothing to say at admission; it is there so that the rules are listed, and part of what is in force. */
export const createRunningPolicy = (rules: RunningRules): NativePolicy => {
  const { action, severity, fixable, exploited } = rules
  const what = `a vulnerability from ${severity} on${fixable ? ' that has a fix' : ''}${exploited ? ', or one that is exploited' : ''}`
  const follows = { none: '', warn: 'is warned of', isolate: 'isolates the environment', end: 'ends the environment' }[action]
  return {
    name: runningPolicyName,
    rules:
      action === 'none'
        ? []
        : [{ name: 'vulnerabilities', summary: `${what[0]?.toUpperCase()}${what.slice(1)} that becomes known while it runs ${follows}.` }],
    identity: { code: 1, rules },
    evaluate: () => ({ rulings: [] }),
  }
}
