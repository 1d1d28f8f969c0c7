/** `x-dayfly`: what a compose file says to Dayfly beyond the Compose Specification. A file needs none of it. */
import { z } from 'zod'
import { maximumTtl } from '../model/lease.ts'
import { Runtime, WorkloadKind } from '../model/workload.ts'
import type { Egress } from './egress.ts'
import { parseEgress } from './egress.ts'
import { durationOf } from './quantities.ts'

/** `90s`, `1h30m`, `7d`: at least `least` and at most `most` milliseconds. */
const duration = (least: number, most: number, range: string) =>
  z.union([z.string(), z.number()], 'a duration like 90s, 15m, 1h30m or 7d').transform((value, context): number => {
    const milliseconds = typeof value === 'string' ? durationOf(value) : undefined
    if (milliseconds === undefined) {
      context.addIssue({ code: 'custom', message: 'a duration with its unit is expected, like 90s, 15m, 1h30m or 7d' })
      return z.NEVER
    }
    if (milliseconds < least || milliseconds > most) {
      context.addIssue({ code: 'custom', message: `a duration ${range} is expected` })
      return z.NEVER
    }
    return milliseconds
  })

const year = 365 * 86_400_000
const clock = duration(1000, maximumTtl, 'from 1s to 7d')

const Lease = z.strictObject({
  /** Longest age, ms. */
  ttl: clock.optional(),
  /** Longest time without activity, ms. */
  idle: clock.optional(),
  /** How long the record is kept, ms. */
  retention: duration(0, year, 'from 0s to 365d').optional(),
  /** What happens when it is idle: the environment ends, or is frozen until the next request. */
  onIdle: z.enum(['end', 'pause']).optional(),
})

const EgressEntry = z
  .string('a destination like registry.example.org, "*.example.com:443" or 192.0.2.0/24:5432')
  .transform((text, context): Egress => {
    const parsed = parseEgress(text)
    if (typeof parsed !== 'string') return parsed
    context.addIssue({ code: 'custom', message: `${JSON.stringify(text)}: ${parsed}` })
    return z.NEVER
  })
/** One destination, or a list. */
const EgressList = z.preprocess(value => (typeof value === 'string' ? [value] : value), z.array(EgressEntry, 'a list of destinations'))

const PortNumber = z.int('a port from 1 to 65535').min(1, 'a port from 1 to 65535').max(65_535, 'a port from 1 to 65535')

const hostName = z
  .string()
  .max(253)
  .regex(
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$/,
    "a full host name in lower case below a domain of the daemon's, like shop.preview.example.org",
  )

/** A port of a service that the gateway serves. */
const Exposure = z.strictObject(
  {
    port: PortNumber,
    /** http, and h2c for HTTP/2 in the clear (gRPC): by name through the gateway · tcp: published on the loopback. */
    protocol: z.enum(['http', 'h2c', 'tcp']).default('http'),
    /** Of tcp: the port of the loopback; any free one when it is left out. */
    published: PortNumber.optional(),
    /** Beside the name that it has anyway: one label below a domain of the daemon's (`dayfly serve --gateway-domain`). */
    host: hostName.optional(),
  },
  'a port like 8080, 8080/http or 5432/tcp is expected, or a mapping with port, protocol and host',
)

/** `8080`, `"5432/tcp"`, and with the port of the loopback `"15432:5432/tcp"`. */
const longExposure = (value: unknown): unknown => {
  if (typeof value !== 'number' && typeof value !== 'string') return value
  const [, published, port, protocol] = /^(?:(\d{1,5}):)?(\d{1,5})(?:\/(http|h2c|tcp))?$/.exec(String(value)) ?? []
  if (port === undefined) return value
  const kind = protocol ?? (published === undefined ? undefined : 'tcp')
  return {
    port: Number(port),
    ...(kind === undefined ? {} : { protocol: kind }),
    ...(published === undefined ? {} : { published: Number(published) }),
  }
}
const Exposures = z.preprocess(
  value => (value === undefined || Array.isArray(value) ? value : [value]),
  z.array(z.preprocess(longExposure, Exposure), 'a list of ports'),
)

const Percent = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^\d+(\.\d+)?%?$/)
      .transform(text => Number(text.replace('%', ''))),
  ])
  .pipe(z.number().gt(0).max(100))

type Target = { readonly concurrency: number } | { readonly cpu: number }

const Scale = z
  .strictObject({
    /** 0: stopped while nobody asks for it. */
    min: z.int().min(0).default(1),
    max: z.int().min(1).max(100),
    /** What one instance should bear: requests in flight, or percent of its CPU limit. */
    target: z
      .strictObject({ concurrency: z.int().min(1).optional(), cpu: Percent.optional() })
      .transform((target, context): Target => {
        if (target.concurrency !== undefined && target.cpu === undefined) return { concurrency: target.concurrency }
        if (target.cpu !== undefined && target.concurrency === undefined) return { cpu: target.cpu }
        context.addIssue({ code: 'custom', message: 'one of { concurrency: N } and { cpu: PERCENT } is expected' })
        return z.NEVER
      })
      .default({ concurrency: 10 }),
    /** How long less is needed before instances go, ms. */
    window: duration(1000, 3_600_000, 'from 1s to 1h').default(30_000),
  })
  .refine(({ min, max }) => min <= max, { path: ['max'], message: 'it must be at least min' })

export const ProjectExtension = z.strictObject({
  lease: Lease.default({}),
  /** For every service, beside its own. */
  egress: EgressList.default([]),
  /** Of services by name: the same as their own `expose`. */
  expose: z.record(z.string(), Exposures).default({}),
})
export type ProjectExtension = z.output<typeof ProjectExtension>

export const ServiceExtension = z.strictObject({
  kind: WorkloadKind.default('service'),
  egress: EgressList.default([]),
  expose: Exposures.default([]),
  scale: Scale.optional(),
  runtime: Runtime.optional(),
  /**
   * Time without a request through the gateway, ms, after which this service alone is stopped; it starts with the next one. Short for
   * `scale: { min: 0, max: 1, window: … }`.
   */
  idle: duration(1000, 86_400_000, 'from 1s to 24h').optional(),
})
export type ServiceExtension = z.output<typeof ServiceExtension>

export interface DayflyProject extends ProjectExtension {
  /** Of every enabled service. `egress` includes the project's; `expose` includes what the project says of the service. */
  readonly services: Readonly<Record<string, ServiceExtension>>
}
