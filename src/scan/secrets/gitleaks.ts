/** Users' own rules in gitleaks' TOML, as they are. What Dayfly cannot honour is a warning; what gitleaks would refuse is an error. */
import RE2 from 're2'
import { parse } from 'smol-toml'
import { entropyOf } from './entropy.ts'
import type { GitleaksAllowList } from './gitleaks-allow.ts'
import { compileGo, readAllowLists } from './gitleaks-allow.ts'
import type { Table } from './gitleaks-table.ts'
import { fault, isTable, readTable } from './gitleaks-table.ts'
import { requiredLiteral } from './literal.ts'
import type { Match, Rule } from './rule.ts'
import { isAllowed } from './rule.ts'

export interface GitleaksRules {
  readonly rules: readonly Rule[]
  /** `[extend] useDefault`: Dayfly's own rules stand for gitleaks' default ones, and these allow-lists are for them, too. */
  readonly extendsDefault: boolean
  readonly allowLists: readonly GitleaksAllowList[]
  /** Ids of rules, Dayfly's own among them, that are not used. */
  readonly disabledRules: readonly string[]
  readonly warnings: readonly string[]
}

export interface GitleaksSource {
  /** Name of the file, for messages. */
  readonly name: string
  readonly text: string
  /** The text of the file that `[extend] path` names, or undefined when there is none. Absent: extending is refused. */
  readonly read?: (path: string) => string | undefined
}

/** A longer file is refused. */
const longest = 4 * 1024 * 1024
const mostRules = 5000
/** As deep as gitleaks follows `[extend]`. */
const deepest = 2
const longestKeyword = 255

/** A rule as it stands, before what it extends is known. */
interface RawRule {
  readonly id: string
  readonly description: string | undefined
  readonly regex: string | undefined
  readonly path: string | undefined
  readonly secretGroup: number | undefined
  readonly entropy: number | undefined
  readonly keywords: readonly string[]
  readonly allowLists: readonly GitleaksAllowList[]
  readonly where: string
  readonly field: string
}

interface RawFile {
  readonly rules: Map<string, RawRule>
  readonly allowLists: readonly GitleaksAllowList[]
  readonly disabled: readonly string[]
  readonly extendsDefault: boolean
}

const parseToml = (text: string, name: string): Table => {
  if (text.length > longest) throw fault(name, name, `the file is longer than ${longest} characters`, 'Split it.')
  try {
    return parse(text)
  } catch (error) {
    throw fault(
      name,
      name,
      `it is no TOML: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`,
      'Correct the file.',
      error,
    )
  }
}

const readRule = (table: Table, index: number, name: string, extending: boolean, warn: (text: string) => void): RawRule => {
  const field = `rules[${index}].`
  const id = readTable(table, `${name}, rule ${index + 1}`, field).text('id') ?? ''
  const where = id === '' ? `${name}, rule ${index + 1}` : `${name}, rule ${id}`
  const reader = readTable(table, where, field)
  if ((reader.text('id') ?? '') === '') throw fault(where, `${field}id`, 'a rule has no id', 'Give it one that no other rule has.')
  const raw: RawRule = {
    ...{ id, description: reader.text('description'), regex: reader.text('regex') || undefined, path: reader.text('path') || undefined },
    ...{ secretGroup: reader.number('secretGroup'), entropy: reader.number('entropy'), keywords: reader.texts('keywords') },
    ...{ allowLists: readAllowLists(reader, table, where, field, warn), where, field },
  }
  if (!extending && raw.regex === undefined && raw.path === undefined) {
    throw fault(where, `${field}regex`, 'the rule has neither regex nor path', 'Give it one of them.')
  }
  reader.texts('tags')
  if (reader.tables('required').length > 0) warn(`${where}: required is not honoured: every match is a finding, whatever is near it`)
  if (reader.flag('skipReport') === true) warn(`${where}: skipReport is not honoured: matches are findings`)
  for (const key of reader.unread(['allowlist', 'allowlists'])) warn(`${where}: ${field}${key} is not known and has no effect`)
  return raw
}

