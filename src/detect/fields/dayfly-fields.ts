/** dayfly.*: what Falco has no field for. */
import type { KernelEvent } from '../../model/kernel-event.ts'
import { field } from './define.ts'
import type { Field } from './field.ts'

const has = (event: KernelEvent, flag: NonNullable<KernelEvent['flags']>[number]): boolean => event.flags?.includes(flag) ?? false

export const dayflyFields: readonly Field[] = [
  field(
    'dayfly.origin',
    'string',
    '`outside` for what `dayfly exec` or a health check has put in, and all that comes of it; otherwise `workload`',
    ({ process }) => process.origin,
  ),
  field('dayfly.kind', 'string', 'Kind of the workload: service, job, function, sandbox or agent', ({ subject }) => subject.kind),
  field('dayfly.workload', 'string', 'Workload', ({ subject }) => subject.workload),
  field('dayfly.environment', 'string', "Environment's name", ({ subject }) => subject.environmentName),
  field('dayfly.owner', 'string', 'Who answers for the environment', ({ subject }) => subject.owner),
  field('dayfly.denied', 'boolean', 'Whether Dayfly did not let it happen, or killed for it', ({ event }) => has(event, 'denied')),
  field('dayfly.would_deny', 'boolean', 'Whether policy would not let it happen, but only audits', ({ event }) => has(event, 'would_deny')),
  field('dayfly.sha256', 'string', 'Hash of the program that runs, where it is known', ({ process }) => process.sha256),
  field('dayfly.proc_of', 'string', '`self` or `other` for paths in /proc of a process: whose it is', ({ event, process }) => {
    const whose = /^\/proc\/(\d+)\//.exec(event.path ?? '')?.[1]
    return whose === undefined ? undefined : Number(whose) === process.vpid ? 'self' : 'other'
  }),
  field(
    'dayfly.egress',
    'string',
    '`listed` or `unlisted`: whether policy opens the address, of what leaves the environment',
    ({ egress }) => egress,
  ),
  field('dayfly.target', 'string', 'Instance of the process that is meant, when it is another one', ({ event }) => event.targetInstance),
]
