/** The fields of OTLP's messages that are sent: number and kind of each, as opentelemetry-proto 1.x has them. */

export type Kind = 'string' | 'hex' | 'bool' | 'varint' | 'fixed32' | 'fixed64' | 'sfixed64' | 'double'

export interface Field {
  readonly number: number
  readonly kind: Kind | Message
  readonly repeated: boolean
}

export interface Message {
  readonly fields: Readonly<Record<string, Field>>
}

const one = (number: number, kind: Kind | Message): Field => ({ number, kind, repeated: false })
const many = (number: number, kind: Kind | Message): Field => ({ number, kind, repeated: true })

const stringOnly: Message = { fields: { stringValue: one(1, 'string') } }
const arrayValue: Message = { fields: { values: many(1, stringOnly) } }
const anyValue: Message = {
  fields: {
    stringValue: one(1, 'string'),
    boolValue: one(2, 'bool'),
    intValue: one(3, 'varint'),
    doubleValue: one(4, 'double'),
    arrayValue: one(5, arrayValue),
  },
}
const keyValue: Message = { fields: { key: one(1, 'string'), value: one(2, anyValue) } }
const resource: Message = { fields: { attributes: many(1, keyValue) } }
const scope: Message = { fields: { name: one(1, 'string'), version: one(2, 'string') } }

const span: Message = {
  fields: {
    traceId: one(1, 'hex'),
    spanId: one(2, 'hex'),
    traceState: one(3, 'string'),
    parentSpanId: one(4, 'hex'),
    name: one(5, 'string'),
    kind: one(6, 'varint'),
    startTimeUnixNano: one(7, 'fixed64'),
    endTimeUnixNano: one(8, 'fixed64'),
    attributes: many(9, keyValue),
    status: one(15, { fields: { message: one(2, 'string'), code: one(3, 'varint') } }),
  },
}

const numberPoint: Message = {
  fields: {
    startTimeUnixNano: one(2, 'fixed64'),
    timeUnixNano: one(3, 'fixed64'),
    asDouble: one(4, 'double'),
    asInt: one(6, 'sfixed64'),
    attributes: many(7, keyValue),
  },
}
const histogramPoint: Message = {
  fields: {
    startTimeUnixNano: one(2, 'fixed64'),
    timeUnixNano: one(3, 'fixed64'),
    count: one(4, 'fixed64'),
    sum: one(5, 'double'),
    bucketCounts: many(6, 'fixed64'),
    explicitBounds: many(7, 'double'),
    attributes: many(9, keyValue),
  },
}
const metric: Message = {
  fields: {
    name: one(1, 'string'),
    description: one(2, 'string'),
    unit: one(3, 'string'),
    gauge: one(5, { fields: { dataPoints: many(1, numberPoint) } }),
    sum: one(7, { fields: { dataPoints: many(1, numberPoint), aggregationTemporality: one(2, 'varint'), isMonotonic: one(3, 'bool') } }),
    histogram: one(9, { fields: { dataPoints: many(1, histogramPoint), aggregationTemporality: one(2, 'varint') } }),
  },
}

const logRecord: Message = {
  fields: {
    timeUnixNano: one(1, 'fixed64'),
    severityNumber: one(2, 'varint'),
    severityText: one(3, 'string'),
    body: one(5, anyValue),
    attributes: many(6, keyValue),
    flags: one(8, 'fixed32'),
    traceId: one(9, 'hex'),
    spanId: one(10, 'hex'),
    observedTimeUnixNano: one(11, 'fixed64'),
  },
}

const scoped = (name: string, what: Message): Message => ({ fields: { scope: one(1, scope), [name]: many(2, what) } })
const request = (name: string, inner: string, what: Message): Message => ({
  fields: { [name]: many(1, { fields: { resource: one(1, resource), [inner]: many(2, what) } }) },
})

export type Signal = 'traces' | 'metrics' | 'logs'

/** What is posted to `/v1/traces`, `/v1/metrics` and `/v1/logs`. */
export const requests: Readonly<Record<Signal, Message>> = {
  traces: request('resourceSpans', 'scopeSpans', scoped('spans', span)),
  metrics: request('resourceMetrics', 'scopeMetrics', scoped('metrics', metric)),
  logs: request('resourceLogs', 'scopeLogs', scoped('logRecords', logRecord)),
}
