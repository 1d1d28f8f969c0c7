/** Where messages about detections go: `spec.notify` of the DetectionSettings. Only the operator's files name targets; a workload or a client of the API never does. */
import { z } from 'zod'
import { priorities } from '../../model/detection.ts'

const Name = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'lower-case letters, digits and inner hyphens, at most 63')

/** Of the host. A secret stands in a file of its own, so that the settings can be shown to anybody. */
const SecretFile = z.string().max(4096).regex(/^\//, 'an absolute path: the file holds the secret')

const isHttpUrl = (text: string): boolean => {
  const url = URL.parse(text)
  return url !== null && (url.protocol === 'https:' || url.protocol === 'http:') && url.hostname !== ''
}

const HttpUrl = z
  .string()
  .max(2048)
  .refine(isHttpUrl, 'a URL like https://alerts.example.com/dayfly')
  .refine(text => {
    const url = URL.parse(text)
    return url === null || (url.username === '' && url.password === '')
  }, 'no user or password in the URL: put what authenticates into a file, and name that in headersFrom')
  .refine(text => (URL.parse(text)?.hash ?? '') === '', 'no #fragment')

/** `udp://HOST:PORT`, `tcp://HOST:PORT` or `unix:///PATH`. */
const SyslogAddress = z.string().refine(text => {
  const url = URL.parse(text)
  if (url === null || url.username !== '' || url.search !== '' || url.hash !== '') return false
  if (url.protocol === 'unix:') return url.hostname === '' && url.pathname.length > 1
  return (
    (url.protocol === 'udp:' || url.protocol === 'tcp:') && url.hostname !== '' && url.port !== '' && url.port !== '0' && url.pathname.length <= 1
  )
}, 'udp://HOST:PORT, tcp://HOST:PORT or unix:///dev/log')

const HeaderName = z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/, 'a header name')
/** By header, the file that holds its value. */
const HeadersFrom = z.record(HeaderName, SecretFile).default({})

/** What all targets have: what is less urgent than `minimumPriority` does not go there; what becomes of environments only where `lifecycle` says so. */
const common = { name: Name, minimumPriority: z.enum(priorities).default('debug'), lifecycle: z.boolean().optional() }
/** `caFile`: certificates (PEM) that count instead of the host's own. */
const http = { url: HttpUrl, caFile: SecretFile.optional(), headersFrom: HeadersFrom }

export const syslogFacilities = [
  'user',
  'daemon',
  'auth',
  'authpriv',
  'local0',
  'local1',
  'local2',
  'local3',
  'local4',
  'local5',
  'local6',
  'local7',
] as const

export const NotifyTarget = z.discriminatedUnion('type', [
  /** JSON, signed with HMAC-SHA256 by the content of `secretFile`. */
  z.strictObject({ type: z.literal('webhook'), ...common, ...http, secretFile: SecretFile }),
  /** Slack's incoming webhooks, and what takes the same JSON. The URL is the secret: it is in a file. */
  z.strictObject({ type: z.literal('slack'), ...common, urlFile: SecretFile, caFile: SecretFile.optional() }),
  z.strictObject({ type: z.literal('syslog'), ...common, address: SyslogAddress, facility: z.enum(syslogFacilities).default('authpriv') }),
  /** OTLP logs over HTTP, JSON. `url` is whole, e.g. https://collector:4318/v1/logs. */
  z.strictObject({ type: z.literal('otlp'), ...common, ...http }),
])
export type NotifyTarget = z.output<typeof NotifyTarget>
