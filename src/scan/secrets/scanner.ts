/** Looks for secrets: in files, large and binary ones too, and in fields. Bounded in time, memory and findings whatever it is shown. */
import { createHash } from 'node:crypto'
import type { Content } from '../catalogue.ts'
import { compileOwnRule } from './compile.ts'
import { decodedValue, encodedKeywords, encodedValues } from './encoded.ts'
import type { Named } from './fields.ts'
import { declaredSecrets, isDeclaring, namedSecrets } from './fields.ts'
import type { FoundSecrets, Sighting } from './findings.ts'
import { findingsOf } from './findings.ts'
import type { GitleaksRules } from './gitleaks.ts'
import { createKeywordAutomaton } from './keywords.ts'
import type { Hit, Part } from './match.ts'
import { matchesOf, mostOfFile, mostOfRule, withoutRepeats } from './match.ts'
import type { Rule } from './rule.ts'
import { anyConcerns, concerns, isAllowed } from './rule.ts'
import { ownRules } from './rules/own.ts'
import type { Piece, Span } from './windows.ts'
import { createSpans, longestPiece, piecesOf } from './windows.ts'

/** Where a keyword was seen: its index in `keywords`, and the offset of the byte after its last one. */
export interface KeywordHit {
  readonly keyword: number
  readonly end: number
}

export interface SecretFile {
  /** Without a leading slash. */
  readonly path: string
  readonly bytes: Buffer
  /** Where an earlier pass has seen keywords, all of them, in any order. Searched for when not given. */
  readonly hits?: readonly KeywordHit[]
}

export interface SecretRules {
  /** `sha256:…` of all that decides what is found, the salt excepted. */
  readonly version: string
  /** In lower case, to be found in either: in every text that a rule with keywords matches there is one. */
  readonly keywords: readonly string[]
  readonly count: number
  /** What of the users' rules cannot be honoured, each a sentence. */
  readonly warnings: readonly string[]
  /** Whether the file must be given to `find` even if no keyword is in it: files of credentials and configuration, or a user's rule without keywords. */
  wants(path: string): boolean
  /** Whether any rule cares about these keywords in this file. If not, it need not be read. */
  matters(path: string, keywords: Iterable<number>): boolean
  find(file: SecretFile): FoundSecrets
  /** As `find`, of a file of any size, of which it holds 4 MiB at most. Rejects by the signal, or as `content` does. */
  findInContent(path: string, content: Content, hits: readonly KeywordHit[] | undefined, signal: AbortSignal): Promise<FoundSecrets>
  /** What is wrong with a file for its path alone: users' rules without a pattern. */
  findInPath(path: string): FoundSecrets
  /** Secrets in values by the path of their field, e.g. `env.TOKEN`, `history[3]`: by format and, where the field or the text names it, by name. */
  findInFields(fields: Readonly<Record<string, string>>): FoundSecrets
}

export interface SecretOptions {
  /** Of this installation, for the hashes: 16 random bytes or more. */
  readonly salt: Uint8Array
  readonly gitleaks?: readonly GitleaksRules[]
}

const wholeContent = 4 * 1024 * 1024
const chunk = 1024 * 1024
/** Bytes that are matched in one file, summed over rules: a file full of keywords would cost each rule its whole length. */
const mostWork = 1024 * 1024 * 1024
/** Fields, and bytes of one, that are looked at. */
const mostFields = 10_000
const longestField = 256 * 1024

const rulesOf = (gitleaks: readonly GitleaksRules[]): Rule[] => {
  const disabled = new Set(gitleaks.flatMap(file => file.disabledRules))
  const lists = gitleaks.filter(file => file.extendsDefault).flatMap(file => file.allowLists)
  const own = ownRules
    .filter(rule => !disabled.has(rule.id))
    .map(compileOwnRule)
    .map(rule => {
      const allowed = lists.filter(list => list.rules === undefined || list.rules.has(rule.id))
      if (allowed.length === 0) return rule
      const judge: Rule['judge'] = found => (allowed.some(({ list }) => isAllowed(list, found)) ? undefined : rule.judge(found))
      return { ...rule, judge, definition: { rule: rule.definition, allow: allowed.map(list => list.definition) } }
    })
  return [...own, ...gitleaks.flatMap(file => file.rules)]
}

