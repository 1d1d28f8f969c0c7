/** What follows from a detection: `spec.responses` of the DetectionSettings. */
import { z } from 'zod'
import { priorities } from '../../model/detection.ts'

/**
 *   alert             it is told to the targets of `notify`
 *   kill-process      the process that did it is killed
 *   freeze            all of the instance stands still until a person resumes it
 *   isolate           nothing gets out of its environment any more
 *   end-instance      the instance is killed
 *   end-environment   everything of its environment is killed
 *   block-image       the image's digest is not admitted any more, until a person unblocks it
 */
export const responseActions = ['alert', 'kill-process', 'freeze', 'isolate', 'end-instance', 'end-environment', 'block-image'] as const
export const ResponseAction = z.enum(responseActions)
export type ResponseAction = z.infer<typeof ResponseAction>

/** `*` stands for any characters. */
const Patterns = z.array(z.string().min(1).max(256)).min(1).max(1000)

/** All that is said must fit. */
export const DetectionMatch = z.strictObject({
  rules: Patterns.optional(),
  /** This urgent, or more. */
  minimumPriority: z.enum(priorities).optional(),
  tags: Patterns.optional(),
  workloads: Patterns.optional(),
  /** Names of environments. */
  environments: Patterns.optional(),
  /** Digests, and names as they were asked for. */
  images: Patterns.optional(),
  owners: Patterns.optional(),
  sources: z
    .array(z.enum(['syscall', 'sequence', 'profile']))
    .min(1)
    .optional(),
})
export type DetectionMatch = z.output<typeof DetectionMatch>

export const ResponseRule = z
  .strictObject({
    match: DetectionMatch,
    actions: z.array(ResponseAction).min(1),
    /** Evidence is taken before anything is killed, with the instance frozen. */
    forensics: z.boolean().default(false),
    /** Names of the targets that an alert goes to. Default: all. */
    notify: z.array(z.string().min(1)).optional(),
  })
  .refine(({ actions, notify }) => notify === undefined || actions.includes('alert'), {
    path: ['notify'],
    message: 'only an alert is told to anybody: add it to actions',
  })
export type ResponseRule = z.output<typeof ResponseRule>

/** Without a document: told from warnings on, and nothing is touched. */
export const defaultResponses: readonly ResponseRule[] = [{ match: { minimumPriority: 'warning' }, actions: ['alert'], forensics: false }]
