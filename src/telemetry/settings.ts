/** Where telemetry is sent, by the environment variables that OpenTelemetry's specification names. Without an endpoint nothing is sent. */

import { DayflyError } from '../base/errors.ts'
import { readVersion } from '../base/version.ts'
import type { Signal } from './otlp/messages.ts'
import type { Destination } from './otlp/post.ts'
import type { Attributes } from './otlp/tree.ts'

export interface TelemetrySettings {
  readonly protocol: 'http/protobuf' | 'http/json'
  /** Undefined: not sent. */
  readonly traces: Destination | undefined
  readonly metrics: Destination | undefined
  readonly logs: Destination | undefined
  /** ms between two pushes of metrics. */
  readonly metricInterval: number
  /** Spans that wait at most, how many are sent at once, and how long one waits (ms). */
  readonly spans: { readonly capacity: number; readonly batch: number; readonly delay: number }
  readonly resource: Attributes
}

type Variables = Readonly<Record<string, string | undefined>>

const invalid = (name: string, problem: string, remedy: string): DayflyError =>
  new DayflyError('invalid', `${name}: ${problem}`, { field: name, remedy })

const numberOf = (variables: Variables, name: string, usual: number): number => {
  const text = variables[name]
  if (text === undefined || text === '') return usual
  if (!/^\d{1,9}$/.test(text) || Number(text) === 0) throw invalid(name, `"${text}" is not a whole number above 0`, `Write it like ${name}=${usual}.`)
  return Number(text)
}

/** `a=1,b=two%20words` */
const pairsOf = (variables: Variables, name: string): Record<string, string> => {
  const pairs = (variables[name] ?? '').split(',').flatMap(part => (part.trim() === '' ? [] : [part]))
  return Object.fromEntries(
    pairs.map(pair => {
      const at = pair.indexOf('=')
      // What comes after the sign may be a secret: it is not in the message.
      if (at <= 0) throw invalid(name, 'a part of it has no "="', `Write it like ${name}=name=value,other=value.`)
      try {
        return [pair.slice(0, at).trim(), decodeURIComponent(pair.slice(at + 1).trim())]
      } catch (cause) {
        throw invalid(
          name,
          `the value of ${pair.slice(0, at).trim()} is not percent-encoded`,
          `Write % as %25. (${cause instanceof Error ? cause.name : 'error'})`,
        )
      }
    }),
  )
}

const urlOf = (text: string, name: string): URL => {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol))
    throw invalid(name, `"${text}" is not an http or https URL`, `Write it like ${name}=http://127.0.0.1:4318.`)
  return url
}

const destinationOf = (variables: Variables, signal: Signal): Destination | undefined => {
  const own = (name: string): string => `OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_${name}`
  const value = (name: string): { text: string; name: string } | undefined =>
    [own(name), `OTEL_EXPORTER_OTLP_${name}`].flatMap(key => (variables[key] ? [{ text: variables[key] ?? '', name: key }] : []))[0]
  const exporter = variables[`OTEL_${signal.toUpperCase()}_EXPORTER`] ?? 'otlp'
  const endpoint = value('ENDPOINT')
  if (variables['OTEL_SDK_DISABLED']?.toLowerCase() === 'true' || exporter === 'none' || endpoint === undefined) return undefined
  if (exporter !== 'otlp') throw invalid(`OTEL_${signal.toUpperCase()}_EXPORTER`, `"${exporter}" is none that there is`, 'Write otlp or none.')
  const base = urlOf(endpoint.text, endpoint.name)
  // An endpoint for one signal is used as it is; the common one is a base.
  const url = endpoint.name === own('ENDPOINT') ? base.href : new URL(`v1/${signal}`, base.href.endsWith('/') ? base.href : `${base.href}/`).href
  const compression = value('COMPRESSION')
  if (compression !== undefined && compression.text !== 'gzip' && compression.text !== 'none')
    throw invalid(compression.name, `"${compression.text}" is none that there is`, 'Write gzip or none.')
  return {
    url,
    headers: { ...pairsOf(variables, 'OTEL_EXPORTER_OTLP_HEADERS'), ...pairsOf(variables, own('HEADERS')) },
    compression: compression?.text === 'gzip' ? 'gzip' : 'none',
    timeout: numberOf(variables, value('TIMEOUT')?.name ?? own('TIMEOUT'), 10_000),
    caFile: value('CERTIFICATE')?.text,
  }
}

const protocolOf = (variables: Variables): TelemetrySettings['protocol'] => {
  const name = 'OTEL_EXPORTER_OTLP_PROTOCOL'
  const text = variables[name] || 'http/protobuf'
  if (text === 'http/protobuf' || text === 'http/json') return text
  throw invalid(name, `"${text}" is not spoken`, 'Write http/protobuf or http/json; collectors listen for both on port 4318.')
}

/** Throws `invalid` naming the variable. */
export const readTelemetrySettings = (variables: Variables, host: Attributes): TelemetrySettings => {
  const { 'service.name': named, ...given } = pairsOf(variables, 'OTEL_RESOURCE_ATTRIBUTES')
  return {
    protocol: protocolOf(variables),
    traces: destinationOf(variables, 'traces'),
    metrics: destinationOf(variables, 'metrics'),
    logs: destinationOf(variables, 'logs'),
    metricInterval: numberOf(variables, 'OTEL_METRIC_EXPORT_INTERVAL', 60_000),
    spans: {
      capacity: numberOf(variables, 'OTEL_BSP_MAX_QUEUE_SIZE', 2048),
      batch: numberOf(variables, 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 512),
      delay: numberOf(variables, 'OTEL_BSP_SCHEDULE_DELAY', 5000),
    },
    resource: {
      ...host,
      ...given,
      'service.name': variables['OTEL_SERVICE_NAME'] || named || 'dayfly',
      'service.version': readVersion(),
    },
  }
}
