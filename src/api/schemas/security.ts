/** Wire schemas of what is wrong, over what lives and what has ended: findings by risk, detections with their story, images and where they ran. Times are wall ms. */
import { z } from 'zod'
import { priorities } from '../../model/detection.ts'
import { Severity } from '../../model/finding.ts'
import { Distribution, Package } from '../../model/package.ts'
import { FoundView } from './activity.ts'
import { EventView } from './system.ts'

export const Priority = z.enum(priorities)

const Moment = z
  .string()
  .regex(/^\d{1,15}$/, 'must be a whole number')
  .transform(Number)
const Text = z.string().min(1).max(512).optional()
const limit = (most: number, usual: number) =>
  z
    .string()
    .regex(/^\d{1,6}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(1).max(most))
    .default(usual)
    .describe(`At most so many, up to ${most}.`)
const flag = z
  .enum(['true', 'false'])
  .default('false')
  .transform(text => text === 'true')

export const findingKinds = ['vulnerability', 'secret', 'misconfiguration', 'detection', 'policy'] as const
export const FindingGroupKind = z.enum(findingKinds)

export const FindingQuery = z.strictObject({
  kind: FindingGroupKind.optional(),
  severity: Severity.optional().describe('At least this.'),
  running: flag.describe('Only what concerns something that runs now.'),
  exploited: flag.describe('Only what is known to be exploited (KEV).'),
  fixable: flag.describe('Only what has a fix.'),
  settled: flag.describe('Also what an OpenVEX statement settles.'),
  image: Text.describe('A digest, or part of a name.'),
  environment: Text.describe('Id or name.'),
  text: Text.describe('Part of an id, title or package, in any case.'),
  after: Text.describe('`next` of the page before.'),
  limit: limit(500, 100),
})
export type FindingQuery = z.output<typeof FindingQuery>

const ConcernedView = z.object({
  environment: z.object({ id: z.string(), name: z.string(), owner: z.string() }),
  workload: z.string().nullable(),
  image: z.object({ digest: z.string(), name: z.string() }).nullable(),
  running: z.int().describe('Instances that run now.'),
  from: z.number(),
  until: z.number().nullable().describe('null while one runs.'),
})

export const FindingGroupView = z
  .object({
    key: z.string().describe('Kind and id; of vulnerabilities also the package: the same thing found again has the same one.'),
    kind: FindingGroupKind,
    id: z.string(),
    aliases: z.array(z.string()),
    title: z.string(),
    severity: Severity,
    risk: z
      .number()
      .describe(
        'What it is sorted by: severity, times what is known of its exploitation, twice as much while something runs with it. docs/security.md.',
      ),
    exploited: z.boolean().describe('It is known to be exploited (KEV).'),
    epss: z.number().nullable().describe('Probability of exploitation within 30 days, 0–1.'),
    settled: z.boolean().describe('An OpenVEX statement says that it does no harm there.'),
    package: z.object({ name: z.string(), versions: z.array(z.string()) }).nullable(),
    fixed: z.string().nullable().describe('A version without it.'),
    since: z.number().describe('The first time that something ran with it, or that it happened.'),
    last: z.number().describe('The last time that something ran with it, or that it happened; now, while something runs.'),
    count: z.int().describe('Of detections and denials: how often. Of others: in how many images.'),
    images: z.int(),
    environments: z.int(),
    running: z.int().describe('Environments that run with it now.'),
    where: z.array(ConcernedView).describe('What runs first, then the newest; at most 20.'),
    more: z.int().describe('How many more places there are.'),
  })
  .meta({ id: 'FindingGroup' })
export type FindingGroupView = z.infer<typeof FindingGroupView>

export const FindingList = z
  .object({
    findings: z.array(FindingGroupView).describe('The greatest risk first.'),
    next: z.string().nullable().describe('What to give as `after` for those that follow; null: there are no more.'),
    total: z.int().describe('Of all pages.'),
    severities: z.record(Severity, z.int()).describe('How many groups of each, of all pages.'),
    running: z.int().describe('How many of them concern something that runs now.'),
    pending: z.int().describe('Images that are still being looked into for secrets and misconfigurations: ask again.'),
    unknown: z.array(z.string()).describe('Digests of images of records of which nothing is known: they might have anything.'),
    dataFrom: z.number().nullable().describe('The newest vulnerability data; null where there is none.'),
  })
  .meta({ id: 'FindingList' })
