/** Detections that nothing follows from: who answers for that, why, and until when. The documents `kind: DetectionExemption` of a policy folder. */
import { z } from 'zod'
import { DayflyError } from '../../base/errors.ts'
import { anyFits } from '../../base/globs.ts'
import { parse } from '../../model/parse.ts'
import type { Detection, Subject } from '../detector.ts'

const day = 86_400_000
/** A year: what is not to be told for longer is a change of rules. */
const longest = 366 * day

/** A date, read as its beginning plus `more` (UTC), or a time with its zone. */
const time = (more: number) =>
  z.union([
    z.iso.date().transform(date => Date.parse(`${date}T00:00:00Z`) + more),
    z.iso.datetime({ offset: true }).transform(text => Date.parse(text)),
  ])

const Patterns = z.array(z.string().min(1).max(256)).min(1)

const Document = z.strictObject({
  apiVersion: z.literal('dayfly.dev/v1'),
  kind: z.literal('DetectionExemption'),
  metadata: z.looseObject({ name: z.string().min(1) }),
  spec: z.strictObject({
    /** At least one, so that nobody exempts from everything by leaving out a line. `*` stands for any characters. */
    rules: Patterns,
    /** All that is said must fit. */
    match: z
      .strictObject({
        workloads: Patterns.optional(),
        /** Names of environments. */
        environments: Patterns.optional(),
        images: Patterns.optional(),
        owners: Patterns.optional(),
      })
      .refine(match => Object.keys(match).length > 0, 'say what it is about: workloads, environments, images or owners'),
    owner: z.string().min(1),
    reason: z.string().min(1),
    /** From the beginning of that day, or now. */
    from: time(0).optional(),
    /** The end of that day. */
    until: time(day),
  }),
})
export type DetectionExemption = z.output<typeof Document>

/** Throws `invalid` naming the field: no owner, no reason, no end, an end more than a year away. `now` is wall ms. */
export const parseDetectionExemption = (document: unknown, now: number): DetectionExemption => {
  const exemption = parse(Document, document)
  if (exemption.spec.until - now > longest) {
    throw new DayflyError('invalid', 'spec.until is more than a year away', {
      field: 'spec.until',
      remedy: 'Exempt for a year at most, and change the rule if it is wrong.',
    })
  }
  return exemption
}

/** The one that covers it, if any does, at `now` (wall ms): that which lasts longest. */
export const exemptionOf = (
  exemptions: readonly DetectionExemption[],
  { rule }: Pick<Detection, 'rule'>,
  subject: Pick<Subject, 'workload' | 'environmentName' | 'image' | 'imageName' | 'owner'>,
  now: number,
): DetectionExemption | undefined =>
  exemptions
    .filter(
      ({ spec }) =>
        (spec.from ?? 0) <= now &&
        now < spec.until &&
        anyFits(spec.rules, [rule]) &&
        anyFits(spec.match.workloads, [subject.workload]) &&
        anyFits(spec.match.environments, [subject.environmentName]) &&
        anyFits(spec.match.images, [subject.image, subject.imageName]) &&
        anyFits(spec.match.owners, [subject.owner]),
    )
    .reduce<DetectionExemption | undefined>((best, one) => (best === undefined || one.spec.until > best.spec.until ? one : best), undefined)
