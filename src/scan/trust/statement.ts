/** in-toto statements: what somebody says of artefacts that he names by digest. */
import { z } from 'zod'
import { DayflyError } from '../../base/errors.ts'
import { parseJson } from './json.ts'

export const statementType = 'application/vnd.in-toto+json'

const Statement = z.object({
  _type: z.string().regex(/^https:\/\/in-toto\.io\/Statement\/v(0\.1|1)$/),
  subject: z.array(z.object({ digest: z.record(z.string(), z.string()) })).min(1),
  predicateType: z.string().min(1),
  predicate: z.unknown(),
})

export interface Said {
  readonly type: string
  readonly predicate: unknown
}

/** The statement of a verified payload, about the image `digest`. Throws `corrupt` when it is none, or is about something else. */
export const readStatement = (payloadType: string, payload: Buffer, digest: string, what: string): Said => {
  if (payloadType !== statementType) throw new DayflyError('corrupt', `${what} holds ${payloadType.slice(0, 80)}, no in-toto statement`)
  const read = Statement.safeParse(parseJson(payload, what))
  if (!read.success) throw new DayflyError('corrupt', `${what} is no in-toto statement`)
  const { subject, predicateType, predicate } = read.data
  if (!subject.some(({ digest: digests }) => `sha256:${digests['sha256']}` === digest)) {
    throw new DayflyError('corrupt', `${what} is about another image`)
  }
  return { type: predicateType, predicate }
}