export type FindingList = z.infer<typeof FindingList>

export const DetectionQuery = z.strictObject({
  environment: Text.describe('Id, unique prefix or name.'),
  instance: Text,
  rule: Text.describe('Its whole name.'),
  priority: Priority.optional().describe('At least as urgent as this.'),
  since: Moment.optional(),
  before: Moment.optional().describe('Goes on with those before this id: `next` of the page before.'),
  limit: limit(500, 100),
})
export type DetectionQuery = z.output<typeof DetectionQuery>

export const DetectionView = z
  .object({
    id: z.int().describe('The cursor of its entry in the record.'),
    time: z.number().describe('Of the event.'),
    rule: z.string(),
    priority: Priority,
    output: z.string(),
    tags: z.array(z.string()),
    source: z.string().describe('`syscall`, `sequence` or `profile`.'),
    event: z.string().describe('Type of the kernel event.'),
    process: z.object({ pid: z.int(), vpid: z.int(), name: z.string(), exe: z.string().nullable() }),
    fields: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
    environment: z.object({ id: z.string(), name: z.string(), owner: z.string(), state: z.string() }),
    instance: z.string().nullable(),
    workload: z.string().nullable(),
    image: z.string().nullable().describe('As it was asked for.'),
    exemption: z.string().nullable(),
    measures: z.array(z.string()).describe('What follows from it.'),
    audit: z.boolean().describe('They are only written, not taken.'),
  })
  .meta({ id: 'Detection' })
export type DetectionView = z.infer<typeof DetectionView>

export const DetectionList = z
  .object({ detections: z.array(DetectionView).describe('The newest first.'), next: z.int().nullable() })
  .meta({ id: 'DetectionList' })
export type DetectionList = z.infer<typeof DetectionList>

export const DetectionId = z.object({ id: Moment.describe('Its id.') })

export const StoryView = z
  .object({
    detection: DetectionView,
    from: z.number(),
    until: z.number(),
    activity: z.array(FoundView).describe('What the instance did in the time before it, the oldest first; the trigger is the last.'),
    more: z.boolean().describe('It did more than is shown: these are the last.'),
    record: z.array(EventView).describe('What the record says of that instance from then until a minute after, what was done about it among it.'),
  })
  .meta({ id: 'Story' })
export type StoryView = z.infer<typeof StoryView>

export const SeverityCounts = z.record(Severity, z.int())

export const InventoryImageView = z
  .object({
    digest: z.string(),
    names: z.array(z.string()),
    distribution: Distribution.nullable(),
    packages: z.int(),
    vulnerabilities: SeverityCounts.describe('How many of each severity, without those that OpenVEX statements settle.'),
    exploited: z.int(),
    environments: z.int().describe('That ran it, as far as records speak of them.'),
    running: z.int().describe('Instances that run it now.'),
    last: z.number().nullable().describe('When it ran last; null while it runs.'),
    present: z.boolean().describe('It is still in the image store.'),
    blocked: z.boolean(),
    problems: z.array(z.string()),
    scannedAt: z.number(),
    dataFrom: z.number().nullable(),
  })
  .meta({ id: 'InventoryImage' })
export type InventoryImageView = z.infer<typeof InventoryImageView>

export const InventoryList = z.object({ images: z.array(InventoryImageView).describe('What runs first, then the worst.') }).meta({ id: 'Inventory' })

export const InventoryDetailView = InventoryImageView.extend({
  contents: z
    .array(
      Package.pick({ type: true, name: true, version: true, purl: true }).extend({
        vulnerabilities: z.array(
          z.object({ id: z.string(), severity: Severity, fixed: z.string().nullable(), exploited: z.boolean(), settled: z.boolean() }),
        ),
      }),
    )
    .describe('Its packages, those with the worst vulnerabilities first.'),
  ran: z
    .array(ConcernedView.omit({ image: true }).extend({ instances: z.int() }))
    .describe('Where it ran: what runs first, then the newest; at most 500.'),
}).meta({ id: 'InventoryDetail' })
export type InventoryDetailView = z.infer<typeof InventoryDetailView>

export const InventoryDigest = z.object({ digest: z.string().regex(/^sha256:[0-9a-f]{64}$/, 'a digest like sha256:0123…') })
