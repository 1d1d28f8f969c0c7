/** What several routes take in their path or query. */
import { z } from 'zod'

export const EnvironmentRef = z.object({ ref: z.string().min(1).describe('An id, a unique prefix of one of at least 4 characters, or a name.') })

/** `?follow=true`; `value` when it is left out. */
export const flag = (value: 'true' | 'false') =>
  z
    .enum(['true', 'false'])
    .default(value)
    .transform(text => text === 'true')

export const Flag = flag('false')
