/** What findings are sorted by. */

import type { Priority } from '../../../model/detection.ts'
import type { Severity } from '../../../model/finding.ts'

/** Nobody has rated an unknown one: it may be anything, so it counts as a medium one. */
const weights: Readonly<Record<Severity, number>> = { critical: 100, high: 40, medium: 12, unknown: 12, low: 4, negligible: 1 }

const severityOfPriority: Readonly<Record<Priority, Severity>> = {
  ...{ emergency: 'critical', alert: 'critical', critical: 'critical', error: 'high', warning: 'medium', notice: 'low' },
  ...{ informational: 'negligible', debug: 'negligible' },
}

export const severityOf = (priority: Priority): Severity => severityOfPriority[priority]

export const emptyCounts = (): Record<Severity, number> => ({ critical: 0, high: 0, medium: 0, low: 0, negligible: 0, unknown: 0 })

export interface Risk {
  readonly severity: Severity
  readonly exploited: boolean
  /** 0–1 */
  readonly epss: number | null
  readonly settled: boolean
  /** Environments that run with it now. */
  readonly running: number
}

/**
 * Severity, up to three times as much the likelier its exploitation is (four times when it is known to be exploited), twice as much while something runs with it.
 * What a statement settles is no risk.
 */
export const riskOf = ({ severity, exploited, epss, settled, running }: Risk): number => {
  if (settled) return 0
  const likely = exploited ? 4 : 1 + 2 * (epss ?? 0)
  return Math.round(weights[severity] * likely * (running > 0 ? 2 : 1) * 10) / 10
}
