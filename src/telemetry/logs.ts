/** The daemon's own log as OTLP log records. What happens to environments is in their records, and detections go their own way (src/notify). */
import type { Log, LogFields, LogLevel } from '../base/log.ts'
import type { Attributes, Sender, Tree } from './otlp/tree.ts'
import { attributeTrees, nanoseconds, resourceOf, scopeOf } from './otlp/tree.ts'
import type { SpanContext } from './spans.ts'

/** By OpenTelemetry's data model. */
const severities: Readonly<Record<LogLevel, number>> = { debug: 5, info: 9, warn: 13, error: 17 }
const longest = 4096

const short = (text: string): string => (text.length > longest ? `${text.slice(0, longest)}…` : text)

const attributeOf = (value: unknown): Attributes[string] => {
  if (value === undefined || typeof value === 'boolean' || typeof value === 'number') return value
  if (typeof value === 'string') return short(value)
  if (value instanceof Error) return short(value.message)
  return short(JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner)) ?? String(value))
}

export const logTree = (level: LogLevel, message: string, fields: LogFields, now: number, span: SpanContext | undefined): Tree => ({
  timeUnixNano: nanoseconds(now),
  observedTimeUnixNano: nanoseconds(now),
  severityNumber: severities[level],
  severityText: level.toUpperCase(),
  body: { stringValue: short(message) },
  attributes: attributeTrees(Object.fromEntries(Object.entries(fields).map(([name, value]) => [`dayfly.${name}`, attributeOf(value)]))),
  flags: span === undefined ? undefined : Number(span.sampled),
  traceId: span?.traceId,
  spanId: span?.spanId,
})

export const logsRequest =
  (sender: Sender) =>
  (records: readonly Tree[]): Tree => ({
    resourceLogs: [{ resource: resourceOf(sender), scopeLogs: [{ scope: scopeOf(sender), logRecords: records }] }],
  })

/** A log that also tells `tell` of each entry of these levels; what it tells of must not come back to it. */
export const tellingLog = (log: Log, tell: (level: LogLevel, message: string, fields: LogFields) => void, before: LogFields = {}): Log => {
  const entry =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}): void => {
      log[level](message, fields)
      tell(level, message, { ...before, ...fields })
    }
  return {
    debug: entry('debug'),
    info: entry('info'),
    warn: entry('warn'),
    error: entry('error'),
    with: more => tellingLog(log.with(more), tell, { ...before, ...more }),
  }
}
