/** What follows from one detection: a pure function of the settings, the exemptions, and of whom it is. */
import { anyFits } from '../../base/globs.ts'
import { priorities } from '../../model/detection.ts'
import type { Detection, Priority, Subject } from '../detector.ts'
import { exemptionOf } from '../settings/exemptions.ts'
import type { DetectionRules } from '../settings/read.ts'
import type { DetectionMatch, ResponseAction, ResponseRule } from '../settings/responses.ts'

/** What is done to somebody: all but telling it. */
export type Measure = Exclude<ResponseAction, 'alert'>

export interface Plan {
  /** Names of the targets that it is told to: all of them, some, or none. */
  readonly alert: 'all' | readonly string[]
  /** In the order in which they are carried out. */
  readonly measures: readonly Measure[]
  /** Evidence is taken before them. */
  readonly forensics: boolean
  /** The measures are written and told, and not carried out. */
  readonly audit: boolean
  /** Of the exemption that covers it: then nothing follows. */
  readonly exemption: string | undefined
}

export type Accused = Pick<Subject, 'workload' | 'environmentName' | 'image' | 'imageName' | 'owner'>

/** In this order: first what keeps others from being harmed, then what ends it. */
const order: readonly Measure[] = ['block-image', 'isolate', 'freeze', 'kill-process', 'end-instance', 'end-environment']

/**
 * What a measure makes needless or contradicts: of an instance that is to end, no process need be killed; one that stands still as evidence must not lose the
 * process that it is about. Whatever the order in which rules name them, the strongest is done: end-environment, end-instance, freeze, kill-process.
 */
const overrides: Readonly<Partial<Record<Measure, readonly Measure[]>>> = {
  'end-environment': ['end-instance', 'freeze', 'kill-process', 'isolate'],
  'end-instance': ['freeze', 'kill-process'],
  freeze: ['kill-process'],
}

/** Whether `priority` is as urgent as `least`, or more. */
export const isAsUrgent = (priority: Priority, least: Priority): boolean => priorities.indexOf(priority) <= priorities.indexOf(least)

const matches = (match: DetectionMatch, detection: Detection, accused: Accused): boolean =>
  anyFits(match.rules, [detection.rule]) &&
  (match.minimumPriority === undefined || isAsUrgent(detection.priority, match.minimumPriority)) &&
  anyFits(match.tags, detection.tags) &&
  (match.sources === undefined || match.sources.includes(detection.source)) &&
  anyFits(match.workloads, [accused.workload]) &&
  anyFits(match.environments, [accused.environmentName]) &&
  anyFits(match.images, [accused.image, accused.imageName]) &&
  anyFits(match.owners, [accused.owner])

const targetsOf = (rules: readonly ResponseRule[]): Plan['alert'] => {
  const telling = rules.filter(({ actions }) => actions.includes('alert'))
  if (telling.some(({ notify }) => notify === undefined)) return 'all'
  return [...new Set(telling.flatMap(({ notify = [] }) => notify))]
}

/** `now` is wall ms. */
export const planOf = ({ settings, exemptions }: DetectionRules, detection: Detection, accused: Accused, now: number): Plan => {
  const exemption = exemptionOf(exemptions, detection, accused, now)?.metadata.name
  const rules = exemption === undefined ? settings.responses.filter(({ match }) => matches(match, detection, accused)) : []
  const asked = new Set(rules.flatMap(({ actions }) => actions))
  const overridden = new Set([...asked].flatMap(action => (action === 'alert' ? [] : (overrides[action] ?? []))))
  return {
    alert: targetsOf(rules),
    measures: order.filter(measure => asked.has(measure) && !overridden.has(measure)),
    forensics: rules.some(({ forensics }) => forensics),
    audit: settings.mode === 'audit',
    exemption,
  }
}
