import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readTelemetrySettings } from './settings.ts'

const read = (variables: Record<string, string>) => readTelemetrySettings(variables, { 'host.name': 'here' })

test('without an endpoint nothing is sent', () => {
  const { traces, metrics, logs } = read({ OTEL_SERVICE_NAME: 'x' })
  assert.deepEqual([traces, metrics, logs], [undefined, undefined, undefined])
})

test('the common endpoint is a base, and one for a signal is used as it is', () => {
  const settings = read({
    OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector:4318/otlp',
    OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'http://logs:9/here',
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20abc,x-a=1',
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'x-a=2',
    OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
    OTEL_EXPORTER_OTLP_TIMEOUT: '250',
  })
  assert.equal(settings.traces?.url, 'https://collector:4318/otlp/v1/traces')
  assert.deepEqual(settings.traces?.headers, { authorization: 'Bearer abc', 'x-a': '2' })
  assert.equal(settings.traces?.compression, 'gzip')
  assert.equal(settings.traces?.timeout, 250)
  assert.equal(settings.logs?.url, 'http://logs:9/here')
  assert.equal(settings.metrics, undefined)
})

test('the service has a name, whoever gives it', () => {
  assert.equal(read({}).resource['service.name'], 'dayfly')
  assert.equal(read({ OTEL_RESOURCE_ATTRIBUTES: 'service.name=a,team=b' }).resource['service.name'], 'a')
  assert.equal(read({ OTEL_RESOURCE_ATTRIBUTES: 'service.name=a', OTEL_SERVICE_NAME: 'c' }).resource['service.name'], 'c')
  assert.equal(read({ OTEL_RESOURCE_ATTRIBUTES: 'team=b' }).resource['team'], 'b')
})

test('OTEL_SDK_DISABLED turns everything off', () => {
  assert.equal(read({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a', OTEL_SDK_DISABLED: 'true' }).traces, undefined)
})

for (const [name, value] of [
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318'],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'unix:///x'],
  ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'],
  ['OTEL_EXPORTER_OTLP_TIMEOUT', 'soon'],
  ['OTEL_EXPORTER_OTLP_HEADERS', 's3cret'],
  ['OTEL_EXPORTER_OTLP_HEADERS', 'a=%zz'],
  ['OTEL_EXPORTER_OTLP_COMPRESSION', 'zstd'],
  ['OTEL_TRACES_EXPORTER', 'zipkin'],
] as const) {
  test(`${name}=${value} is refused by its name`, () => {
    assert.throws(
      () => read({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a', [name]: value }),
      (error: unknown) => {
        assert.ok(error instanceof Error && 'field' in error && 'code' in error)
        assert.equal(error.field, name)
        assert.equal(error.code, 'invalid')
        assert.doesNotMatch(error.message, /s3cret|%zz/)
        return true
      },
    )
  })
}
