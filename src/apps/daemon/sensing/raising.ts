/** Detections, into the record. */
import type { Log } from '../../../base/log.ts'
import type { Priority } from '../../../detect/detector.ts'
import type { Testimony } from '../../../engine/witness.ts'
import type { Severity } from '../../../model/finding.ts'
import type { Detected } from './messages.ts'

/** How bad that is, in the words of findings. */
export const severityOf = (priority: Priority): Severity => {
  switch (priority) {
    case 'emergency':
    case 'alert':
    case 'critical':
      return 'critical'
    case 'error':
      return 'high'
    case 'warning':
      return 'medium'
    case 'notice':
      return 'low'
    default:
      return 'negligible'
  }
}

const longest = 1024
const short = (text: string): string => (text.length > longest ? `${text.slice(0, longest)}…` : text)

export const testimonyOf = ({ subject, detection }: Detected): Testimony => {
  const { rule, priority, output, tags, source, event } = detection
  const { type, time, pid, vpid, name, exe, path, args } = event
  return {
    instance: subject.instance,
    type: 'detection.raised',
    reason: short(output),
    data: {
      ...{ rule, priority, severity: severityOf(priority), output: short(output), tags: [...tags], source, workload: subject.workload },
      event: {
        ...{ type, time, pid, vpid, name },
        ...(exe === undefined ? {} : { exe: short(exe) }),
        ...(path === undefined ? {} : { path: short(path) }),
        ...(args === undefined ? {} : { command: short(args.join(' ')) }),
      },
    },
  }
}

export const createRaising =
  (testify: (environment: string, testimony: Testimony) => void, log: Log) =>
  (detections: readonly Detected[], left: number): void => {
    for (const detected of detections) testify(detected.subject.environment, testimonyOf(detected))
    if (left > 0) log.warn('there were too many detections at once', { left })
  }