/** What `base` says, where `own` does not. Lists are joined. */
const merged = (own: RawRule, base: RawRule): RawRule => ({
  ...{ id: own.id, description: own.description ?? base.description, regex: own.regex ?? base.regex, path: own.path ?? base.path },
  ...{ secretGroup: own.secretGroup ?? base.secretGroup, entropy: own.entropy ?? base.entropy },
  ...{ keywords: [...base.keywords, ...own.keywords], allowLists: [...base.allowLists, ...own.allowLists], where: own.where, field: own.field },
})

const readFile = (source: GitleaksSource, depth: number, warn: (text: string) => void): RawFile => {
  const { name } = source
  const table = parseToml(source.text, name)
  const reader = readTable(table, name, '')
  const extendTable = Object.entries(table).find(([key]) => key.toLowerCase() === 'extend')?.[1]
  if (extendTable !== undefined && !isTable(extendTable)) throw fault(name, 'extend', 'extend is no table', 'Write [extend].')
  const extend = readTable(extendTable ?? {}, name, 'extend.')
  const path = extend.text('path') || undefined
  const useDefault = extend.flag('useDefault') === true
  const disabled = extend.texts('disabledRules')
  if (extend.text('url')) warn(`${name}: extend.url is not honoured: nothing is fetched`)
  for (const key of extend.unread(['url'])) warn(`${name}: extend.${key} is not known and has no effect`)
  if (path !== undefined && useDefault) throw fault(name, 'extend.path', 'extend has both path and useDefault', 'Keep one of them.')

  const tables = reader.tables('rules')
  if (tables.length > mostRules) throw fault(name, 'rules', `there are ${tables.length} rules`, `Give ${mostRules} at most.`)
  const rules = new Map<string, RawRule>()
  for (const [index, each] of tables.entries()) {
    const rule = readRule(each, index, name, path !== undefined || useDefault, warn)
    if (rules.has(rule.id)) warn(`${rule.where}: there are two rules of this id; the later one counts`)
    rules.set(rule.id, rule)
  }
  if (tables.some(each => Object.keys(each).some(key => key.toLowerCase() === 'tags'))) warn(`${name}: tags of rules are not shown in findings`)
  const allowLists = readAllowLists(reader, table, name, '', warn)
  for (const list of allowLists) {
    for (const id of list.rules ?? []) {
      if (!rules.has(id) && path === undefined && !useDefault)
        throw fault(name, 'allowlists.targetRules', `there is no rule ${id}`, 'Name a rule of this file.')
    }
  }
  for (const key of reader.unread(['title', 'description', 'version', 'minversion', 'extend', 'allowlist', 'allowlists']))
    warn(`${name}: ${key} is not known and has no effect`)

  const base = path === undefined ? undefined : readBase(source, path, depth, warn)
  for (const rule of base?.rules.values() ?? []) {
    if (disabled.includes(rule.id)) continue
    const own = rules.get(rule.id)
    rules.set(rule.id, own === undefined ? rule : merged(own, rule))
  }
  return {
    ...{ rules, allowLists: [...(base?.allowLists ?? []), ...allowLists], disabled: [...(base?.disabled ?? []), ...disabled] },
    extendsDefault: useDefault || base?.extendsDefault === true,
  }
}

const readBase = (source: GitleaksSource, path: string, depth: number, warn: (text: string) => void): RawFile | undefined => {
  if (depth >= deepest) {
    warn(`${source.name}: extend.path ${path} is not followed: files are extended ${deepest} deep`)
    return undefined
  }
  const text = source.read?.(path)
  if (text === undefined || source.read === undefined)
    throw fault(source.name, 'extend.path', `${path} cannot be read`, 'Name a file that is there, or leave it out.')
  return readFile({ name: path, text, read: source.read }, depth + 1, warn)
}

