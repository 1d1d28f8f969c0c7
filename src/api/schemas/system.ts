/** Wire schemas of errors, events, the host's checks and the daemon itself. */
import { z } from 'zod'
import { Event } from '../../model/event.ts'

/** RFC 9457, with the stable code beside its URI. */
export const Problem = z
  .object({
    type: z.string().describe('`urn:dayfly:problem:` and the code.'),
    title: z.string().describe('What the code means, the same for each of its problems.'),
    status: z.int().describe('Of HTTP; where the problem comes within an answer, the one it would have had.'),
    detail: z.string().describe('What was attempted, and why it failed.'),
    code: z.string().describe('Stable; one of the table in base/errors.ts.'),
    field: z.string().nullable().describe('The input at fault.'),
    remedy: z.string().nullable().describe('What to do about it.'),
  })
  .meta({ id: 'Problem' })
export type Problem = z.infer<typeof Problem>

/** The last line of an answer in lines that failed on the way. */
export const FailedLine = z.object({ error: Problem }).meta({ id: 'FailedLine' })
export type FailedLine = z.infer<typeof FailedLine>

export const EventView = Event.meta({ id: 'Event' })
export const EventList = z
  .object({ events: z.array(EventView), next: z.int().nullable().describe('`after` of the next page; null: these were the last there are.') })
  .meta({ id: 'EventList' })

export const HostCheck = z
  .object({
    name: z.string(),
    state: z.enum(['ok', 'warn', 'fail']),
    found: z.string(),
    remedy: z.string().nullable().describe('What to do, unless the state is ok.'),
  })
  .meta({ id: 'HostCheck' })
export type HostCheck = z.infer<typeof HostCheck>
export const DoctorReport = z.object({ checks: z.array(HostCheck) }).meta({ id: 'DoctorReport' })

export const LeakView = z
  .object({
    kind: z.enum(['process', 'mount', 'namespace', 'interface', 'cgroup', 'nft', 'directory', 'address']),
    name: z.string(),
    owner: z.string().nullable(),
  })
  .meta({ id: 'Leak' })
export type LeakView = z.infer<typeof LeakView>
export const LeakReport = z.object({ leaks: z.array(LeakView) }).meta({ id: 'LeakReport' })

export const About = z
  .object({
    version: z.string(),
    api: z.literal('v1'),
    backend: z.string(),
    node: z.string(),
    pid: z.int(),
    startedAt: z.number(),
    stateDir: z.string(),
    runDir: z.string(),
  })
  .meta({ id: 'About' })
export type About = z.infer<typeof About>
