/** Lists in pages. A cursor stays good while what it names is purged, and what comes meanwhile neither moves nor repeats an entry. */
import { z } from 'zod'
import { DayflyError } from '../base/errors.ts'

export const mostInPage = 1000

/** Query members of a list in pages. */
export const pageQuery = {
  limit: z
    .string()
    .regex(/^\d{1,4}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(1).max(mostInPage))
    .default(mostInPage)
    .describe(`At most so many, up to ${mostInPage}.`),
  after: z.string().min(1).max(512).optional().describe('Goes on after it: `next` of the answer before.'),
}

/** Member of the answer. */
export const Next = z.string().nullable().describe('`after` of the next page; null: this was the last.')

interface Listed {
  readonly id: string
  readonly createdAt: number
}

/** What a page is made of: of a list in the order of its creation, either way, what comes after an entry, which may be gone by now. */
export interface ListPart {
  readonly after?: Listed
  readonly limit?: number
}

interface Paged {
  readonly limit: number
  readonly after?: string | undefined
}

const placeOf = (cursor: string): Listed => {
  const [, time, id] = /^(\d{1,16})\.(.+)$/.exec(cursor) ?? []
  if (time === undefined || id === undefined) {
    throw new DayflyError('invalid', `after: "${cursor}" is not what \`next\` said`, { field: 'after', remedy: 'Take it from the answer before.' })
  }
  return { id, createdAt: Number(time) }
}

/** `list` is asked for no more than the page holds, and one entry that says whether there is another page. */
export const pageFrom = <T extends Listed>(
  list: (part: ListPart) => readonly T[],
  { limit, after }: Paged,
): { readonly page: readonly T[]; readonly next: string | null } => {
  const found = list({ limit: limit + 1, ...(after === undefined ? {} : { after: placeOf(after) }) })
  const page = found.slice(0, limit)
  const last = page.at(-1)
  return { page, next: last === undefined || found.length <= limit ? null : `${last.createdAt}.${last.id}` }
}

/** Of a list that is there as a whole, newest first. */
export const pageOf = <T extends Listed>(entries: readonly T[], paged: Paged): { readonly page: readonly T[]; readonly next: string | null } =>
  pageFrom(({ after, limit }) => {
    if (after === undefined) return entries.slice(0, limit)
    const known = entries.findIndex(({ id }) => id === after.id)
    const from = known === -1 ? entries.findIndex(({ createdAt }) => createdAt <= after.createdAt) : known + 1
    return from === -1 ? [] : entries.slice(from, from + (limit ?? entries.length))
  }, paged)
