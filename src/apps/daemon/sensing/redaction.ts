/**
 * Secrets are struck out of what instances do before anybody judges or keeps it, so that a rule's output, a block on the disk and a replay all lack them:
 * the values that the environment was given, whatever they look like, and arguments that look like a secret to anybody.
 */
import type { SensedEvent, SocketFacts } from '../../../model/kernel-event.ts'
import { isSecretName } from '../../../scan/secrets/names.ts'

export const struckOut = '[secret]'

/** Shorter ones are no secrets, and would blacken half of everything. */
const shortest = 4
/** A line of a secret of many lines that is as long as this counts by itself. */
const longLine = 16

/** As they are, and as they stand in URLs and headers; a key file also by its lines. Longest first, so that none is struck out only in part. */
export const formsOf = (secrets: readonly string[]): string[] => {
  const forms = new Set<string>()
  for (const secret of secrets.map(text => text.trim()).filter(text => text.length >= shortest)) {
    const lines = secret.split('\n').map(line => line.trim())
    for (const form of [secret, ...(lines.length > 1 ? lines.filter(line => line.length >= longLine) : [])]) {
      forms.add(form)
      forms.add(encodeURIComponent(form.toWellFormed()))
      // Whatever stands before it in the encoded text moves it by up to two characters; then its inner part is still the same.
      forms.add(Buffer.from(form).toString('base64').replace(/=+$/, ''))
    }
  }
  return [...forms].filter(form => form.length >= shortest).sort((a, b) => b.length - a.length)
}

/** An argument that was cut off may end with the beginning of a secret. */
const withoutBeginning = (text: string, forms: readonly string[]): string => {
  for (const form of forms) {
    for (let length = Math.min(form.length - 1, text.length); length >= shortest; length--) {
      if (text.endsWith(form.slice(0, length))) return `${text.slice(0, -length)}${struckOut}`
    }
  }
  return text
}

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

/** curl -u user:password. */
const withoutLogin = (argument: string): string => {
  const colon = argument.indexOf(':')
  return colon <= 0 ? argument : `${argument.slice(0, colon)}:${struckOut}`
}
const takesLogin = /(^|\/)(curl|wget|http|https)$/

const cleanArguments = (args: readonly string[], truncated: boolean, forms: readonly string[]): string[] => {
  const login = takesLogin.test(args[0] ?? '')
  return args.map((argument, index) => {
    const before = args[index - 1]
    if (index > 1 && before !== undefined && announces(before) && !argument.startsWith('-')) return struckOut
    if (index > 1 && login && (before === '-u' || before === '--user')) return withoutLogin(argument)
    const exact = strike(argument, forms)
    const whole = truncated && index === args.length - 1 ? withoutBeginning(exact, forms) : exact
    return withoutLookalikes(whole)
  })
}

const strike = (text: string, forms: readonly string[]): string => {
  let clean = text
  for (const form of forms) if (clean.includes(form)) clean = clean.replaceAll(form, struckOut)
  return clean
}

const texts = ['exe', 'path', 'target', 'directory', 'cwd', 'detail', 'name', 'parentName'] as const

const cleanSocket = (socket: SocketFacts, forms: readonly string[]): SocketFacts => ({
  ...socket,
  ...(socket.localAddress === undefined ? {} : { localAddress: strike(socket.localAddress, forms) }),
  ...(socket.remoteAddress === undefined ? {} : { remoteAddress: strike(socket.remoteAddress, forms) }),
})

/** A function that gives the event without them: the same object where there is nothing to strike out. */
export const createRedactor = (secrets: readonly string[]): ((event: SensedEvent) => SensedEvent) => {
  const forms = formsOf(secrets)
  return event => {
    if (event.args === undefined && forms.length === 0) return event
    const clean: { -readonly [K in keyof SensedEvent]: SensedEvent[K] } = { ...event }
    if (event.args !== undefined) clean.args = cleanArguments(event.args, event.flags?.includes('truncated') === true, forms)
    if (forms.length === 0) return clean
    for (const key of texts) {
      const text = event[key]
      if (text !== undefined) clean[key] = strike(text, forms)
    }
    if (event.socket?.family === 'unix') clean.socket = cleanSocket(event.socket, forms)
    return clean
  }
}
