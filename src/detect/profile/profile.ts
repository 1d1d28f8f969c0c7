/**
 * A profile: what a workload did over its runs. A document of its own (JSON, or YAML that says the same) among the rule files:
 *
 * ```json
 * { "apiVersion": "dayfly.dev/v1", "kind": "Profile", "metadata": { "name": "web" },
 *   "spec": { "match": { "workloads": ["web"] }, "runs": 3, "minimumRuns": 3, "priority": "warning",
 *             "programs": ["/usr/sbin/nginx"], "listens": ["tcp/80"], "connects": ["tcp/db:5432"], "writes": ["/var/log/nginx/access.log"], "capabilities": [] } }
 * ```
 */
import { z } from 'zod'
import { anyFits } from '../../base/globs.ts'
import { priorities } from '../../model/detection.ts'
import { parse } from '../../model/parse.ts'
import type { Subject } from '../detector.ts'
import type { BehaviourKind } from './behaviour.ts'
import { behaviourKinds } from './behaviour.ts'

/** Values of one kind; with more than these a profile says nothing: whoever does as much does anything. */
export const mostValues = 1000

const Patterns = z.array(z.string().min(1).max(256)).min(1)
const Values = z.array(z.string().max(4096)).max(mostValues).default([])

const Spec = z.strictObject({
  /** Whose it is: all that is said must fit. `*` stands for any characters. */
  match: z
    .strictObject({ workloads: Patterns.optional(), images: Patterns.optional(), environments: Patterns.optional() })
    .refine(match => Object.values(match).some(patterns => patterns !== undefined), 'say whose it is: workloads, images or environments'),
  /** How many runs it was learnt from. */
  runs: z.int().min(0),
  /** Before so many it says nothing. */
  minimumRuns: z.int().min(1).default(3),
  priority: z.enum(priorities).default('warning'),
  programs: Values,
  listens: Values,
  connects: Values,
  writes: Values,
  capabilities: Values,
  /** Kinds that were too varied to be learnt: of these nothing is new. */
  open: z.array(z.enum(behaviourKinds)).default([]),
})

export const Profile = z.strictObject({
  apiVersion: z.literal('dayfly.dev/v1'),
  kind: z.literal('Profile'),
  metadata: z.looseObject({ name: z.string().min(1).max(128) }),
  spec: Spec,
})
export type Profile = z.output<typeof Profile>

/** Throws `invalid` naming the field. */
export const parseProfile = (document: unknown): Profile => parse(Profile, document)

export const profileFits = ({ spec: { match } }: Profile, subject: Subject): boolean =>
  anyFits(match.workloads, [subject.workload]) &&
  anyFits(match.images, [subject.image, subject.imageName]) &&
  anyFits(match.environments, [subject.environmentName])

/** What one run did: of each kind the values, or `open` when there were more than `mostValues`. */
export interface Run {
  readonly values: Readonly<Record<BehaviourKind, ReadonlySet<string>>>
  readonly open: ReadonlySet<BehaviourKind>
}

/** A profile that has learnt nothing yet. */
export const emptyProfile = (name: string, match: Profile['spec']['match'], minimumRuns = 3): Profile =>
  parseProfile({ apiVersion: 'dayfly.dev/v1', kind: 'Profile', metadata: { name }, spec: { match, runs: 0, minimumRuns } })

/** With one more run. The order of runs makes no difference. */
export const mergeRun = (profile: Profile, run: Run): Profile => {
  const { spec } = profile
  const all = Object.fromEntries(behaviourKinds.map(kind => [kind, [...new Set([...spec[kind], ...run.values[kind]])].sort()] as const))
  const open = behaviourKinds.filter(kind => spec.open.includes(kind) || run.open.has(kind) || (all[kind]?.length ?? 0) > mostValues)
  const values = Object.fromEntries(behaviourKinds.map(kind => [kind, open.includes(kind) ? [] : (all[kind] ?? [])] as const))
  return parseProfile({ ...profile, spec: { ...spec, ...values, open, runs: spec.runs + 1 } })
}
