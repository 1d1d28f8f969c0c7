/** Exemptions: who answers for what is let through, why, and until when. They expire. The documents `kind: Exemption` of a policy folder. */
import { z } from 'zod'
import { DayflyError } from '../../base/errors.ts'
import { anyFits } from '../../base/globs.ts'
import { parse } from '../../model/parse.ts'
import type { AdmissionRequest, Objection } from '../decision.ts'
import type { Exempted, Exemptions } from '../policy.ts'

const day = 86_400_000

/** A date, read as its beginning plus `more` (UTC), or a time with its zone. */
const time = (more: number) =>
  z.union([
    z.iso.date().transform(date => Date.parse(`${date}T00:00:00Z`) + more),
    z.iso.datetime({ offset: true }).transform(text => Date.parse(text)),
  ])

/** A year: what is to be let through for longer is a change of policy. */
const longest = 366 * day

const Patterns = z.array(z.string().min(1).max(256)).min(1)

const Document = z.strictObject({
  apiVersion: z.literal('dayfly.dev/v1'),
  kind: z.literal('Exemption'),
  metadata: z.looseObject({ name: z.string().min(1) }),
  spec: z.strictObject({
    /** Names of policies, and of their rules: at least one policy, so that nobody exempts from everything by leaving out a line. */
    policies: Patterns,
    rules: Patterns.optional(),
    /** What it is about: all that is said must fit. `*` stands for any characters. */
    match: z.strictObject({
      namespaces: Patterns.optional(),
      names: Patterns.optional(),
      images: Patterns.optional(),
      /** Ids (CVE-2023-0464) or fingerprints of findings: only objections that are about one of them are meant. */
      findings: Patterns.optional(),
    }),
    owner: z.string().min(1),
    reason: z.string().min(1),
    /** From the beginning of that day, or now. */
    from: time(0).optional(),
    /** The end of that day. */
    until: time(day),
  }),
})
export type ExemptionDocument = z.output<typeof Document>

const applies = ({ spec }: ExemptionDocument, objection: Objection, request: AdmissionRequest): boolean => {
  const { metadata } = request.object
  const image = Object.values(request.images).map(({ name }) => name)
  return (
    anyFits(spec.policies, [objection.policy]) &&
    anyFits(spec.rules, [objection.rule]) &&
    anyFits(spec.match.namespaces, [request.namespace]) &&
    anyFits(spec.match.names, [typeof metadata['name'] === 'string' ? metadata['name'] : '']) &&
    // Of several images every one must be meant: the objection may be about any of them.
    (spec.match.images === undefined || (image.length > 0 && image.every(name => anyFits(spec.match.images, [name])))) &&
    (spec.match.findings === undefined ||
      (objection.finding !== undefined && anyFits(spec.match.findings, [objection.finding.id, objection.finding.fingerprint])))
  )
}

/** Throws `invalid` naming the document and the field: no owner, no reason, no end, an end more than a year away. */
export const parseExemption = (document: unknown, now: number): ExemptionDocument => {
  const exemption = parse(Document, document)
  const { name } = exemption.metadata
  if (exemption.spec.until - now > longest) {
    throw new DayflyError('invalid', `exemption ${name}: spec.until is more than a year away`, {
      field: 'spec.until',
      remedy: 'Exempt for a year at most, and change the policy if it is wrong.',
    })
  }
  return exemption
}

export const createExemptions = (documents: readonly ExemptionDocument[]): Exemptions => ({
  identity: documents,
  find: (objection, request): Exempted | undefined => {
    const found = documents
      .filter(({ spec }) => (spec.from ?? 0) <= request.now && request.now < spec.until)
      .filter(document => applies(document, objection, request))
      // The one that lasts longest, so that the verdict does too.
      .reduce<ExemptionDocument | undefined>((best, one) => (best === undefined || one.spec.until > best.spec.until ? one : best), undefined)
    return found && { name: found.metadata.name, until: found.spec.until }
  },
  nextStart: now => {
    const starts = documents.map(({ spec }) => spec.from ?? 0).filter(start => start > now)
    return starts.length === 0 ? undefined : Math.min(...starts)
  },
})
