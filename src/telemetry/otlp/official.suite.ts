/** OpenTelemetry's own definitions of OTLP, to read with them what was sent. */
import generated from '@opentelemetry/otlp-transformer/build/src/generated/root.js'
import { z } from 'zod'
import type { Signal } from './messages.ts'

interface Reader {
  decode(bytes: Uint8Array): object
  toObject(message: object, options: { longs: typeof String }): object
}
const Reader = z.custom<Reader>(value => typeof value === 'function' && 'decode' in value && 'toObject' in value)
const service = (name: string) => z.object({ v1: z.object({ [name]: Reader }) })
const Definitions = z.object({
  opentelemetry: z.object({
    proto: z.object({
      collector: z.object({
        trace: service('ExportTraceServiceRequest'),
        metrics: service('ExportMetricsServiceRequest'),
        logs: service('ExportLogsServiceRequest'),
      }),
    }),
  }),
})

const { trace, metrics, logs } = Definitions.parse(generated).opentelemetry.proto.collector
const readers: Readonly<Record<Signal, Reader | undefined>> = {
  traces: trace.v1['ExportTraceServiceRequest'],
  metrics: metrics.v1['ExportMetricsServiceRequest'],
  logs: logs.v1['ExportLogsServiceRequest'],
}

const hex = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (Array.isArray(value)) return value.map(hex)
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, hex(inner)]))
  return value
}

/** A request's body in protobuf, with ids in hexadecimal and 64-bit numbers as texts, as JSON has them. Throws for what is none. */
export const readOfficially = (signal: Signal, bytes: Uint8Array): unknown => {
  const reader = readers[signal]
  if (reader === undefined) throw new Error(`there is no definition of ${signal}`)
  return hex(reader.toObject(reader.decode(bytes), { longs: String }))
}
