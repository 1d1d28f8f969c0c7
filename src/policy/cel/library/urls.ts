/** URLs, as Go's `url.ParseRequestURI` reads them: an absolute URI or an absolute path; there is no fragment. */
import { fn, method, opaque, textCost } from '../overloads.ts'
import type { Key, Opaque, Value } from '../values.ts'
import { CelError } from '../values.ts'

export class Url implements Opaque {
  readonly opaque = 'kubernetes.URL'
  readonly text: string
  readonly scheme: string
  /** With the port. */
  readonly host: string
  readonly path: string
  readonly query: string
  constructor(text: string, scheme: string, host: string, path: string, query: string) {
    this.text = text
    this.scheme = scheme
    this.host = host
    this.path = path
    this.query = query
  }
  toString(): string {
    return this.text
  }
  equals(other: Opaque): boolean {
    return other instanceof Url && other.text === this.text
  }
}

const escapes = (text: string): boolean => !/%(?![0-9a-fA-F]{2})/.test(text)

const isHost = (host: string): boolean => {
  const bracketed = /^\[([0-9a-fA-F:.]+)(%25[^\]]*)?\](:\d*)?$/.exec(host)
  if (host.startsWith('[')) return bracketed !== null
  const colon = host.lastIndexOf(':')
  if (colon >= 0 && !/^\d*$/.test(host.slice(colon + 1))) return false
  const name = colon < 0 ? host : host.slice(0, colon)
  return !/[\s"<>\\^`{}|#?/@[\]:]/.test(name) && !/%(?![89a-fA-F][0-9a-fA-F])/.test(name)
}

const hasControl = (text: string): boolean => {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) < 32 || text.charCodeAt(at) === 127) return true
  return false
}

/** undefined: it is no URL. */
export const parseUrl = (text: string): Url | undefined => {
  if (text === '' || text.length > 100_000 || hasControl(text)) return undefined
  // What OPTIONS asks of a whole server.
  if (text === '*') return new Url(text, '', '', '*', '')
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(text)?.[1] ?? ''
  const rest = scheme === '' ? text : text.slice(scheme.length + 1)
  const mark = rest.indexOf('?')
  const before = mark < 0 ? rest : rest.slice(0, mark)
  const query = mark < 0 ? '' : rest.slice(mark + 1)
  if (!before.startsWith('/')) return scheme === '' ? undefined : new Url(text, scheme.toLowerCase(), '', '', query)
  if (scheme === '' || !before.startsWith('//')) return escapes(before) ? new Url(text, scheme.toLowerCase(), '', before, query) : undefined
  const slash = before.indexOf('/', 2)
  const authority = slash < 0 ? before.slice(2) : before.slice(2, slash)
  const path = slash < 0 ? '' : before.slice(slash)
  const at = authority.lastIndexOf('@')
  const user = at < 0 ? '' : authority.slice(0, at)
  const host = authority.slice(at + 1)
  if (!escapes(path) || !escapes(user) || !/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(user) || !isHost(host)) return undefined
  return new Url(text, scheme.toLowerCase(), host, path, query)
}

const url = (text: string): Url => {
  const parsed = parseUrl(text)
  if (!parsed) throw new CelError(`${JSON.stringify(text.slice(0, 100))} is no URL`)
  return parsed
}

const hostname = (host: string): string => {
  if (host.startsWith('[')) return host.slice(1, host.indexOf(']'))
  const colon = host.lastIndexOf(':')
  return colon < 0 ? host : host.slice(0, colon)
}

const port = (host: string): string => /:(\d*)$/.exec(host.startsWith('[') ? host.slice(host.indexOf(']')) : host)?.[1] ?? ''

const decoded = (text: string): string | undefined => {
  if (!escapes(text)) return undefined
  const bytes = Buffer.from(text.replaceAll('+', ' '))
  const out: number[] = []
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0
    if (byte !== 0x25) out.push(byte)
    else {
      out.push(Number.parseInt(bytes.toString('latin1', at + 1, at + 3), 16))
      at += 2
    }
  }
  return Buffer.from(out).toString()
}

/** Pairs that cannot be read are left out, as Go does. */
const queryOf = (query: string): ReadonlyMap<Key, Value> => {
  const values = new Map<string, string[]>()
  for (const pair of query.split('&')) {
    if (pair === '' || pair.includes(';')) continue
    const equal = pair.indexOf('=')
    const key = decoded(equal < 0 ? pair : pair.slice(0, equal))
    const value = decoded(equal < 0 ? '' : pair.slice(equal + 1))
    if (key === undefined || value === undefined) continue
    const list = values.get(key) ?? []
    values.set(key, list)
    list.push(value)
  }
  return new Map<Key, Value>(values)
}

const u = (value: Value): Url => opaque(Url, value)
const type = 'kubernetes.URL'

/** What Go's EscapedPath leaves as it is; the rest is escaped. */
const escapedPath = (path: string): string => path.replaceAll(/[^A-Za-z0-9\-._~!$&'()*+,;=:@/%[\]]/gu, char => encodeURIComponent(char))

export const urls = [
  fn('url', ['string'], type, url, { constant: true, cost: textCost }),
  fn('isURL', ['string'], 'bool', text => parseUrl(text) !== undefined, { cost: textCost }),
  method('getScheme', [type], 'string', value => u(value).scheme),
  method('getHost', [type], 'string', value => u(value).host),
  method('getHostname', [type], 'string', value => hostname(u(value).host)),
  method('getPort', [type], 'string', value => port(u(value).host)),
  method('getEscapedPath', [type], 'string', value => escapedPath(u(value).path)),
  method('getQuery', [type], 'map<string, list<string>>', value => queryOf(u(value).query)),
]
