/** A detection as the record has it: `detection.raised`. */
import { z } from 'zod'
import { Priority } from '../../../api/schemas/security.ts'
import type { Event } from '../../../model/event.ts'

const Entry = z.looseObject({
  rule: z.string(),
  priority: Priority,
  output: z.string(),
  tags: z.array(z.string()).catch([]),
  source: z.string().catch('syscall'),
  at: z.number().optional(),
  event: z.string().catch(''),
  fields: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])).catch({}),
  process: z
    .looseObject({
      pid: z.int(),
      vpid: z.int(),
      name: z.string(),
      exe: z
        .string()
        .nullish()
        .transform(exe => exe ?? null),
    })
    .catch({ pid: 0, vpid: 0, name: '', exe: null }),
  exemption: z
    .string()
    .nullish()
    .transform(name => name ?? null),
  measures: z.array(z.string()).catch([]),
  audit: z.boolean().catch(false),
})
export type DetectionEntry = z.output<typeof Entry>

/** undefined: the entry is of an older Dayfly, or damaged. */
export const readDetection = ({ data }: Pick<Event, 'data'>): DetectionEntry | undefined => {
  const parsed = Entry.safeParse(data)
  return parsed.success ? parsed.data : undefined
}