const keywordsOf = (raw: RawRule, warn: (text: string) => void): readonly string[] => {
  const keywords = [...new Set(raw.keywords.map(keyword => keyword.toLowerCase()))]
  if (keywords.includes('')) return []
  for (const keyword of keywords) {
    if (Buffer.byteLength(keyword) > longestKeyword) {
      throw fault(
        raw.where,
        `${raw.field}keywords`,
        `the keyword ${JSON.stringify(keyword.slice(0, 40))}… is longer than ${longestKeyword} bytes`,
        'Shorten it.',
      )
    }
    if (/[^\x20-\x7e\t\n\r]/.test(keyword))
      warn(`${raw.where}: the keyword ${JSON.stringify(keyword)} has letters outside ASCII, which are found in lower case only`)
  }
  if (keywords.length > 0 || raw.regex === undefined) return keywords
  const literal = requiredLiteral(raw.regex)
  if (literal !== undefined) return [literal]
  if (raw.path === undefined)
    warn(`${raw.where}: it has no keywords, and none can be taken from its regex, so every file is read whole for it: give it keywords`)
  return []
}

/** How many groups a pattern has that compiles: an alternative that matches nothing shows them all. */
const groupsOf = (pattern: string): number => (new RE2(`${pattern}|`).exec('')?.length ?? 1) - 1

const compile = (raw: RawRule, lists: readonly GitleaksAllowList[], warn: (text: string) => void): Rule => {
  const pattern = raw.regex === undefined ? undefined : compileGo(raw.regex, raw.where, `${raw.field}regex`, 'gd')
  const path = raw.path === undefined ? undefined : compileGo(raw.path, raw.where, `${raw.field}path`)
  const group = raw.secretGroup ?? 0
  const groups = raw.regex === undefined ? 0 : groupsOf(raw.regex)
  if (!Number.isInteger(group) || group < 0 || group > groups) {
    throw fault(raw.where, `${raw.field}secretGroup`, `secretGroup is ${group}, but the regex has ${groups} groups`, 'Name a group that is there.')
  }
  const allow = [...raw.allowLists, ...lists.filter(list => list.rules === undefined || list.rules.has(raw.id))].map(list => list.list)
  const entropy = raw.entropy ?? 0
  const judge = (found: Match) =>
    (entropy > 0 && entropyOf(found.secret) <= entropy) || allow.some(list => isAllowed(list, found)) ? undefined : 'high'
  return {
    ...{ id: raw.id, title: raw.description || raw.id, severity: 'high', remedy: 'Revoke it at its issuer, and take it out of the files.' },
    keywords: keywordsOf(raw, warn),
    pattern: pattern === undefined ? undefined : () => pattern,
    group: group === 0 ? 'first' : group,
    path: path === undefined ? undefined : () => path,
    ...{ notPath: undefined, generic: false, own: false, inFields: path === undefined && pattern !== undefined, mostAttempts: 500 },
    judge,
    definition: { ...raw, where: undefined, field: undefined, allowLists: [...raw.allowLists, ...lists].map(list => list.definition) },
  }
}

/**
 * Throws `invalid` with the rule, the field and what stands there.
 * Findings of these rules are `high`: gitleaks knows no severities.
 */
export const parseGitleaks = (source: GitleaksSource): GitleaksRules => {
  const warnings: string[] = []
  const warn = (text: string) => void warnings.push(text)
  const file = readFile(source, 0, warn)
  if (file.extendsDefault) warn(`${source.name}: extend.useDefault: Dayfly's own rules stand for gitleaks' default ones; their ids differ`)
  const raw = [...file.rules.values()].filter(rule => !file.disabled.includes(rule.id))
  const rules: Rule[] = []
  for (const each of raw) {
    if (each.regex === undefined && each.path === undefined) {
      warn(`${each.where}: it changes a rule that is not there, and has no regex of its own, so it has no effect`)
    } else rules.push(compile(each, file.allowLists, warn))
  }
  return { rules, extendsDefault: file.extendsDefault, allowLists: file.allowLists, disabledRules: file.disabled, warnings }
}
