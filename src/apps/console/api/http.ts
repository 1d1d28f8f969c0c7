/** Calls of the API: same origin, checked by the schemas that the daemon answers by. */
import type { z } from 'zod'
import { ApiError, problemOf } from './errors.ts'

export type Query = Readonly<Record<string, string | number | boolean | undefined | readonly string[]>>

/** `/v1/environments/:ref` with what stands for `:ref`, escaped. */
export const pathOf = (template: string, parameters: Readonly<Record<string, string>> = {}, query: Query = {}): string => {
  const path = template.replace(/:([A-Za-z]+)/g, (_whole, name: string) => encodeURIComponent(parameters[name] ?? ''))
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue
    for (const each of Array.isArray(value) ? value : [value]) search.append(name, String(each))
  }
  const text = search.toString()
  return text === '' ? path : `${path}?${text}`
}

export interface Request {
  readonly method?: 'GET' | 'POST' | 'DELETE'
  readonly body?: object
  readonly signal?: AbortSignal | undefined
  readonly accept?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** A page of another site cannot set this header, so cannot do what changes something. */
const unsafe = { 'x-dayfly-csrf': '1' } as const

/** The answer, its status being good. Throws ApiError otherwise, `unreachable` when nobody answers. */
export const request = async (
  path: string,
  { method = 'GET', body, signal, accept = 'application/json', headers = {} }: Request = {},
): Promise<Response> => {
  const response = await fetch(path, {
    method,
    credentials: 'same-origin',
    cache: 'no-store',
    redirect: 'error',
    headers: { accept, ...(method === 'GET' ? {} : unsafe), ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  }).catch((error: unknown) => {
    if (signal?.aborted) throw error
    throw new ApiError(0, 'unreachable', 'The daemon does not answer.', { remedy: 'See whether it runs: dayfly doctor', cause: error })
  })
  if (response.ok) return response
  const document: unknown = await response.json().catch(() => undefined)
  throw problemOf(response.status, document) ?? new ApiError(response.status, 'internal', `The daemon answered ${response.status}.`)
}

/** What the schema says. An answer that it does not fit is an error: this page and the daemon are of different versions then. */
export const checked = <S extends z.ZodType>(schema: S, document: unknown): z.output<S> => {
  const result = schema.safeParse(document)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw new ApiError(200, 'internal', `The daemon answered what this page does not understand (${issue?.path.join('.')}: ${issue?.message}).`, {
    remedy: 'Load the page anew: the daemon may have been updated.',
  })
}

export const get = async <S extends z.ZodType>(schema: S, path: string, signal?: AbortSignal): Promise<z.output<S>> =>
  checked(schema, await (await request(path, { signal })).json())

export const send = async <S extends z.ZodType>(schema: S, method: 'POST' | 'DELETE', path: string, body?: object): Promise<z.output<S>> =>
  checked(schema, await (await request(path, { method, ...(method === 'POST' ? { body: body ?? {} } : {}) })).json())
