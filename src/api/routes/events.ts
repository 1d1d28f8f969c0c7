import { z } from 'zod'
import type { Event } from '../../model/event.ts'
import type { Route } from '../route.ts'
import { defineRoute, nothing } from '../route.ts'
import { EventList, EventView } from '../schemas/system.ts'
import type { Services } from '../services.ts'

const Count = z
  .string()
  .regex(/^\d{1,15}$/, 'must be a whole number')
  .transform(Number)

/** An answer of more would keep the daemon from others. */
const usualEvents = 1000
const mostEvents = 10_000

async function* serverSent(events: AsyncIterable<Event>): AsyncGenerator<{ id: string; event: string; data: Event }> {
  for await (const event of events) yield { id: String(event.cursor), event: event.type, data: event }
}

export const eventRoutes = (services: Services): Route[] => [
  defineRoute({
    method: 'GET',
    path: '/v1/events',
    summary: 'Entries of the record, oldest first',
    description: 'With `follow` as server-sent events, whose ids are cursors: a client that comes back with `Last-Event-ID` misses none.',
    params: nothing,
    query: z.strictObject({
      environment: z.string().optional(),
      follow: z
        .enum(['true', 'false'])
        .default('false')
        .transform(text => text === 'true'),
      after: Count.optional().describe('Only entries with a greater cursor.'),
      since: Count.optional().describe('Only entries at or after this time.'),
      limit: Count.pipe(z.int().min(1).max(mostEvents)).default(usualEvents).describe(`At most so many, up to ${mostEvents}; not with \`follow\`.`),
    }),
    body: nothing,
    answers: [
      { status: 200, description: 'The entries there are.', mediaType: 'application/json', schema: EventList },
      { status: 200, description: 'Those and the ones that come; the data of each is an Event.', mediaType: 'text/event-stream', schema: EventView },
    ],
    handle: async ({ query, header, signal }) => {
      const resumed = Count.safeParse(header('last-event-id'))
      const after = resumed.success ? resumed.data : query.after
      const filter = {
        ...(query.environment === undefined ? {} : { environment: services.lifecycle.environment(query.environment).id }),
        ...(after === undefined ? {} : { after }),
        ...(query.since === undefined ? {} : { since: query.since }),
      }
      if (query.follow) return { kind: 'events', events: serverSent(services.lifecycle.follow(filter, signal)) }
      const events = services.lifecycle.events({ ...filter, limit: query.limit })
      return { kind: 'json', status: 200, body: { events, next: events.length < query.limit ? null : (events.at(-1)?.cursor ?? null) } }
    },
  }),
]
