/** The secret rules as the scan of a layer or folder uses them, and how they get into the scanning process. */
import { z } from 'zod'
import type { Content } from './catalogue.ts'
import { longestKeyword, mostKeywords, shortestKeyword } from './keyword-filter.ts'
import type { FoundSecrets } from './secrets/findings.ts'
import type { GitleaksRules } from './secrets/gitleaks.ts'
import { parseGitleaks } from './secrets/gitleaks.ts'
import type { KeywordHit } from './secrets/scanner.ts'
import { createSecretRules } from './secrets/scanner.ts'
import type { Seen } from './seen.ts'

/** What findings depend on: the salt of their hashes, and users' rules. */
export interface SecretSettings {
  /** 16 random bytes or more. */
  readonly salt: Uint8Array
  /** Users' rules as text, for a process that cannot read their files. */
  readonly gitleaks?: readonly RuleFile[]
}

/** A file of gitleaks' rules, with those that it extends by the path it names them by. */
export interface RuleFile {
  readonly name: string
  readonly text: string
  readonly extended?: Readonly<Record<string, string>>
}

/** A file that is being looked at: its name and what keywords it holds. */
export type Suspect = Pick<Seen, 'path' | 'keywords' | 'hits' | 'more'>

export interface SecretSearch {
  /** `sha256:…` of all that decides what is found. */
  readonly version: string
  /** What a pass over a file is to look for: in lower case, 3 to 64 bytes each, none of them NUL. */
  readonly keywords: readonly string[]
  /** Whether the file is to be given to `find`. */
  wants(suspect: Suspect): boolean
  /** Rejects by the signal, or as `content` does. */
  find(suspect: Suspect, content: Content, signal: AbortSignal): Promise<FoundSecrets>
  /** What is wrong with a file for its path alone. */
  judge(path: string): FoundSecrets
  /** In what is no file, by the path of its field. */
  inFields(fields: Readonly<Record<string, string>>): FoundSecrets
}

/** What a pass can look for. Users' rules may have others: every file is searched for those when it is read. */
const canPass = (keyword: string): boolean => {
  const length = Buffer.byteLength(keyword)
  return length >= shortestKeyword && length <= longestKeyword && !/[\0A-Z]/.test(keyword)
}

/** As `dayfly-unpack --scan` reads it. */
export const keywordList = (keywords: readonly string[]): string => keywords.map(keyword => `${keyword}\0`).join('')

/** Bytes of all keywords together: the unpacker refuses more than 65,535. */
const mostKeywordBytes = 60_000

/** Places of the keywords that a pass can look for. */
const passingOf = (keywords: readonly string[]): number[] => {
  let bytes = 0
  const passing = [...keywords.keys()].filter(index => {
    const keyword = keywords[index] ?? ''
    if (!canPass(keyword) || bytes + Buffer.byteLength(keyword) > mostKeywordBytes) return false
    bytes += Buffer.byteLength(keyword)
    return true
  })
  return passing.slice(0, mostKeywords)
}

const parseFile = ({ name, text, extended = {} }: RuleFile): GitleaksRules =>
  parseGitleaks({ name, text, read: path => (Object.hasOwn(extended, path) ? extended[path] : undefined) })

/** `gitleaks`: users' rules that are parsed already. What of users' rules a pass cannot look for makes it read every file. Throws `invalid` for faulty ones. */
export const openSecretSearch = (settings: SecretSettings, gitleaks: readonly GitleaksRules[] = []): SecretSearch => {
  const rules = createSecretRules({ salt: settings.salt, gitleaks: [...(settings.gitleaks ?? []).map(parseFile), ...gitleaks] })
  const passing = passingOf(rules.keywords)
  const keywords = passing.map(index => rules.keywords[index] ?? '')
  const lengths = keywords.map(keyword => Buffer.byteLength(keyword))
  const others = passing.length < rules.keywords.length
  const idsOf = (found: readonly number[]): number[] => found.map(index => passing[index] ?? -1)

  /** Undefined where not all are known: then the file is searched once more. */
  const hitsOf = ({ hits, more }: Suspect): KeywordHit[] | undefined => {
    if (more || others) return undefined
    if (hits === '') return []
    return hits.split(',').map(text => {
      const at = text.indexOf('@')
      const index = Number(text.slice(0, at))
      return { keyword: passing[index] ?? -1, end: Number(text.slice(at + 1)) + (lengths[index] ?? 0) }
    })
  }
  return {
    version: rules.version,
    keywords,
    wants: ({ path, keywords: found }) => others || rules.wants(path) || (found.length > 0 && rules.matters(path, idsOf(found))),
    find: (suspect, content, signal) => rules.findInContent(suspect.path, content, hitsOf(suspect), signal),
    judge: rules.findInPath,
    inFields: rules.findInFields,
  }
}

const Settings = z.object({
  salt: z.base64(),
  gitleaks: z.array(z.object({ name: z.string(), text: z.string(), extended: z.record(z.string(), z.string()).exactOptional() })),
})

export const writeSettings = ({ salt, gitleaks = [] }: SecretSettings): string =>
  JSON.stringify({ salt: Buffer.from(salt).toString('base64'), gitleaks })

/** Throws for what `writeSettings` has not written. */
export const readSettings = (text: string): SecretSettings => {
  const { salt, gitleaks } = Settings.parse(JSON.parse(text))
  return { salt: Buffer.from(salt, 'base64'), gitleaks }
}
