/** What the daemon says when it does not do what it was asked for: problem details (RFC 9457) with the stable code, field and remedy. */
import { z } from 'zod'

const Problem = z.looseObject({
  code: z.string(),
  detail: z.string().optional(),
  title: z.string().optional(),
  message: z.string().optional(),
  field: z.string().nullish(),
  remedy: z.string().nullish(),
})
/** At the end of a stream, the problem may be wrapped. */
const Wrapped = z.looseObject({ error: Problem })

/** `status` is 0 when nobody answered; `code` is one of base/errors.ts, or `unreachable`. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  readonly code: string
  readonly field: string | undefined
  readonly remedy: string | undefined

  constructor(
    status: number,
    code: string,
    message: string,
    detail: { field?: string | undefined; remedy?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.status = status
    this.code = code
    this.field = detail.field
    this.remedy = detail.remedy
  }
}

/** A problem document as an error; undefined for any other value. */
export const problemOf = (status: number, document: unknown): ApiError | undefined => {
  const wrapped = Wrapped.safeParse(document)
  const plain = wrapped.success ? { success: true as const, data: wrapped.data.error } : Problem.safeParse(document)
  if (!plain.success) return undefined
  const { code, detail, message, title, field, remedy } = plain.data
  return new ApiError(status, code, detail ?? message ?? title ?? code, { field: field ?? undefined, remedy: remedy ?? undefined })
}

/** Whoever is not signed in, or no longer. */
export const isSignedOut = (error: unknown): boolean => error instanceof ApiError && error.status === 401
export const isForbidden = (error: unknown): boolean => error instanceof ApiError && error.status === 403
export const isMissing = (error: unknown): boolean => error instanceof ApiError && error.status === 404
export const isUnreachable = (error: unknown): boolean => error instanceof ApiError && error.code === 'unreachable'
