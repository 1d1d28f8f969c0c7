/** Scores of CVSS vectors of every version, and what they are called. */
import type { Rating, Severity } from '../../../model/finding.ts'
import { score2 } from './version2.ts'
import { score3 } from './version3.ts'
import { score4 } from './version4.ts'

/** A vector with its score; undefined for what is none. A vector without a prefix is one of version 2. */
export const rate = (vector: string): Rating | undefined => {
  const text = vector.trim()
  const [version, score] = text.startsWith('CVSS:4.0/')
    ? (['4.0', score4(text.slice(9))] as const)
    : text.startsWith('CVSS:3.1/')
      ? (['3.1', score3(text.slice(9), 1)] as const)
      : text.startsWith('CVSS:3.0/')
        ? (['3.0', score3(text.slice(9), 0)] as const)
        : (['2.0', score2(text.startsWith('(') && text.endsWith(')') ? text.slice(1, -1) : text)] as const)
  return score === undefined ? undefined : { version, vector: text, score }
}

/** The qualitative scale of the standard. Version 2 has no critical. */
export const severityOfScore = ({ version, score }: Rating): Severity => {
  if (score === 0) return 'negligible'
  if (score < 4) return 'low'
  if (score < 7) return 'medium'
  return score < 9 || version === '2.0' ? 'high' : 'critical'
}