const newlines = (bytes: Buffer, until: number): number => {
  let count = 0
  for (let at = bytes.indexOf(10); at >= 0 && at < until; at = bytes.indexOf(10, at + 1)) count++
  return count
}

const isBinary = (bytes: Buffer): boolean => bytes.subarray(0, 8192).includes(0)

export const createSecretRules = (options: SecretOptions): SecretRules => {
  const gitleaks = options.gitleaks ?? []
  const rules = rulesOf(gitleaks)
  const rank = new Map(rules.map((rule, index) => [rule, index]))
  const order = (rule: Rule): number => rank.get(rule) ?? 0

  const byKeyword = new Map<string, Rule[]>()
  for (const rule of rules)
    for (const keyword of rule.pattern === undefined ? [] : rule.keywords) byKeyword.set(keyword, [...(byKeyword.get(keyword) ?? []), rule])
  for (const keyword of encodedKeywords) byKeyword.set(keyword, byKeyword.get(keyword) ?? [])
  const keywords = [...byKeyword.keys()]
  const rulesByKeyword = [...byKeyword.values()]
  const encoded = new Set(encodedKeywords.map(keyword => keywords.indexOf(keyword)))
  const automaton = createKeywordAutomaton(keywords)
  const unprompted = rules.filter(rule => rule.keywords.length === 0 && rule.pattern !== undefined)
  const ofPaths = rules.filter(rule => rule.pattern === undefined)

  const keywordsIn = (bytes: Uint8Array): Set<number> => {
    const seen = new Set<number>()
    automaton.search().push(bytes, keyword => seen.add(keyword))
    return seen
  }

  const rulesFor = (path: string | undefined, seen: Iterable<number>): Rule[] => {
    const chosen = new Set<Rule>()
    for (const keyword of seen) for (const rule of rulesByKeyword[keyword] ?? []) chosen.add(rule)
    for (const rule of unprompted) chosen.add(rule)
    return [...chosen].filter(rule => concerns(rule, path)).toSorted((left, right) => order(left) - order(right))
  }

  const sightingOf = (hit: Hit, place: Sighting['place']): Sighting => ({
    ...{ id: hit.rule.id, title: hit.rule.title, remedy: hit.rule.remedy, severity: hit.severity, secret: hit.secret, place },
  })

  /** What is found in one file, part by part, with its limits. */
  const collect = (path: string | undefined, where: string) => {
    const hits: Hit[] = []
    const counts = new Map<Rule, number>()
    const problems = new Set<string>()
    const problem = (text: string) => void problems.add(`${where}: ${text}`)
    const take = (hit: Hit): boolean => {
      const count = (counts.get(hit.rule) ?? 0) + 1
      counts.set(hit.rule, count)
      if (count > mostOfRule || hits.length >= mostOfFile) return false
      hits.push({ ...hit, secret: Buffer.from(hit.secret) })
      return true
    }
    let work = 0
    const scan = (part: Part, seen: Set<number>): void => {
      for (const rule of rulesFor(path, seen)) {
        if ((counts.get(rule) ?? 0) > mostOfRule) continue
        work += part.bytes.length
        if (work > mostWork) {
          problem('it has keywords of too many rules; its rest was not searched')
          return
        }
        if (!matchesOf(rule, part, path, take)) problem(`the rule ${rule.id} matches too often; the rest of the file was not searched with it`)
      }
      if (![...encoded].some(keyword => seen.has(keyword))) return
      const [values, complete] = encodedValues(part.bytes)
      if (!complete) problem('it has more values in base64 than are decoded')
      for (const value of values) {
        const start = part.start + value.start
        if (start < part.from || start >= part.to) continue
        for (const found of inText(`data.${value.name}`, value.text, problem)) take({ ...found, start, end: part.start + value.end })
      }
    }
    return { hits, problems, problem, scan, repeats: () => withoutRepeats(hits, order) }
  }

  const namedRule = (named: Named, path: string | undefined): Rule => ({
    ...{
      id: named.id,
      title: named.title,
      severity: named.severity,
      remedy: 'Give it at run time as a secret, not in the image or its configuration.',
      keywords: [],
      pattern: undefined,
    },
    ...{
      group: 0,
      path: undefined,
      notPath: undefined,
      generic: true,
      own: true,
      inFields: path === undefined,
      mostAttempts: 0,
      judge: () => named.severity,
      definition: undefined,
    },
  })

  const hitsOfNames = (named: readonly Named[], bytes: Buffer): Hit[] =>
    named.map(each => ({
      rule: namedRule(each, undefined),
      severity: each.severity,
      start: each.start,
      end: each.end,
      secret: bytes.subarray(each.start, each.end),
    }))

  /** Secrets in a text of no file, by format and by name. Offsets are the text's. */
  const inText = (field: string, text: string, problem: (text: string) => void): Hit[] => {
    const whole = Buffer.from(text)
    if (whole.length > longestField) problem(`${field} is longer than ${longestField} bytes; its rest was not searched`)
    const bytes = whole.subarray(0, longestField)
    const part: Part = { bytes, start: 0, from: 0, to: bytes.length }
    const hits: Hit[] = []
    for (const rule of rulesFor(undefined, keywordsIn(bytes))) {
      const all = matchesOf(rule, part, undefined, hit => hits.length < mostOfRule && hits.push(hit) > 0)
      if (!all) problem(`the rule ${rule.id} matches too often in ${field}; the rest was not searched with it`)
    }
    const [named, complete] = namedSecrets(field, bytes.toString())
    if (!complete) problem(`${field} names more values than are looked at`)
    return withoutRepeats([...hits, ...hitsOfNames(named, bytes)], order)
  }

  /** The findings of one file: `placeOf` gives line and column of an offset, as far as they are known. */
  const report = (
    path: string,
    hits: readonly Hit[],
    problems: Iterable<string>,
    placeOf: (offset: number) => Partial<Sighting['place']>,
  ): FoundSecrets => {
    return findingsOf(
      hits.map(hit => sightingOf(hit, { path, ...placeOf(hit.start) })),
      options.salt,
      path,
      problems,
    )
  }

  const placesIn = (bytes: Buffer) => {
    // Hits come in rising order.
    let offset = 0
    let line = 1
    return (start: number): Partial<Sighting['place']> => {
      for (let at = bytes.indexOf(10, offset); at >= 0 && at < start; at = bytes.indexOf(10, at + 1)) {
        line++
        offset = at + 1
      }
      return { line, column: start - offset + 1 }
    }
  }

  const spansOf = (hits: readonly KeywordHit[]): Span[] => {
    const spans = createSpans()
    for (const { end } of hits.toSorted((left, right) => left.end - right.end)) spans.add(end)
    return spans.spans
  }

  const partOf = (piece: Piece, bytes: Buffer): Part => ({ bytes, start: piece.start, from: piece.from, to: piece.to })

  const concernsUnprompted = anyConcerns(unprompted)
  const wants = (path: string): boolean => isDeclaring(path) || concernsUnprompted(path)

  const find = ({ path, bytes, hits }: SecretFile): FoundSecrets => {
    const file = collect(path, path)
    const binary = isBinary(bytes)
    if (bytes.length <= longestPiece && !binary) {
      const seen = hits === undefined ? keywordsIn(bytes) : new Set(hits.map(hit => hit.keyword))
      file.scan({ bytes, start: 0, from: 0, to: bytes.length }, seen)
    } else {
      let spans: readonly Span[] = [{ start: 0, end: bytes.length }]
      if (!wants(path)) {
        if (hits !== undefined) spans = spansOf(hits)
        else {
          const seen = createSpans()
          automaton.search().push(bytes, (_keyword, end) => seen.add(end))
          spans = seen.spans
        }
      }
      for (const piece of piecesOf(spans, bytes.length)) {
        const part = bytes.subarray(piece.start, piece.end)
        file.scan(partOf(piece, part), keywordsIn(part))
      }
    }
    if (isDeclaring(path)) {
      const [named, complete] = declaredSecrets(bytes.subarray(0, longestField))
      if (!complete || bytes.length > longestField) file.problem('it declares more than is looked at by name')
      file.hits.push(...hitsOfNames(named, bytes).slice(0, mostOfFile))
    }
    return report(path, file.repeats(), file.problems, binary ? () => ({}) : placesIn(bytes))
  }

  const findInContent: SecretRules['findInContent'] = async (path, content, hits, signal) => {
    signal.throwIfAborted()
    if (content.size <= wholeContent) {
      const bytes = await content.whole(wholeContent)
      return find({ path, bytes, ...(hits === undefined ? {} : { hits }) })
    }
    const lines: number[] = []
    let spans: readonly Span[]
    let text = true
    if (wants(path)) spans = [{ start: 0, end: content.size }]
    else if (hits !== undefined) spans = spansOf(hits)
    else {
      const seen = createSpans()
      const search = automaton.search()
      for (let offset = 0, line = 0; offset < content.size; offset += chunk) {
        const bytes = await content.read(offset, chunk)
        signal.throwIfAborted()
        if (offset === 0) text = !isBinary(bytes)
        lines.push(line)
        if (text) line += newlines(bytes, bytes.length)
        search.push(bytes, (_keyword, end) => seen.add(end))
        if (bytes.length < chunk) break
      }
      spans = seen.spans
    }
    const file = collect(path, path)
    for (const piece of piecesOf(spans, content.size)) {
      const bytes = await content.read(piece.start, piece.end - piece.start)
      signal.throwIfAborted()
      file.scan(partOf(piece, bytes), keywordsIn(bytes))
    }
    const kept = file.repeats()
    const places = new Map<number, Partial<Sighting['place']>>()
    for (const { start } of text ? kept : []) {
      // Columns of very long lines are not worth a second reading.
      const base = start - (start % chunk)
      const before = lines[base / chunk]
      if (before === undefined) continue
      const bytes = await content.read(base, start - base)
      places.set(start, { line: before + newlines(bytes, bytes.length) + 1 })
    }
    return report(path, kept, file.problems, offset => places.get(offset) ?? {})
  }

  const findInFields: SecretRules['findInFields'] = fields => {
    const problems = new Set<string>()
    const sightings: Sighting[] = []
    const entries = Object.entries(fields)
    if (entries.length > mostFields) problems.add(`there are more than ${mostFields} fields; the others were not searched`)
    for (const [field, value] of entries.slice(0, mostFields)) {
      if (sightings.length >= mostOfFile) {
        problems.add(`there are more than ${mostOfFile} secrets in fields; those after ${field} were not searched for`)
        break
      }
      const problem = (text: string) => void problems.add(text)
      const decoded = decodedValue(value)
      const plain = inText(field, value, problem)
      // By their format only: the name has been judged already.
      const inside = decoded === undefined || plain.some(hit => !hit.rule.generic) ? [] : inText('[0]', decoded, problem)
      for (const hit of [...plain.filter(each => inside.length === 0 || !each.rule.generic), ...inside]) sightings.push(sightingOf(hit, { field }))
    }
    return findingsOf(sightings, options.salt, 'fields', problems)
  }

  const findInPath = (path: string): FoundSecrets => {
    const empty = Buffer.alloc(0)
    const found = ofPaths.filter(rule => concerns(rule, path) && rule.judge({ secret: '', match: '', line: () => '', path }) !== undefined)
    return findingsOf(
      found.map(rule => ({ ...{ id: rule.id, title: rule.title, remedy: rule.remedy, severity: rule.severity, secret: empty, place: { path } } })),
      options.salt,
      path,
    )
  }

  const version = createHash('sha256')
    .update(JSON.stringify(['secret rules 2', encodedKeywords, rules.map(rule => rule.definition)]))
    .digest('hex')
  return {
    ...{ version: `sha256:${version}`, keywords, count: rules.length, warnings: gitleaks.flatMap(file => file.warnings) },
    ...{ wants, find, findInContent, findInPath, findInFields },
    matters: (path, seen) => [...seen].some(keyword => encoded.has(keyword) || (rulesByKeyword[keyword] ?? []).some(rule => concerns(rule, path))),
  }
}
