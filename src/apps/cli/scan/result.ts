import type { Finding } from '../../../model/finding.ts'
import type { Distribution, Package } from '../../../model/package.ts'
import type { Target } from '../../../scan/report/report.ts'

/** What was found in one target: nothing is chosen yet. */
export interface Scanned {
  readonly target: Target
  readonly distribution: Distribution | undefined
  readonly packages: readonly Package[]
  readonly findings: readonly Finding[]
  readonly problems: readonly string[]
  /** Wall ms of the vulnerability data about the packages; undefined where there is none. */
  readonly dataFrom: number | undefined
}
