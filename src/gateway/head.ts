/**
 * Heads of messages as flat lists (name, value, name, value, …), the way Node has them raw. What belongs to one connection only (RFC 9110, 7.6.1) does
 * not pass, in either direction; who the client is is said by the gateway alone.
 */

/** What the gateway knows of a client's connection. */
export interface Client {
  /** IP address; an IPv4 one is written as such. */
  readonly address: string
  readonly secure: boolean
  /** `for=…` and `;proto=…` of the Forwarded header. */
  readonly forwarded: string
}

export const clientOf = (remoteAddress: string | undefined, secure: boolean): Client => {
  const address = (remoteAddress ?? 'unknown').replace(/^::ffff:(?=\d+\.)/, '')
  const node = address.includes(':') ? `"[${address}]"` : address
  return { address, secure, forwarded: `for=${node};proto=${secure ? 'https' : 'http'};host=` }
}

const pass = 0
const drop = 1
/** Dropped, but its values name more that is. */
const connection = 2
const host = 3
const length = 4
const transfer = 5
const expect = 6

const fates: Readonly<Record<string, number>> = Object.assign(Object.create(null), {
  connection,
  host,
  expect,
  'content-length': length,
  'transfer-encoding': transfer,
  'keep-alive': drop,
  'proxy-connection': drop,
  'proxy-authorization': drop,
  'proxy-authenticate': drop,
  te: drop,
  trailer: drop,
  upgrade: drop,
  'http2-settings': drop,
  // Only the gateway says who the client is.
  forwarded: drop,
  'x-forwarded-for': drop,
  'x-forwarded-host': drop,
  'x-forwarded-port': drop,
  'x-forwarded-proto': drop,
  'x-forwarded-server': drop,
  'x-forwarded-ssl': drop,
  'x-forwarded-prefix': drop,
  'x-real-ip': drop,
})

export interface RequestHead {
  /** For the instance: host, what the client sent and may pass, then who the client is. */
  readonly headers: string[]
  /** As the client wrote it, empty when it did not. */
  readonly host: string
  /** Bytes of the body that follows; undefined: until its end. */
  readonly length: number | undefined
  readonly expectsContinue: boolean
}

/** In words, why such a request is refused: RFC 9112, 6.3 and 3.2. Node's parser has refused most others before. */
export class BadHead extends Error {}

/**
 * The head for the instance. `authority` is the host that the request line names, which goes before the Host header.
 * `unsaid`: the length of the body when nothing says it. Throws BadHead.
 */
export const requestHead = (raw: readonly string[], client: Client, authority: string | undefined, unsaid: 0 | undefined): RequestHead => {
  const headers: string[] = []
  let named: string | undefined
  let bytes: number | undefined = unsaid
  let chunked = false
  let expectsContinue = false
  let options: string | undefined
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? ''
    const value = raw[at + 1] ?? ''
    switch (fates[name.toLowerCase()] ?? pass) {
      case pass:
        headers.push(name, value)
        break
      case host:
        if (named !== undefined) throw new BadHead('There are two Host headers.')
        named = value
        break
      case length:
        bytes = Number(value)
        if (!/^\d{1,15}$/.test(value)) throw new BadHead('Content-Length is not a number.')
        headers.push(name, value)
        break
      case transfer:
        if (chunked || value.toLowerCase() !== 'chunked') throw new BadHead('The only Transfer-Encoding taken here is chunked, once.')
        chunked = true
        break
      case expect:
        if (value.toLowerCase() !== '100-continue') throw new BadHead('The only Expect taken here is 100-continue.')
        expectsContinue = true
        break
      case connection:
        options = options === undefined ? value : `${options},${value}`
        break
      default:
        break
    }
  }
  if (options !== undefined && !onlyUsual.test(options)) removeNamed(headers, options)
  const at = authority ?? named ?? ''
  headers.push('host', at)
  headers.push('x-forwarded-for', client.address, 'x-forwarded-proto', client.secure ? 'https' : 'http', 'x-forwarded-host', at)
  headers.push('forwarded', `${client.forwarded}${quotedHost(at)}`)
  return { headers, host: at, length: chunked ? undefined : bytes, expectsContinue }
}

