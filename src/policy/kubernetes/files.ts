/** Policy files: YAML (or JSON) with several documents, each with its place for whoever has to correct it. */
import type { Document, DocumentOptions, Node, ParsedNode, ParseOptions, SchemaOptions } from 'yaml'
import { isCollection, isMap, isNode, isScalar, LineCounter, parseAllDocuments, visit } from 'yaml'
import { DayflyError } from '../../base/errors.ts'
import { isNestedDeeper } from '../../base/yaml-nesting.ts'

/** Characters of one file, and what its aliases may expand to. */
const longest = 4 * 1024 * 1024
const mostAliases = 1000
/** Levels of brackets and braces. */
const deepest = 200

type Reading = ParseOptions & DocumentOptions & SchemaOptions

const asWritten: Reading = { version: '1.2', uniqueKeys: false, stringKeys: true }

/**
 * As Kubernetes reads YAML, which is 1.1: `yes` is true, `0_0` is a number, `<<` merges. Read otherwise, `privileged: yes` would be a text here that no rule
 * is about, and a privileged container there. What its parser leaves as text (times, sexagesimal numbers) stays text.
 */
export const asKubernetes: Reading = {
  version: '1.1',
  uniqueKeys: false,
  stringKeys: true,
  customTags: tags =>
    tags.filter(
      tag => typeof tag === 'string' || !(('format' in tag && tag.format === 'TIME') || /:(timestamp|binary|omap|pairs|set)$/.test(tag.tag)),
    ),
}

export interface PolicyFile {
  /** As the user knows it: it stands before each fault. */
  readonly path: string
  readonly text: string
}

export interface PolicyDocument {
  readonly file: string
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  /** Plain JSON. */
  readonly value: Readonly<Record<string, unknown>>
  /** Where a field of it is: line and column from 1. The nearest part that exists, when it does not. */
  place(path: readonly PropertyKey[], key?: string): { readonly line: number; readonly column: number }
  /** The line that an offset in a text of it is on. */
  lineWithin(path: readonly PropertyKey[], text: string, offset: number): number
}

const invalid = (file: string, line: number, column: number, message: string, remedy = 'Correct the file.'): DayflyError =>
  new DayflyError('invalid', `${file}:${line}:${column}: ${message}`, { field: file, remedy })

/** The part of the document there, or the nearest one around it. */
const nodeAt = (document: Document, path: readonly PropertyKey[]): Node | undefined => {
  let node: unknown = document.contents
  for (const [at] of path.entries()) {
    const next: unknown = isCollection(node) ? document.getIn(path.slice(0, at + 1), true) : undefined
    if (!isNode(next)) break
    node = next
  }
  return isNode(node) ? node : undefined
}

const keyIn = (node: Node | undefined, key: string): Node | undefined => {
  if (!isMap(node)) return undefined
  for (const pair of node.items) if (isScalar(pair.key) && pair.key.value === key) return pair.key
  return undefined
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value)

const documentOf = (file: string, document: Document, lines: LineCounter, prefix: readonly PropertyKey[], value: unknown): PolicyDocument[] => {
  const place: PolicyDocument['place'] = (path, key) => {
    const node = nodeAt(document, [...prefix, ...path])
    const at = (key === undefined ? undefined : keyIn(node, key)) ?? node ?? document.contents
    const { line, col } = lines.linePos(at?.range?.[0] ?? 0)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }
  const { line, column } = place([])
  if (!isRecord(value)) throw invalid(file, line, column, 'an object with apiVersion, kind and metadata is expected')
  const { apiVersion, kind, metadata, items } = value
  if (typeof apiVersion !== 'string' || apiVersion === '') throw invalid(file, line, column, 'apiVersion is missing')
  if (typeof kind !== 'string' || kind === '') throw invalid(file, line, column, 'kind is missing')
  if (apiVersion === 'v1' && kind === 'List' && Array.isArray(items)) {
    return items.flatMap((item, at) => documentOf(file, document, lines, [...prefix, 'items', at], item))
  }
  const name = isRecord(metadata) && typeof metadata['name'] === 'string' ? metadata['name'] : ''
  const lineWithin: PolicyDocument['lineWithin'] = (path, text, offset) => {
    const node = nodeAt(document, [...prefix, ...path])
    const start = place(path).line
    const before = text.slice(0, offset).split('\n').length - 1
    const block = isScalar(node) && (node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED')
    return start + before + (block ? 1 : 0)
  }
  return [{ file, apiVersion, kind, name, value, place, lineWithin }]
}

/** The second of two keys that are the same. The parser's own check compares each with each: of a long list of keys it never returns. */
const repeatedKey = (document: Document): Node | undefined => {
  let repeated: Node | undefined
  visit(document, {
    Map: (_, { items }) => {
      const seen = new Set<string>()
      for (const { key } of items) {
        if (!isScalar(key) || key.value === '<<') continue
        const name = String(key.value)
        if (seen.has(name)) {
          repeated = key
          return visit.BREAK
        }
        seen.add(name)
      }
      return undefined
    },
  })
  return repeated
}

/** All documents of one file. Throws `invalid` with the place of the fault. */
export const readDocuments = ({ path, text }: PolicyFile, reading: Reading = asWritten): PolicyDocument[] => {
  if (text.length > longest) throw invalid(path, 1, 1, `the file is longer than ${longest} characters`)
  if (isNestedDeeper(text, deepest)) throw invalid(path, 1, 1, 'it is nested too deeply')
  const lines = new LineCounter()
  let documents: Document<ParsedNode>[]
  try {
    documents = [...parseAllDocuments(text, { ...reading, lineCounter: lines })]
  } catch (error) {
    // A text of brackets within brackets ends the parser's stack.
    throw invalid(path, 1, 1, `it is no YAML: ${error instanceof RangeError ? 'nested too deeply' : String(error)}`)
  }
  return documents.flatMap(document => {
    const [fault] = document.errors
    if (fault) {
      const { line, col } = lines.linePos(fault.pos[0])
      const [what = 'it is no YAML'] = fault.message.split('\n')
      throw invalid(path, line, col, what.startsWith('Maximum call stack') ? 'it is nested too deeply' : what)
    }
    if (document.contents === null) return []
    const repeated = repeatedKey(document)
    if (repeated) {
      const { line, col } = lines.linePos(repeated.range?.[0] ?? 0)
      throw invalid(path, line, col, 'Map keys must be unique')
    }
    let value: unknown
    try {
      value = document.toJS({ maxAliasCount: mostAliases })
    } catch (error) {
      throw invalid(
        path,
        1,
        1,
        error instanceof RangeError ? 'it is nested too deeply' : `it cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      )
    }
    return value === null ? [] : documentOf(path, document, lines, [], value)
  })
}
