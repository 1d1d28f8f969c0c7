/**
 * Secrets are struck out of what instances do before anybody judges or keeps it, so that a rule's output, a block on the disk and a replay all lack them:
 * the values that the environment was given, whatever they look like, and arguments that look like a secret to anybody, by their names or by the formats of
 * providers. What a workload makes of its arguments costs time in proportion to their length, whatever is in them.
 */
import { createHash } from 'node:crypto'
import type { KnownForms } from '../../../base/known-forms.ts'
import { createKnownForms } from '../../../base/known-forms.ts'
import type { SensedEvent, SocketFacts } from '../../../model/kernel-event.ts'
import { isSecretName } from '../../../scan/secrets/names.ts'
import type { SpanSearch } from '../../../scan/secrets/spans.ts'
import { createSpanSearch } from '../../../scan/secrets/spans.ts'

export const struckOut = '[secret]'

/** Texts that are shorter hold no provider's token. */
const shortestToken = 16
/** Bytes of one event's arguments, each as often as a rule looks at it, that are looked through for providers' tokens. */
const tokenBudget = 256 * 1024

// Bounded, and begun only where a word begins: they are tried at every character of what a workload chooses.
const userInfo = /(?<![a-z0-9+.-])([a-z][a-z0-9+.-]{0,31}:\/\/[^\s/?#@:]{0,255}):([^\s/?#@]{1,4096})@/gi
const header =
  /(?<![\w-])((?:proxy-)?authorization|x-[a-z-]{0,40}(?:token|key|secret)|cookie|private-token)(\s*[:=]\s*)((?:bearer|basic|token|digest|negotiate)\s+)?(\S.*)/is
/** `NAME=value`, `--name=value`, `name: value`, also in the query of a URL. */
const assignment = /(^|[\s&?;,'"{])(-{0,2}[A-Za-z_][\w.-]*)(['"]?\s*(?:=|:(?!\/\/))\s*['"]?)([^\s&;,'"}]+)/g
const optionName = /^--?([A-Za-z][\w.-]*)$/

/** An option whose value is the argument after it, e.g. `--password`; not `-p`, which is a port as often. */
const announces = (argument: string): boolean => {
  const name = optionName.exec(argument)?.[1]
  return name !== undefined && name.length > 2 && isSecretName(name)
}

const withoutLookalikes = (argument: string): string => {
  let text = argument
  if (text.includes('@')) text = text.replaceAll(userInfo, (_, before: string) => `${before}:${struckOut}@`)
  text = text.replace(header, (_, name: string, separator: string, scheme: string | undefined) => `${name}${separator}${scheme ?? ''}${struckOut}`)
  if (text.includes('=') || text.includes(':')) {
    text = text.replaceAll(assignment, (whole, before: string, name: string, sign: string, value: string) =>
      value.startsWith(struckOut) || !isSecretName(name.replace(/^-+/, '')) ? whole : `${before}${name}${sign}${struckOut}`,
    )
  }
  return text
}

/** `user:password`. */
const withoutLogin = (login: string): string => {
  const colon = login.indexOf(':')
  return colon <= 0 ? login : `${login.slice(0, colon)}:${struckOut}`
}
const takesLogin = /(^|\/)(curl|wget|http|https|xh)$/
/** The argument after it is a login; after a letter of curl's that takes no value, too: `-sSfu`. */
const loginOption = /^(?:-[#0-46aBfgGiIjJklLnNOpqRsSvVZ]{0,16}[uU]|-a|--user|--proxy-user|--auth)$/
/** It holds one itself: `-uuser:password`, `--user=user:password`. */
const loginWithin = /^(-[#0-46aBfgGiIjJklLnNOpqRsSvVZ]{0,16}[uU]|-a|--user=|--proxy-user=|--auth=)([^\s:]{1,256}:.+)$/s
/** Within a script's text. */
const loginInText = /(?<![\w-])((?:-[#0-46aBfgGiIjJklLnNOpqRsSvVZ]{0,16}[uU]|--user|--proxy-user)[ =]{0,4}['"]?)([^\s:'"]{1,256}):([^\s'"]{1,4096})/g

const mentionsTool = /\b(?:curl|wget)\b/

const cleanLogins = (argument: string): string =>
  mentionsTool.test(argument) ? argument.replaceAll(loginInText, (_, option: string, user: string) => `${option}${user}:${struckOut}`) : argument

/** Made when it is first needed: tables of all formats. */
let search: SpanSearch | undefined

/** Tokens of providers, by their formats, wherever nobody has declared them. What costs too much to be looked through is struck out as a whole. */
const createTokenStriker = (): ((text: string) => string) => {
  let budget = tokenBudget
  return text => {
    if (text.length < shortestToken) return text
    search ??= createSpanSearch()
    const bytes = Buffer.from(text)
    const found = search.find(bytes, budget)
    if (found === undefined) return struckOut
    budget -= found.cost
    if (found.spans.length === 0) return text
    // Spans are of bytes, which are characters only in ASCII.
    let clean = ''
    let done = 0
    for (const { start, end } of found.spans) {
      if (end <= done) continue
      if (start > done || done === 0) clean += `${bytes.toString('utf8', done, Math.max(start, done))}${struckOut}`
      done = end
    }
    return `${clean}${bytes.toString('utf8', done)}`
  }
}

const cleanArguments = (args: readonly string[], truncated: boolean, forms: KnownForms): string[] => {
  const takes = takesLogin.test(args[0] ?? '')
  const withoutTokens = createTokenStriker()
  return args.map((argument, index) => {
    const before = args[index - 1]
    if (index > 1 && before !== undefined && announces(before) && !argument.startsWith('-')) return struckOut
    const exact = truncated && index === args.length - 1 ? forms.strikeCut(argument, struckOut) : forms.strike(argument, struckOut)
    if (takes && index > 1 && before !== undefined && loginOption.test(before)) return withoutLogin(exact)
    const login = takes && index > 0 ? loginWithin.exec(exact) : null
    if (login !== null) return `${login[1]}${withoutLogin(login[2] ?? '')}`
    return withoutTokens(withoutLookalikes(cleanLogins(exact)))
  })
}

const texts = ['exe', 'path', 'target', 'directory', 'cwd', 'detail', 'name', 'parentName'] as const

const cleanSocket = (socket: SocketFacts, forms: KnownForms): SocketFacts => ({
  ...socket,
  ...(socket.localAddress === undefined ? {} : { localAddress: forms.strike(socket.localAddress, struckOut) }),
  ...(socket.remoteAddress === undefined ? {} : { remoteAddress: forms.strike(socket.remoteAddress, struckOut) }),
})

export type Redactor = (event: SensedEvent) => SensedEvent

const redactorBy =
  (forms: KnownForms): Redactor =>
  event => {
    if (event.args === undefined && forms.count === 0) return event
    const clean: { -readonly [K in keyof SensedEvent]: SensedEvent[K] } = { ...event }
    if (event.args !== undefined) clean.args = cleanArguments(event.args, event.flags?.includes('truncated') === true, forms)
    if (forms.count === 0) return clean
    for (const key of texts) {
      const text = event[key]
      if (text !== undefined) clean[key] = forms.strike(text, struckOut)
    }
    if (event.socket?.family === 'unix') clean.socket = cleanSocket(event.socket, forms)
    return clean
  }

/** Redactors of so many sets of secrets are remembered: instances of one workload have the same. */
const mostRemembered = 64
const remembered = new Map<string, Redactor>()

/** A function that gives the event without them: the same object where there is nothing to strike out. */
export const createRedactor = (secrets: readonly string[]): Redactor => {
  const key = createHash('sha256').update(JSON.stringify(secrets)).digest('base64')
  const known = remembered.get(key) ?? redactorBy(createKnownForms(secrets))
  remembered.delete(key)
  remembered.set(key, known)
  const [oldest] = remembered.size > mostRemembered ? remembered.keys() : []
  if (oldest !== undefined) remembered.delete(oldest)
  return known
}
