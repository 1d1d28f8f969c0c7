/** Telling whom the operator's settings name of what was detected. */
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { readVersion } from '../../base/version.ts'
import type { Event } from '../../model/event.ts'
import type { Notice } from '../../notify/notice.ts'
import type { Notifier } from '../../notify/notifier.ts'
import { createNotifier } from '../../notify/notifier.ts'
import type { SendContext } from '../../notify/send.ts'
import { lifecycleNotice } from './lifecycle-notices.ts'
import type { PolicyFolder } from './policies.ts'
import type { RaisingParts } from './sensing/raising.ts'

export interface Notifying extends AsyncDisposable {
  /** To be told of each detection that was written. Never throws, never waits. */
  readonly onRaised: NonNullable<RaisingParts['onRaised']>
  /** Sends a message to the targets of these names, or to all, now. */
  test(names: readonly string[], signal: AbortSignal): ReturnType<Notifier['test']>
  readonly state: Notifier['state']
  readonly deliveries: Notifier['deliveries']
  readonly replay: Notifier['replay']
  /** To be told of each entry that is written. Never throws, never waits. */
  onEvent(event: Event, name: () => string | undefined): void
}

export interface NotifyingOptions {
  readonly stateDir: string
  readonly policies: Pick<PolicyFolder, 'detection'>
  readonly clock: Clock
  readonly log: Log
  readonly sendDatagram: SendContext['sendDatagram']
}

type Raised = Parameters<NonNullable<RaisingParts['onRaised']>>

/** Texts that a workload chooses are bounded. */
const longest = 4096
const short = (text: string): string => (text.length > longest ? `${text.slice(0, longest)}…` : text)

export const noticeOf = (...[{ subject, detection }, plan, event]: Raised): Notice => {
  const { rule, priority, output, tags, fields } = detection
  const { environment, environmentName, instance, workload, image, imageName, owner } = subject
  return {
    ...{
      id: `${environment}/${event.sequence}`,
      kind: 'detection',
      time: detection.event.time,
      priority,
      rule,
      text: short(output),
      tags: [...tags],
    },
    fields: Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, typeof value === 'string' ? short(value) : value])),
    ...{ environment, environmentName, instance, workload, image, imageName, owner },
    ...{ measures: [...plan.measures], audit: plan.audit, host: hostname(), left: 0 },
  }
}

export const openNotifying = ({ stateDir, policies, clock, log, sendDatagram }: NotifyingOptions): Notifying => {
  const notifier = createNotifier({
    folder: join(stateDir, 'notify'),
    targets: () => policies.detection().settings.notify,
    context: { now: clock.wall, version: readVersion(), process: process.pid, sendDatagram },
    log,
  })
  return {
    onRaised: (detected, plan, event) => {
      if (plan.alert === 'all' || plan.alert.length > 0) notifier.tell(noticeOf(detected, plan, event), plan.alert)
    },
    test: (names, signal) => {
      const text = 'A test of Dayfly: who reads this is told of what instances are detected to do.'
      const own = { id: `test/${clock.wall()}`, kind: 'test', time: clock.wall(), priority: 'notice', text, host: hostname() } as const
      return notifier.test({ ...own, tags: [], fields: {}, measures: [], audit: false, left: 0 }, names, signal)
    },
    state: notifier.state,
    deliveries: notifier.deliveries,
    replay: notifier.replay,
    onEvent: (event, name) => {
      const names = policies.detection().settings.notify.flatMap(target => (target.lifecycle === true ? [target.name] : []))
      if (names.length === 0) return
      const notice = lifecycleNotice(event, name())
      if (notice) notifier.tell(notice, names)
    },
    [Symbol.asyncDispose]: () => notifier[Symbol.asyncDispose](),
  }
}
