/** What comes of rule files. */
import type { Findings } from './diagnostic.ts'
import type { LoadedPattern } from './pattern.ts'
import type { Rule } from './rule.ts'

export interface LoadedRules extends Findings {
  /** In the order in which they were defined, without those that have errors. */
  readonly rules: readonly Rule[]
  /** Sequences and thresholds, likewise. */
  readonly patterns: readonly LoadedPattern[]
}
