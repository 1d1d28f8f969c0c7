/** Spans: what took how long, below what. Ids and times as OpenTelemetry and W3C Trace Context have them. */
import { randomFillSync } from 'node:crypto'
import type { Attributes, Sender, Tree } from './otlp/tree.ts'
import { attributeTrees, nanoseconds, resourceOf, scopeOf } from './otlp/tree.ts'

/** Where a span stands: in whose trace, and below which span. */
export interface SpanContext {
  /** 32 and 16 hexadecimal digits. */
  readonly traceId: string
  readonly spanId: string
  /** Whoever began the trace wants it kept. */
  readonly sampled: boolean
  readonly state: string | undefined
}

export interface Span {
  readonly context: SpanContext
  readonly parent: SpanContext | undefined
  readonly name: string
  readonly kind: 'internal' | 'server'
  /** Monotonic ms, as `performance.now()` counts them. */
  readonly began: number
  readonly ended: number
  readonly attributes: Attributes
  /** What went wrong; undefined: nothing. */
  readonly failure: string | undefined
}

// Asking the kernel for each id would cost more than all the rest of a span.
const pool = Buffer.alloc(4096)
let used = pool.length

const randomHex = (bytes: number): string => {
  for (;;) {
    if (used + bytes > pool.length) {
      randomFillSync(pool)
      used = 0
    }
    const id = pool.toString('hex', used, used + bytes)
    used += bytes
    // All zeroes are no id.
    if (/[^0]/.test(id)) return id
  }
}

/** A span's place below `parent`, or at the root of a trace of its own. */
export const childContext = (parent: SpanContext | undefined): SpanContext => ({
  traceId: parent?.traceId ?? randomHex(16),
  spanId: randomHex(8),
  sampled: parent?.sampled ?? true,
  state: parent?.state,
})

const longestState = 512

/** Of the headers `traceparent` and `tracestate`; undefined for what is none, which begins a new trace as the standard says. */
export const parseTraceparent = (header: string | undefined, state?: string): SpanContext | undefined => {
  const [, version, traceId, spanId, flags, more] =
    /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(header?.trim() ?? '') ?? []
  if (version === undefined || traceId === undefined || spanId === undefined || flags === undefined) return undefined
  if (version === 'ff' || (version === '00' && more !== undefined) || /^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined
  const kept = state !== undefined && state !== '' && state.length <= longestState && /^[\x20-\x7e]*$/.test(state) ? state : undefined
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1, state: kept }
}

const kinds = { internal: 1, server: 2 } as const

export const spanTree = ({ context, parent, name, kind, began, ended, attributes, failure }: Span): Tree => ({
  traceId: context.traceId,
  spanId: context.spanId,
  traceState: context.state,
  parentSpanId: parent?.spanId,
  name,
  kind: kinds[kind],
  startTimeUnixNano: nanoseconds(performance.timeOrigin + began),
  endTimeUnixNano: nanoseconds(performance.timeOrigin + Math.max(began, ended)),
  attributes: attributeTrees(attributes),
  status: failure === undefined ? undefined : { message: failure, code: 2 },
})

export const tracesRequest =
  (sender: Sender) =>
  (spans: readonly Tree[]): Tree => ({ resourceSpans: [{ resource: resourceOf(sender), scopeSpans: [{ scope: scopeOf(sender), spans }] }] })
