/** Documents against policies, and what is said of them in each format. */
import { createHash } from 'node:crypto'
import type { PolicyFinding } from '../../../model/finding.ts'
import type { CaseResult } from '../../../policy/cases/cases.ts'
import { junit } from '../../../policy/cases/junit.ts'
import type { Objection, Policies } from '../../../policy/decision.ts'
import { byWorst } from '../../../scan/report/report.ts'
import type { SarifLog } from '../../../scan/report/sarif.ts'
import { sarif } from '../../../scan/report/sarif.ts'
import type { Paint } from '../output.ts'
import { printable } from '../output.ts'
import type { AdmissionSubject } from './subject.ts'

/** An objection and the line that it is about. */
export interface Placed extends Objection {
  readonly line: number
}

export interface Verdict {
  readonly file: string
  readonly line: number
  readonly name: string
  readonly verdict: 'allowed' | 'denied'
  readonly denials: readonly Placed[]
  readonly warnings: readonly Placed[]
  readonly audits: readonly Placed[]
  /** ms. */
  readonly took: number
}

export const judge = async (subject: AdmissionSubject, policies: Policies): Promise<Verdict> => {
  const started = performance.now()
  const { file, line, name, requests, refused } = subject
  const placed = (objection: Objection): Placed => {
    const { field } = objection
    if (field === undefined) return { ...objection, line }
    return { ...objection, field: subject.fieldOf?.(field) ?? field, line: subject.lineOf(field) }
  }
  const decisions = []
  for (const request of requests) decisions.push(await policies.decide(request))
  const denials = [...refused, ...decisions.flatMap(decision => decision.denials)].map(placed)
  return {
    ...{ file, line, name },
    verdict: denials.length > 0 || decisions.some(({ verdict }) => verdict === 'denied') ? 'denied' : 'allowed',
    denials,
    warnings: decisions.flatMap(decision => decision.warnings).map(placed),
    audits: decisions.flatMap(decision => decision.audits).map(placed),
    took: performance.now() - started,
  }
}

const heading = ({ policy, rule, field }: Objection): string => `${policy}/${rule}${field === undefined ? '' : `: ${field}`}`

const lineText = ({ file }: Verdict, objection: Placed, word: string): string => {
  const remedy = objection.remedy === undefined ? '' : `\n      ${printable(objection.remedy)}`
  return `  ${word}${printable(`${file}:${objection.line}: ${heading(objection)}: ${objection.message}`)}${remedy}`
}

/** A line for each document, with what was said of it below; ends with a newline. */
export const verdictText = (verdicts: readonly Verdict[], paint: Paint): string => {
  const lines = verdicts.flatMap(each => [
    `${each.verdict === 'allowed' ? paint('green', 'allowed') : paint('red', 'denied ')}  ${printable(`${each.name}  ${each.file}:${each.line}`)}`,
    ...each.denials.map(objection => lineText(each, objection, '')),
    ...each.warnings.map(objection => lineText(each, objection, paint('yellow', 'warning: '))),
  ])
  const denied = verdicts.filter(({ verdict }) => verdict === 'denied').length
  const documents = verdicts.length === 1 ? '1 document' : `${verdicts.length} documents`
  return `${[...lines, `${documents}: ${verdicts.length - denied} allowed, ${denied} denied`].join('\n')}\n`
}

/** The document of `--json`. `version`: of the policies. */
export const verdictDocument = (verdicts: readonly Verdict[], version: string) => ({
  schemaVersion: 1,
  verdict: verdicts.some(({ verdict }) => verdict === 'denied') ? 'denied' : 'allowed',
  policies: version,
  documents: verdicts.map(({ took: _took, ...verdict }) => verdict),
})

const finding = (verdict: Verdict, objection: Placed, severity: 'high' | 'medium'): PolicyFinding => {
  const { policy, rule, message, remedy, field, line } = objection
  const parts = ['policy', policy, rule, verdict.file, verdict.name, field ?? '', message]
  return {
    kind: 'policy',
    ...{ id: `${policy}/${rule}`, severity, title: message },
    ...(remedy === undefined ? {} : { remedy }),
    places: [{ path: verdict.file, line, object: verdict.name, ...(field === undefined ? {} : { field }) }],
    fingerprint: createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 32),
  }
}

/** Denials are errors, warnings warnings. */
export const verdictSarif = (verdicts: readonly Verdict[], version: string, now: number): SarifLog =>
  sarif({
    ...{ version, at: now, distribution: undefined, packages: [], problems: [], dataFrom: undefined },
    target: { kind: 'manifests', name: 'admit', prefix: '', file: '.' },
    findings: verdicts
      .flatMap(verdict => [
        ...verdict.denials.map(objection => finding(verdict, objection, 'high')),
        ...verdict.warnings.map(objection => finding(verdict, objection, 'medium')),
      ])
      .toSorted(byWorst),
    leftOut: { severity: 0, unfixed: 0, vex: 0, baseline: 0 },
  })

/** A test for each document. */
export const verdictJunit = (verdicts: readonly Verdict[]): string =>
  junit(
    verdicts.map(({ file, line, name, denials, took }): CaseResult => {
      const failures = denials.map(objection => `line ${objection.line}: ${heading(objection)}: ${objection.message}`)
      return { suite: file, name, file, line, milliseconds: took, failures }
    }),
    'dayfly admit',
  )
