/** Allow-lists of gitleaks: of one rule, or of a whole file. */
import RE2 from 're2'
import type { Table, TableReader } from './gitleaks-table.ts'
import { fault, isTable, readTable } from './gitleaks-table.ts'
import type { AllowList } from './rule.ts'

export interface GitleaksAllowList {
  readonly list: AllowList
  /** Ids of the rules that it is for. undefined: for all of the file. */
  readonly rules: ReadonlySet<string> | undefined
  readonly definition: unknown
}

/** A pattern in the syntax of Go, which is that of RE2 but for `\C`. Throws `invalid` with the part that is not understood. */
export const compileGo = (pattern: string, where: string, field: string, flags = ''): RE2 => {
  try {
    return new RE2(pattern, flags)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw fault(
      where,
      field,
      `the pattern is none of RE2's: ${message}`,
      'Correct the pattern: look-around and back-references are not possible, as in gitleaks, and repetitions go up to 1000.',
      error,
    )
  }
}

const conditionOf = (given: string | undefined, where: string, field: string): boolean => {
  const condition = (given ?? 'OR').toUpperCase()
  if (condition === 'OR' || condition === '||' || condition === '') return false
  if (condition === 'AND' || condition === '&&') return true
  throw fault(where, field, `the condition is ${JSON.stringify(given)}`, 'Write "AND" or "OR".')
}

const targetOf = (given: string | undefined, where: string, field: string): AllowList['target'] => {
  const target = given === undefined || given === '' ? 'secret' : given.toLowerCase()
  if (target === 'secret' || target === 'match' || target === 'line') return target
  throw fault(where, field, `regexTarget is ${JSON.stringify(given)}`, 'Write "secret", "match" or "line".')
}

const readOne = (table: Table, where: string, path: string, warn: (text: string) => void): GitleaksAllowList | undefined => {
  const reader = readTable(table, where, path)
  const all = conditionOf(reader.text('condition'), where, `${path}condition`)
  const target = targetOf(reader.text('regexTarget'), where, `${path}regexTarget`)
  const compile = (key: string) => reader.texts(key).map((pattern, index) => compileGo(pattern, where, `${path}${key}[${index}]`))
  const paths = compile('paths')
  const regexes = compile('regexes')
  const stopwords = reader.texts('stopwords').map(word => word.toLowerCase())
  const commits = reader.texts('commits')
  const rules = reader.texts('targetRules')
  for (const key of reader.unread(['description', 'id'])) warn(`${where}: ${path}${key} is not known and has no effect`)
  if (paths.length + regexes.length + stopwords.length + commits.length === 0) {
    throw fault(where, path.replace(/\.$/, ''), 'an allow-list allows nothing', 'Give it paths, regexes, stopwords or commits, or leave it out.')
  }
  if (commits.length > 0) {
    warn(
      all
        ? `${where}: ${path}commits: an image and a folder have no commits, so this allow-list, which needs one (condition AND), never applies`
        : `${where}: ${path}commits: an image and a folder have no commits, so these allow nothing`,
    )
    if (all || paths.length + regexes.length + stopwords.length === 0) return undefined
  }
  return { list: { all, paths, regexes, target, stopwords }, rules: rules.length === 0 ? undefined : new Set(rules), definition: table }
}

/** `[allowlist]` of old and `[[allowlists]]`; both at once is an error, as it is in gitleaks. */
export const readAllowLists = (reader: TableReader, table: Table, where: string, path: string, warn: (text: string) => void): GitleaksAllowList[] => {
  const single = Object.entries(table).find(([key]) => key.toLowerCase() === 'allowlist')?.[1]
  // `[[rules.allowlist]]` is accepted, too.
  const old = isTable(single) ? [single] : reader.tables('allowlist')
  const lists = reader.tables('allowlists')
  if (old.length > 0 && lists.length > 0) {
    throw fault(where, `${path}allowlist`, 'there are both an allowlist and allowlists', 'Make the allowlist one of [[allowlists]].')
  }
  return [
    ...old.map((each, index) => readOne(each, where, old.length === 1 ? `${path}allowlist.` : `${path}allowlist[${index}].`, warn)),
    ...lists.map((each, index) => readOne(each, where, `${path}allowlists[${index}].`, warn)),
  ].filter(list => list !== undefined)
}
