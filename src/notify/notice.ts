/** What is told to somebody outside: one shape, whatever they speak. */
import { z } from 'zod'

/** Falco's priorities, which are syslog's: their place is syslog's severity. */
export const urgencies = ['emergency', 'alert', 'critical', 'error', 'warning', 'notice', 'informational', 'debug'] as const
export const Urgency = z.enum(urgencies)
export type Urgency = z.infer<typeof Urgency>

export const Notice = z.object({
  /** The same notice, sent again, has the same id: receivers can tell. */
  id: z.string(),
  /** `lifecycle`: an entry of a record, named by `rule`. `summary`: only says how many were not told. */
  kind: z.enum(['detection', 'lifecycle', 'test', 'summary']),
  /** Wall ms of what it is about. */
  time: z.number(),
  priority: Urgency,
  /** One sentence. */
  text: z.string(),
  rule: z.string().optional(),
  tags: z.array(z.string()),
  /** Values that the text names. */
  fields: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  environment: z.string().optional(),
  environmentName: z.string().optional(),
  instance: z.string().optional(),
  workload: z.string().optional(),
  /** Digest, and the name that was asked for. */
  image: z.string().optional(),
  imageName: z.string().optional(),
  owner: z.string().optional(),
  /** What is done about it, e.g. `freeze`. `audit`: would be done. */
  measures: z.array(z.string()),
  audit: z.boolean(),
  host: z.string(),
  /** So many more before it were not told: there were too many. */
  left: z.number(),
})
export type Notice = z.infer<typeof Notice>

/** Whether `priority` is as urgent as `least`, or more. */
export const isUrgentEnough = (priority: Urgency, least: Urgency): boolean => urgencies.indexOf(priority) <= urgencies.indexOf(least)

/** Control characters make one message into two, or move a terminal's cursor. */
export const plain = (text: string): string => text.replaceAll(/\p{Cc}+/gu, ' ')

/** What is known of it, in an order that people expect; without what is not known. */
export const facts = (notice: Notice): [name: string, value: string][] => {
  const { rule, environment, environmentName, instance, workload, image, imageName, owner, tags, measures, audit, left } = notice
  const all: [string, string | undefined][] = [
    ['rule', rule],
    ['environment', environmentName],
    ['environment_id', environment],
    ['workload', workload],
    ['instance', instance],
    ['image', imageName],
    ['image_digest', image],
    ['owner', owner],
    ['tags', tags.length > 0 ? tags.join(' ') : undefined],
    [audit ? 'would_do' : 'done', measures.length > 0 ? measures.join(' ') : undefined],
    ['left_out', left > 0 ? String(left) : undefined],
  ]
  return all.flatMap(([name, value]) => (value === undefined ? [] : [[name, plain(value)]]))
}
