/** A subject as the record has it (`sensor.totals`), so that what an instance did can be judged again as what it was. */
import { z } from 'zod'
import { given } from '../base/given.ts'
import { parse } from '../model/parse.ts'
import type { Subject } from './detector.ts'

const SubjectFacts = z.object({
  environment: z.string(),
  environmentName: z.string(),
  instance: z.string(),
  workload: z.string(),
  kind: z.string(),
  image: z.string(),
  imageName: z.string(),
  owner: z.string(),
  labels: z.record(z.string(), z.string()),
  startedAt: z.number(),
  privileged: z.boolean(),
  egress: z.array(z.string()),
  userIds: z.object({ first: z.int(), each: z.int() }).exactOptional(),
})
export type SubjectFacts = z.infer<typeof SubjectFacts>

/** Plain JSON. */
export const subjectFacts = (subject: Subject): SubjectFacts => SubjectFacts.parse(given(subject))

/** Throws `invalid` naming the field. */
export const parseSubject = (value: unknown, field: string): Subject => parse(SubjectFacts, value, field)
