/** Kubernetes' named formats: `format.dns1123Label().validate(x)` is none where x is right, else what is wrong with it. */
import { fn, method, opaque } from '../overloads.ts'
import type { Opaque, Value } from '../values.ts'
import { none, Optional } from '../values.ts'
import { parseUrl } from './urls.ts'

type Check = (text: string) => readonly string[]

class NamedFormat implements Opaque {
  readonly opaque = 'kubernetes.NamedFormat'
  readonly format: string
  readonly check: Check
  constructor(format: string, check: Check) {
    this.format = format
    this.check = check
  }
  toString(): string {
    return this.format
  }
  equals(other: Opaque): boolean {
    return other instanceof NamedFormat && other.format === this.format
  }
}

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const labelMessage =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character"
const subdomainMessage =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"
const label1035Message =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character"

/** The messages are those of the API server, which names examples and its pattern. */
const example = (message: string, examples: readonly string[], pattern: RegExp): string =>
  `${message} (e.g. ${examples.map(each => `'${each}', `).join(' or ')}regex used for validation is '${pattern.source.slice(1, -1)}')`

const check =
  (pattern: RegExp, most: number, message: string, examples: readonly string[]): Check =>
  text => [
    ...(text.length > most ? [`must be no more than ${most} characters`] : []),
    ...(pattern.test(text.slice(0, 1000)) ? [] : [example(message, examples, pattern)]),
  ]

/** A name that the API server will add to: one `-` at its end is allowed. */
const prefix =
  (inner: Check): Check =>
  text =>
    inner(/.-$/.test(text) ? `${text.slice(0, -2)}a` : text)

const namePart = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/
const namePartMessage = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"

const dnsLabel = check(new RegExp(`^${label}$`), 63, labelMessage, ['my-name', '123-abc'])
const dnsSubdomain = check(subdomain, 253, subdomainMessage, ['example.com'])
const dns1035 = check(/^[a-z]([-a-z0-9]*[a-z0-9])?$/, 63, label1035Message, ['my-name', 'abc-123'])

const nameExamples = ['MyName', 'my.name', '123-abc']
const checkNamePart = check(namePart, 63, namePartMessage, nameExamples)

const qualifiedName: Check = text => {
  const parts = text.split('/', 3)
  const [first = '', second] = parts
  if (parts.length > 2) {
    const whole = namePartMessage.replace('name part', 'a valid label key')
    return [`${example(whole, nameExamples, namePart)} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`]
  }
  // A name without its prefix cannot be judged.
  if (second !== undefined && first === '') return ['prefix part must be non-empty']
  const problems = second === undefined ? [] : dnsSubdomain(first).map(problem => `prefix part ${problem}`)
  const name = second ?? first
  return [
    ...problems,
    ...(name === '' ? ['name part must be non-empty'] : []),
    ...checkNamePart(name).map(problem => (problem.startsWith('must') ? `name part ${problem}` : problem)),
  ]
}

const isDate = (text: string): boolean => {
  const match = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text)
  if (!match) return false
  const date = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text)
}

const datetime = /^\d{4}-\d\d-\d\d[Tt ](\d\d):(\d\d):(\d\d)(\.\d{1,20})?([Zz]|[+-]\d\d:\d\d)$/
const isDatetime = (text: string): boolean => {
  const match = text.length > 64 ? null : datetime.exec(text)
  return match !== null && isDate(text.slice(0, 10)) && Number(match[1]) < 24 && Number(match[2]) < 60 && Number(match[3]) < 60
}

const byTest =
  (test: (text: string) => boolean, message: string): Check =>
  text =>
    test(text) ? [] : [message]

const base64 = (text: string): boolean => text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text)

const checks: Readonly<Record<string, Check>> = {
  dns1123Label: dnsLabel,
  dns1123Subdomain: dnsSubdomain,
  dns1035Label: dns1035,
  qualifiedName,
  dns1123LabelPrefix: prefix(dnsLabel),
  dns1123SubdomainPrefix: prefix(dnsSubdomain),
  dns1035LabelPrefix: prefix(dns1035),
  labelValue: check(
    /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/,
    63,
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
    ['MyValue', 'my_value', '12345'],
  ),
  uri: text => (parseUrl(text) ? [] : [`parse ${JSON.stringify(text.slice(0, 200))}: invalid URI for request`]),
  uuid: byTest(
    text => /^[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}$/.test(text),
    'does not match the UUID format',
  ),
  byte: byTest(base64, 'invalid base64'),
  date: byTest(isDate, 'invalid date'),
  datetime: byTest(isDatetime, 'invalid datetime'),
}

const formats = new Map(Object.entries(checks).map(([name, one]) => [name, new NamedFormat(name, one)]))
const type = 'kubernetes.NamedFormat'

const validate = (value: Value, text: string): Value => {
  const problems = opaque(NamedFormat, value).check(text.length > 100_000 ? text.slice(0, 100_000) : text)
  return problems.length === 0 ? none : new Optional([...problems])
}

export const namedFormats = [
  ...[...formats].map(([name, format]) => fn(`format.${name}`, [], type, () => format)),
  fn('format.named', ['string'], `optional<${type}>`, name => {
    const format = formats.get(name)
    return format ? new Optional(format) : none
  }),
  method('validate', [type, 'string'], 'optional<list<string>>', validate, {
    cost: (_format, text) => (typeof text === 'string' ? text.length / 10 : 0),
  }),
]
