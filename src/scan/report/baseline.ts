/** A baseline: findings that somebody has seen and lives with for now. Only what is not in it is told. */
import { z } from 'zod'
import { DayflyError, messageOf } from '../../base/errors.ts'
import type { Finding } from '../../model/finding.ts'
import { FindingKind } from '../../model/finding.ts'
import { byWorst } from './report.ts'

const Baseline = z.strictObject({
  schemaVersion: z.literal(1),
  findings: z
    .array(
      z.object({
        fingerprint: z.string().regex(/^[0-9a-f]{32}$/, '32 hex digits are expected'),
        id: z.string(),
        kind: FindingKind,
        place: z.string(),
      }),
    )
    .max(1_000_000),
})

const longest = 64 * 1024 * 1024

/** Fingerprints in the text of a baseline. `file` names it in errors. Throws `invalid`. */
export const readBaseline = (text: string, file: string): ReadonlySet<string> => {
  const fault = (what: string, cause?: unknown): DayflyError =>
    new DayflyError('invalid', `--baseline: ${file}: ${what}`, {
      field: '--baseline',
      remedy: 'Write one with `dayfly scan --write-baseline FILE`.',
      ...(cause === undefined ? {} : { cause }),
    })
  if (text.length > longest) throw fault(`it is longer than ${longest} characters`)
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw fault(`it is no JSON: ${messageOf(error)}`, error)
  }
  const parsed = Baseline.safeParse(json)
  const issue = parsed.error?.issues[0]
  if (!parsed.success) throw fault(`it is no baseline: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`)
  return new Set(parsed.data.findings.map(({ fingerprint }) => fingerprint))
}

const placeOf = ({ places: [place], ...finding }: Finding): string =>
  place?.path ?? place?.field ?? place?.object ?? (finding.kind === 'vulnerability' ? finding.package.name : '')

/** One finding a line, sorted by fingerprint, so that a merge of two baselines is one of lines. */
export const writeBaseline = (findings: readonly Finding[]): string => {
  const known = new Map(findings.toSorted(byWorst).map(finding => [finding.fingerprint, finding]))
  const lines = [...known.values()]
    .toSorted((left, right) => (left.fingerprint < right.fingerprint ? -1 : 1))
    .map(finding => `    ${JSON.stringify({ fingerprint: finding.fingerprint, kind: finding.kind, id: finding.id, place: placeOf(finding) })}`)
  return `{\n  "schemaVersion": 1,\n  "findings": [${lines.length === 0 ? '' : `\n${lines.join(',\n')}\n  `}]\n}\n`
}
