import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { z } from 'zod'
import type { Notice } from './notice.ts'
import { otlpRequest } from './otlp.ts'
import { slackMessage } from './slack.ts'
import { octetCounted, syslogMessage } from './syslog.ts'
import { webhookBody, webhookHeaders } from './webhook.ts'

const notice = (change: Partial<Notice> = {}): Notice => ({
  ...{ id: 'e1/7', kind: 'detection', time: Date.parse('2026-06-01T12:00:00.123Z'), priority: 'critical', text: 'a shell (sh) in web' },
  ...{ rule: 'shell in a workload', tags: ['T1059'], fields: { 'proc.name': 'sh', 'proc.pid': 7, 'fd.num': null, odd: 0.5 } },
  ...{ environment: 'e1', environmentName: 'shop', instance: 'i1', workload: 'web', image: 'sha256:aa', imageName: 'shop:1', owner: 'eve' },
  ...{ measures: ['freeze'], audit: false, host: 'node-1', left: 0 },
  ...change,
})

test('syslog is as RFC 5424 says it', () => {
  const message = syslogMessage(notice(), { facility: 'authpriv', process: 42 })
  const match = /^<(\d+)>1 (\S+) (\S+) (\S+) (\S+) (\S+) (\[[^\]]*\]) \ufeff(.*)$/u.exec(message)
  assert.deepEqual(match?.slice(1, 7), [String(10 * 8 + 2), '2026-06-01T12:00:00.123Z', 'node-1', 'dayfly', '42', 'detection'])
  assert.match(match?.[7] ?? '', /^\[dayfly@32473 id="e1\/7" rule="shell in a workload" environment="shop" /)
  assert.equal(match?.[8], 'a shell (sh) in web')
  assert.equal(octetCounted('é'), '2 é')
})

test('nobody who is told of writes a second syslog message, or other data into the first', () => {
  const evil = notice({ text: 'one\n<0>1 - - - - - two\u0000\u001b[2J', workload: 'a"]\\\n[evil@1 x="y', host: 'no de\n', rule: 'r'.repeat(1000) })
  const message = syslogMessage(evil, { facility: 'local0', process: 1 })
  assert.doesNotMatch(message, /\p{Cc}/u)
  assert.match(message, / no_de_ dayfly /)
  assert.ok(message.includes('workload="a\\"\\]\\\\ [evil@1 x=\\"y"'))
  const long = syslogMessage(notice({ text: 'é'.repeat(10_000) }), { facility: 'user', process: 1 })
  assert.ok(Buffer.byteLength(long) <= 8000)
  assert.doesNotMatch(long, /\ufffd/)
})

test('a webhook is signed together with its time', () => {
  const body = webhookBody(notice())
  assert.deepEqual(JSON.parse(body), { schemaVersion: 1, ...notice() })
  const headers = webhookHeaders(notice(), body, Buffer.from('key'), 1_000_999)
  const expected = createHmac('sha256', 'key').update(`1000.${body}`).digest('hex')
  assert.deepEqual(headers, { 'Dayfly-Signature': `t=1000,v1=${expected}`, 'Dayfly-Delivery': 'e1/7' })
})

test('what Slack would take for formatting is text', () => {
  const text = JSON.stringify(slackMessage(notice({ text: '<!channel> <https://evil|click> & *bold*', workload: '<@U1>', left: 3 })))
  assert.doesNotMatch(text, /<[!@h]/)
  assert.match(text, /&lt;!channel&gt;/)
  assert.match(text, /3 more were left out/)
})

/** opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest in the proto3 JSON mapping, no field beyond it. */
const AnyValue: z.ZodType = z.lazy(() =>
  z.union([
    z.strictObject({ stringValue: z.string() }),
    z.strictObject({ boolValue: z.boolean() }),
    z.strictObject({ intValue: z.string().regex(/^-?\d+$/) }),
    z.strictObject({ doubleValue: z.number() }),
    z.strictObject({ arrayValue: z.strictObject({ values: z.array(AnyValue) }) }),
  ]),
)
const Attributes = z.array(z.strictObject({ key: z.string().min(1), value: AnyValue }))
const LogRecord = z.strictObject({
  timeUnixNano: z.string().regex(/^\d+$/),
  observedTimeUnixNano: z.string().regex(/^\d+$/),
  severityNumber: z.int().min(1).max(24),
  severityText: z.string(),
  eventName: z.string(),
  body: AnyValue,
  attributes: Attributes,
})
const Scope = z.strictObject({ name: z.string(), version: z.string() })
const Request = z.strictObject({
  resourceLogs: z.array(
    z.strictObject({
      resource: z.strictObject({ attributes: Attributes }),
      scopeLogs: z.array(z.strictObject({ scope: Scope, logRecords: z.array(LogRecord) })),
    }),
  ),
})

test('OTLP is the JSON mapping of the protocol', () => {
  const request = otlpRequest([notice(), notice({ id: 'e1/8', priority: 'debug', measures: [] })], { now: 1, version: '1.0' })
  const [resource] = Request.parse(JSON.parse(JSON.stringify(request))).resourceLogs
  const [first, second] = resource?.scopeLogs[0]?.logRecords ?? []
  assert.equal(first?.timeUnixNano, '1780315200123000000')
  assert.deepEqual([first?.severityNumber, second?.severityNumber], [18, 5])
  const of = (key: string) => first?.attributes.find(attribute => attribute.key === key)?.value
  assert.deepEqual(of('dayfly.field.proc.pid'), { intValue: '7' })
  assert.deepEqual(of('dayfly.field.odd'), { doubleValue: 0.5 })
  assert.equal(of('dayfly.field.fd.num'), undefined)
  assert.deepEqual(of('dayfly.rule.tags'), { arrayValue: { values: [{ stringValue: 'T1059' }] } })
  assert.deepEqual(resource?.resource.attributes[2], { key: 'host.name', value: { stringValue: 'node-1' } })
})
