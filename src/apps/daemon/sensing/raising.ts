/** What follows from detections: written into the record and carried out by the engine, as the operator's settings say. */
import type { Clock } from '../../../base/clock.ts'
import type { Log } from '../../../base/log.ts'
import type { Plan } from '../../../detect/responses/plan.ts'
import { planOf } from '../../../detect/responses/plan.ts'
import type { DetectionRules } from '../../../detect/settings/read.ts'
import type { Engine } from '../../../engine/engine.ts'
import type { Event } from '../../../model/event.ts'
import type { SensingSink } from './create.ts'
import type { Detected } from './messages.ts'

export interface RaisingParts {
  readonly engine: Pick<Engine, 'respond'>
  /** In force now. */
  readonly rules: () => DetectionRules
  readonly clock: Pick<Clock, 'wall'>
  readonly log: Log
  /** Is told of each that was written, with what follows from it. Must not throw. */
  readonly onRaised?: (detected: Detected, plan: Plan, event: Event) => void
}

export const createRaising = ({ engine, rules, clock, log, onRaised }: RaisingParts): SensingSink['onDetections'] => {
  const raise = (detected: Detected): void => {
    const { subject, detection } = detected
    try {
      const plan = planOf(rules(), detection, subject, clock.wall())
      const event = engine.respond(detection, plan)
      if (event !== undefined) onRaised?.(detected, plan, event)
    } catch (error) {
      log.error('a detection could not be written', { environment: subject.environment, instance: subject.instance, rule: detection.rule, error })
    }
  }
  return (detections, left) => {
    for (const detected of detections) raise(detected)
    if (left > 0) log.warn('there were too many detections at once', { left })
  }
}
