/**
 * `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a request that changes something may be sent again with its key, because its answer got lost,
 * and gets the first one's answer. What failed has left nothing behind, so its key is free again. Keys of one caller are not seen by another.
 */
import { createHash } from 'node:crypto'
import { DayflyError } from '../base/errors.ts'
import type { KeptReply, Replies } from '../model/reply.ts'
import type { RawCall, Reply, Route } from './route.ts'

/** The header, as Node has it. */
const header = 'idempotency-key'
/** Characters. A UUID has 36. */
const longest = 255
/** An answer beyond that is not kept, in characters; none of a route that takes keys is near it. */
const largest = 1024 * 1024

/** A structured field's string is written in quotes; most clients send the bare text. */
const keyOf = (text: string): string => {
  const key = /^"(.*)"$/.exec(text)?.[1] ?? text
  if (key.length > 0 && key.length <= longest && /^[\x21-\x7e]+$/.test(key)) return key
  throw new DayflyError('invalid', `${header}: a key is 1 to ${longest} visible ASCII characters`, {
    field: header,
    remedy: 'Make a new UUID for each request that is meant once.',
  })
}

/** The same for the same question, whatever the order of its members. */
const canonical = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(canonical)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([name, member]) => [name, canonical(member)]),
  )
}

const digestOf = (route: Route, { params, query, body }: RawCall): string =>
  createHash('sha256')
    .update(JSON.stringify([route.method, route.path, canonical(params), canonical(query), canonical(body)]))
    .digest('hex')

const again = (route: Route, { status, body }: KeptReply): Reply => {
  const document: object = JSON.parse(body)
  const lines = route.answers.some(answer => answer.status === status && answer.mediaType === 'application/x-ndjson')
  if (!lines) return { kind: 'json', status: status === 201 ? 201 : 200, body: document }
  const last = async function* (): AsyncGenerator<object> {
    yield document
  }
  return { kind: 'lines', lines: last() }
}

/** Answers as `route` does, or as it did to the first request with this key. `caller`: whose keys these are. */
export const handleOnce = async (route: Route, call: RawCall, caller: string, replies: Replies): Promise<Reply> => {
  const given = call.header(header)
  if (given === undefined || route.method === 'GET') return await route.handle(call)
  const refused = (why: string): DayflyError =>
    new DayflyError('invalid', `${header}: ${why}`, { field: header, remedy: 'Send this request without the header.' })
  if (call.upgrade) throw refused('a conversation cannot be repeated')
  if (route.once === true) throw refused('the answer holds a secret, and is kept nowhere')
  const key = keyOf(given)
  const state = replies.take(caller, key, digestOf(route, call))
  switch (state.kind) {
    case 'answered':
      return again(route, state.reply)
    case 'other':
      throw new DayflyError('invalid', `${header}: "${key}" belongs to another request`, {
        field: header,
        remedy: 'Make a new key for each request.',
      })
    case 'running':
      throw new DayflyError('conflict', `${header}: the first request with this key is under way`, { field: header, remedy: 'Wait, and ask again.' })
    case 'interrupted':
      throw new DayflyError(
        'conflict',
        `${header}: the daemon went away during the first request with this key, and it is not known how far that came`,
        {
          field: header,
          remedy: 'Look for what it was to make, then send it with a new key.',
        },
      )
    case 'new':
      return await first(route, call, replies, caller, key)
  }
}

const first = async (route: Route, call: RawCall, replies: Replies, caller: string, key: string): Promise<Reply> => {
  const keep = (status: number, document: object | undefined): void => {
    const body = document === undefined ? '' : JSON.stringify(document)
    if (body === '' || body.length > largest) replies.release(caller, key)
    else replies.answered(caller, key, { status, body })
  }
  const reply = await route.handle(call).catch((error: unknown) => {
    replies.release(caller, key)
    throw error
  })
  if (reply.kind === 'json') {
    keep(reply.status, reply.body)
    return reply
  }
  if (reply.kind === 'lines') return { kind: 'lines', lines: lastKept(reply.lines, last => keep(200, last)) }
  replies.release(caller, key)
  return reply
}

/** The same lines. `keep` hears of the last one, or of undefined when they broke off. */
async function* lastKept(lines: AsyncIterable<object>, keep: (last: object | undefined) => void): AsyncGenerator<object> {
  let last: object | undefined
  let whole = false
  try {
    for await (const line of lines) {
      last = line
      yield line
    }
    whole = true
  } finally {
    keep(whole ? last : undefined)
  }
}
