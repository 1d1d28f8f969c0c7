/** Values of a TOML table, each of the type that gitleaks expects: an error names rule, field and what stands there. */
import { DayflyError } from '../../base/errors.ts'

export type Table = Readonly<Record<string, unknown>>

export const isTable = (value: unknown): value is Table =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)

/** What a message shows of a value of a rule file: these files hold patterns, not secrets. */
const shown = (value: unknown): string => (JSON.stringify(value) ?? String(value)).slice(0, 80)

export const fault = (where: string, field: string, message: string, remedy: string, cause?: unknown): DayflyError =>
  new DayflyError('invalid', `${where}: ${message}`, { field, remedy, ...(cause === undefined ? {} : { cause }) })

export interface TableReader {
  text(key: string): string | undefined
  number(key: string): number | undefined
  flag(key: string): boolean | undefined
  texts(key: string): readonly string[]
  tables(key: string): readonly Table[]
  /** Keys that nothing has asked for and that are not in `known`. */
  unread(known: readonly string[]): string[]
}

/** gitleaks reads keys in any case. `where` says in messages what the table is, `path` is what fields begin with. */
export const readTable = (table: Table, where: string, path: string): TableReader => {
  const values = new Map(Object.entries(table).map(([key, value]) => [key.toLowerCase(), { key, value }]))
  const asked = new Set<string>()
  const get = <T>(key: string, is: (value: unknown) => value is T, kind: string): T | undefined => {
    asked.add(key.toLowerCase())
    const found = values.get(key.toLowerCase())
    if (found === undefined) return undefined
    if (is(found.value)) return found.value
    throw fault(where, `${path}${found.key}`, `${found.key} is ${shown(found.value)}, which is not ${kind}`, `Give ${kind}.`)
  }
  const isText = (value: unknown): value is string => typeof value === 'string'
  const isNumber = (value: unknown): value is number | bigint => typeof value === 'bigint' || (typeof value === 'number' && Number.isFinite(value))
  const isFlag = (value: unknown): value is boolean => typeof value === 'boolean'
  const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText)
  const isTables = (value: unknown): value is Table[] => Array.isArray(value) && value.every(isTable)
  return {
    text: key => get(key, isText, 'a text'),
    number: key => {
      const value = get(key, isNumber, 'a number')
      return value === undefined ? undefined : Number(value)
    },
    flag: key => get(key, isFlag, 'true or false'),
    texts: key => get(key, isTexts, 'a list of texts') ?? [],
    tables: key => get(key, isTables, 'a list of tables') ?? [],
    unread: known => [...values.values()].map(({ key }) => key).filter(key => !asked.has(key.toLowerCase()) && !known.includes(key.toLowerCase())),
  }
}
