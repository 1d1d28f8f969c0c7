/** Secrets in a document of fields, YAML or JSON: by format anywhere in its text, and by name in its fields, each with its line. */
import type { Document, Node, ParsedNode } from 'yaml'
import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseAllDocuments } from 'yaml'
import { messageOf } from '../base/errors.ts'
import { isNestedDeeper } from '../base/yaml-nesting.ts'
import type { SecretFinding } from '../model/finding.ts'
import type { FoundSecrets } from './secrets/findings.ts'
import { fieldsOfDocument } from './secrets/sources.ts'

/** What looks: `createSecretRules` makes it. */
export interface DocumentSearch {
  find(file: { readonly path: string; readonly bytes: Buffer }): FoundSecrets
  findInFields(fields: Readonly<Record<string, string>>): FoundSecrets
}

/** What aliases may expand to. */
const mostAliases = 1000
/** Characters of a text whose fields are read, and levels of brackets in it. */
const longest = 4 * 1024 * 1024
const deepest = 200

const followed = (node: unknown, document: Document): unknown => (isAlias(node) ? node.resolve(document) : node)

/** What comes after `key` in a field, where the field begins with it. */
const after = (field: string, key: string): string | undefined => {
  if (!field.startsWith(key)) return undefined
  const rest = field.slice(key.length)
  if (rest === '' || rest.startsWith('[')) return rest
  return rest.startsWith('.') ? rest.slice(1) : undefined
}

/** The node that a field of `fieldsOfDocument` names, or the nearest one around it. */
const nodeOf = (document: Document, from: unknown, field: string): Node | undefined => {
  const node = followed(from, document)
  if (!isNode(node)) return undefined
  if (isMap(node)) {
    for (const { key, value } of node.items) {
      const rest = isScalar(key) ? after(field, String(key.value)) : undefined
      if (rest === undefined) continue
      const inner = rest === '' ? (isNode(value) ? value : undefined) : nodeOf(document, value, rest)
      return inner ?? (isNode(key) ? key : node)
    }
  } else if (isSeq(node)) {
    const index = /^\[(\d+)\]\.?/.exec(field)
    if (index !== null) {
      const rest = field.slice(index[0].length)
      const item = node.items[Number(index[1])]
      return rest === '' ? (isNode(item) ? item : node) : (nodeOf(document, item, rest) ?? node)
    }
    // `NAME=value`, or `{ name: NAME, value: … }`.
    for (const item of node.items) {
      const text = isScalar(item) ? String(item.value) : isMap(item) ? `${String(item.get('name'))}=` : ''
      if (text.startsWith(`${field}=`) && isNode(item)) return item
    }
  }
  return node
}

const readAll = (text: string, lines: LineCounter): Document<ParsedNode>[] => {
  try {
    return [...parseAllDocuments(text, { lineCounter: lines, uniqueKeys: false, logLevel: 'silent' })]
  } catch {
    return [] // Brackets within brackets end the parser's stack; the text is searched all the same.
  }
}

/** `path` as findings are to name it. Never throws for what is in the text. */
export const scanDocument = (path: string, text: string, search: DocumentSearch): FoundSecrets => {
  const problems: string[] = []
  const findings: SecretFinding[] = []
  const lines = new LineCounter()
  const readable = text.length <= longest && !isNestedDeeper(text, deepest)
  if (!readable) problems.push(`${path}: it is too long or nested too deeply: its fields were not searched by name`)
  for (const document of readable ? readAll(text, lines) : []) {
    try {
      const value: unknown = document.toJS({ maxAliasCount: mostAliases })
      const [fields, complete] = fieldsOfDocument(value)
      if (!complete) problems.push(`${path}: it has too many fields, or they are nested too deeply: not all were searched by name`)
      const found = search.findInFields(fields)
      problems.push(...found.problems)
      for (const finding of found.findings) {
        const places = finding.places.map(place => {
          const start = place.field === undefined ? undefined : nodeOf(document, document.contents, place.field)?.range?.[0]
          return { ...place, path, ...(start === undefined ? {} : { line: Math.max(1, lines.linePos(start).line) }) }
        })
        findings.push({ ...finding, places })
      }
    } catch (error) {
      problems.push(`${path}: its fields cannot be read: ${error instanceof RangeError ? 'it is nested too deeply' : messageOf(error)}`)
    }
  }
  const known = new Set(findings.map(({ hash }) => hash))
  const inText = search.find({ path, bytes: Buffer.from(text) })
  return { findings: [...findings, ...inText.findings.filter(({ hash }) => !known.has(hash))], problems: [...problems, ...inText.problems] }
}
