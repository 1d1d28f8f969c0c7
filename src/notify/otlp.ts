/** OpenTelemetry's log records: ExportLogsServiceRequest in the JSON mapping of OTLP/HTTP (64-bit integers are texts, names are lowerCamelCase). */
import type { Notice, Urgency } from './notice.ts'

/** By the table of OpenTelemetry's data model for syslog. */
const severities: Readonly<Record<Urgency, number>> = {
  ...{ emergency: 21, alert: 19, critical: 18, error: 17, warning: 13, notice: 10, informational: 9, debug: 5 },
}

type AnyValue =
  | { stringValue: string }
  | { boolValue: boolean }
  | { intValue: string }
  | { doubleValue: number }
  | { arrayValue: { values: AnyValue[] } }
interface KeyValue {
  readonly key: string
  readonly value: AnyValue
}

const anyValue = (value: string | number | boolean | readonly string[]): AnyValue => {
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  if (typeof value === 'number') return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value }
  return { arrayValue: { values: value.map(each => ({ stringValue: each })) } }
}

const attributes = (given: Readonly<Record<string, string | number | boolean | readonly string[] | null | undefined>>): KeyValue[] =>
  Object.entries(given).flatMap(([key, value]) => (value === undefined || value === null ? [] : [{ key, value: anyValue(value) }]))

/** ms, with a fraction, as ns. */
const nanoseconds = (ms: number): string => String(BigInt(Math.round(ms * 1000)) * 1000n)

const logRecord = (notice: Notice, now: number): unknown => ({
  timeUnixNano: nanoseconds(notice.time),
  observedTimeUnixNano: nanoseconds(now),
  severityNumber: severities[notice.priority],
  severityText: notice.priority,
  eventName: `dayfly.${notice.kind}`,
  body: { stringValue: notice.text },
  attributes: attributes({
    ...{ 'dayfly.notice.id': notice.id, 'dayfly.rule.name': notice.rule, 'dayfly.rule.tags': notice.tags.length > 0 ? notice.tags : undefined },
    ...{ 'dayfly.environment.id': notice.environment, 'dayfly.environment.name': notice.environmentName, 'dayfly.owner': notice.owner },
    ...{ 'dayfly.workload': notice.workload, 'container.id': notice.instance, 'container.image.name': notice.imageName },
    ...{ 'container.image.id': notice.image, 'dayfly.measures': notice.measures.length > 0 ? notice.measures : undefined },
    'dayfly.audit': notice.measures.length > 0 ? notice.audit : undefined,
    'dayfly.left': notice.left > 0 ? notice.left : undefined,
    ...Object.fromEntries(Object.entries(notice.fields).map(([name, value]) => [`dayfly.field.${name}`, value])),
  }),
})

/** All of one host. `now` is wall ms. */
export const otlpRequest = (notices: readonly Notice[], { now, version }: { now: number; version: string }): unknown => ({
  resourceLogs: [
    {
      resource: { attributes: attributes({ 'service.name': 'dayfly', 'service.version': version, 'host.name': notices[0]?.host }) },
      scopeLogs: [{ scope: { name: 'dayfly.detection', version }, logRecords: notices.map(notice => logRecord(notice, now)) }],
    },
  ],
})
