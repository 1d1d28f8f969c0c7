import type { WarningView } from '../../api/schemas/environments.ts'
import { printable } from './output.ts'

/** What policies warn of: a line each, on standard error. */
export const tellPolicyWarnings = (say: (line: string) => void, warnings: readonly WarningView[]): void => {
  for (const { workload, policy, rule, message, remedy } of warnings) {
    const advice = remedy === null || remedy === '' ? '' : ` ${remedy}`
    say(`dayfly: warning: ${workload}: ${printable(message)} (${policy}/${rule}).${printable(advice)}`)
  }
}