const onlyUsual = /^\s*(keep-alive|close|upgrade)\s*$/i
/** A client cannot have these taken away by naming them in its Connection header. */
const kept = new Set(['content-length', 'host', 'authorization', 'cookie', 'content-type', 'origin'])

const removeNamed = (headers: string[], options: string): void => {
  const named = new Set(
    options
      .toLowerCase()
      .split(',')
      .map(option => option.trim()),
  )
  let to = 0
  for (let at = 0; at < headers.length; at += 2) {
    const [name = '', value = ''] = [headers[at], headers[at + 1]]
    const lower = name.toLowerCase()
    if (named.has(lower) && !kept.has(lower)) continue
    headers[to++] = name
    headers[to++] = value
  }
  headers.length = to
}

/** A host with a port is no token: it stands in quotes. */
const quotedHost = (text: string): string => (/^[\w.-]+$/.test(text) ? text : `"${text.replaceAll(/[^\w.:[\]-]/g, '')}"`)

const responseDrops = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'proxy-authenticate', 'te', 'transfer-encoding', 'upgrade', 'http2-settings'],
])

/** The head of an answer for the client, from names (lower case) with their values. */
export const responseHead = (parsed: Readonly<Record<string, string | string[] | undefined>>): string[] => {
  const headers: string[] = []
  const { connection: options } = parsed
  const named =
    options === undefined || (typeof options === 'string' && onlyUsual.test(options))
      ? undefined
      : String(options)
          .toLowerCase()
          .split(/\s*,\s*/)
  for (const name in parsed) {
    const value = parsed[name]
    if (value === undefined || responseDrops.has(name) || named?.includes(name) === true) continue
    if (typeof value === 'string') headers.push(name, value)
    else for (const one of value) headers.push(name, one)
  }
  return headers
}

/** The same from flat pairs with names in lower case. */
export const rawResponseHead = (raw: readonly string[]): string[] => {
  const headers: string[] = []
  let options: string | undefined
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? ''
    const value = raw[at + 1] ?? ''
    if (name === 'connection') options = options === undefined ? value : `${options},${value}`
    else if (name.charCodeAt(0) !== 0x3a && !responseDrops.has(name)) headers.push(name, value)
  }
  if (options !== undefined && !onlyUsual.test(options)) removeNamed(headers, options)
  return headers
}

/** What may stand behind a body (RFC 9110, 6.5.1): nothing that says where it ends, where it goes, who sends it, or what it is. Flat pairs, any case. */
export const trailerFields = (raw: readonly string[]): string[] => {
  const fields: string[] = []
  for (let at = 0; at < raw.length; at += 2) {
    const name = (raw[at] ?? '').toLowerCase()
    const passes = (fates[name] ?? pass) === pass && !kept.has(name) && !name.startsWith('content-') && name !== 'set-cookie' && !name.startsWith(':')
    if (passes) fields.push(name, raw[at + 1] ?? '')
  }
  return fields
}

/** The value of a header in flat pairs with names in lower case. */
export const headerOf = (headers: readonly string[], name: string): string | undefined => {
  for (let at = 0; at < headers.length; at += 2) if (headers[at] === name) return headers[at + 1]
  return undefined
}

const port = /^:\d{0,5}$/

/** The name to look a route up by: lower case, no port, no dot at its end. */
export const routeName = (text: string): string => {
  let end = text.length
  const colon = text.lastIndexOf(':')
  if (colon > 0 && port.test(text.slice(colon))) end = colon
  if (text.charCodeAt(end - 1) === 0x2e) end--
  return text.slice(0, end).toLowerCase()
}
