/**
 * YAML text as trees. The package `yaml` reads the syntax; what an unquoted scalar means, merges (`<<`), anchors, and the tags `!reset` and
 * `!override` are resolved here, as docker compose resolves them.
 *
 * A file is somebody's input: its size, depth and the number of nodes that its anchors expand to are bounded.
 */

import type { Document, YAMLMap, YAMLSeq, Node as YamlNode } from 'yaml'
import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseAllDocuments, Scalar as YamlScalar } from 'yaml'
import type { Problems } from './problems.ts'
import { resolvePlain } from './scalars.ts'
import type { Entry, Mapping, Node, Origin, Path, Scalar, Tag } from './tree.ts'

/** Characters of one file. The largest public compose files have some 100 KB. */
export const maximumLength = 4 * 1024 * 1024
/** Mappings and lists within each other. */
export const maximumDepth = 64
/** Nodes of one document once its aliases are expanded. */
export const maximumNodes = 100_000

/** Parsing takes a stack, and time, by depth: a text that opens this many brackets or list items within each other is not even tried. */
const hopelessDepth = 1000

const hopeless = (text: string): boolean => {
  let depth = 0
  for (const character of text) {
    if (character === '[' || character === '{') {
      if (++depth > hopelessDepth) return true
    } else if (character === ']' || character === '}') depth--
  }
  return new RegExp(`(?:[-?] ){${hopelessDepth}}`).test(text)
}

const standardTags: ReadonlySet<string> = new Set(
  ['str', 'int', 'float', 'bool', 'null', 'map', 'seq', 'binary', 'timestamp', 'merge'].map(name => `tag:yaml.org,2002:${name}`),
)

interface Conversion {
  readonly file: string
  readonly lines: LineCounter
  readonly problems: Problems
  readonly anchors: Map<string, Node | undefined>
  /** Nodes that each converted node stands for, itself included. */
  readonly sizes: WeakMap<Node, number>
  failed: boolean
}

const originOf = (conversion: Conversion, node: YamlNode | null | undefined, fallback: Origin): Origin => {
  const start = node?.range?.[0]
  if (start === undefined) return fallback
  const { line, col } = conversion.lines.linePos(start)
  return { file: conversion.file, line, column: col }
}

const fail = (conversion: Conversion, origin: Origin, path: Path, message: string, remedy?: string): undefined => {
  conversion.failed = true
  conversion.problems.error(origin, path, message, remedy === undefined ? {} : { remedy })
}

const nodeOf = (value: unknown): YamlNode | null => (isNode(value) ? value : null)

const tagOf = (conversion: Conversion, node: YamlNode, origin: Origin, path: Path): Tag | undefined => {
  const { tag } = node
  if (tag === undefined || tag === '!' || standardTags.has(tag)) return undefined
  if (tag === '!reset') return 'reset'
  if (tag === '!override') return 'override'
  conversion.problems.warn('ignored', origin, path, `the YAML tag ${tag} has no meaning in a compose file`)
  return undefined
}

const convertScalar = (conversion: Conversion, node: YamlScalar, origin: Origin, path: Path): Scalar => {
  const source = typeof node.value === 'string' ? node.value : String(node.value ?? '')
  const text: Scalar = { kind: 'scalar', value: source, text: source, origin }
  if (node.tag === 'tag:yaml.org,2002:null') return { kind: 'scalar', value: null, text: '', origin }
  if (node.tag === 'tag:yaml.org,2002:binary') {
    const decoded = Buffer.from(source, 'base64').toString()
    return { ...text, value: decoded, text: decoded }
  }
  const typed = node.tag !== undefined && /:(int|float|bool)$/.test(node.tag)
  if (!typed && (node.tag === 'tag:yaml.org,2002:str' || node.tag === '!' || node.type !== YamlScalar.PLAIN)) return text
  if (!typed && /^\d{4}-\d\d?-\d\d?($|[Tt ])/.test(source)) {
    conversion.problems.warn('notice', origin, path, `${source} is taken as text; docker compose reads an unquoted date as a time. Put it in quotes`)
  }
  return { kind: 'scalar', ...resolvePlain(source), origin }
}

const convertSequence = (conversion: Conversion, node: YAMLSeq, origin: Origin, path: Path): Node | undefined => {
  const items = node.items.map((item, index) => convert(conversion, nodeOf(item), origin, [...path, index]))
  return { kind: 'sequence', items: items.filter(item => item !== undefined), origin }
}

/** What a `<<` brings in, the most important first. */
const mergedMappings = (conversion: Conversion, value: Node, path: Path): Mapping[] => {
  const parts = value.kind === 'sequence' ? value.items : [value]
  return parts.flatMap(part => {
    if (part.kind === 'mapping') return [part]
    fail(conversion, part.origin, path, 'only a mapping, or a list of mappings, can be merged with <<')
    return []
  })
}

const convertMapping = (conversion: Conversion, node: YAMLMap, origin: Origin, path: Path): Node | undefined => {
  const entries = new Map<string, Entry>()
  const merges: Mapping[] = []
  // The parser's own check for keys that are there twice takes quadratic time.
  const seen = new Map<string, number>()
  for (const pair of node.items) {
    const keyNode = nodeOf(pair.key)
    const key = originOf(conversion, keyNode, origin)
    const source = isAlias(keyNode) ? convert(conversion, keyNode, key, path) : keyNode
    const name = isScalar(source) ? convertScalar(conversion, source, key, path) : source
    if (name === undefined) continue
    if (name === null || !('kind' in name) || name.kind !== 'scalar' || typeof name.value !== 'string') {
      const shown = isScalar(keyNode) ? `the key ${String(keyNode.value)} is no text in YAML` : 'a key must be text'
      fail(conversion, key, path, shown, 'Put it in quotes.')
      continue
    }
    if (name.value === '__proto__') {
      fail(conversion, key, path, 'a key cannot be called __proto__')
      continue
    }
    const before = seen.get(name.value)
    if (before !== undefined) {
      fail(conversion, key, [...path, name.value], `this key is there twice in one mapping, first in line ${before}`, 'Keep one of the two.')
      continue
    }
    seen.set(name.value, key.line)
    const value = convert(conversion, nodeOf(pair.value), key, [...path, name.value])
    if (value === undefined) continue
    if (name.value === '<<' && isScalar(keyNode) && keyNode.type === YamlScalar.PLAIN) merges.push(...mergedMappings(conversion, value, path))
    else entries.set(name.value, { key, value })
  }
  for (const merged of merges) {
    for (const [name, entry] of merged.entries) if (!entries.has(name)) entries.set(name, entry)
  }
  return { kind: 'mapping', entries, origin }
}

const convertAlias = (conversion: Conversion, name: string, origin: Origin, path: Path): Node | undefined => {
  if (!conversion.anchors.has(name)) return fail(conversion, origin, path, `there is no anchor &${name} before this`)
  const target = conversion.anchors.get(name)
  return target ?? fail(conversion, origin, path, `*${name} stands within the anchor &${name} itself`)
}

const convert = (conversion: Conversion, node: YamlNode | null, around: Origin, path: Path): Node | undefined => {
  const origin = originOf(conversion, node, around)
  if (path.length > maximumDepth) return fail(conversion, origin, [], `nested deeper than ${maximumDepth} levels`)
  if (isAlias(node)) return convertAlias(conversion, node.source, origin, path)
  if (node === null) return { kind: 'scalar', value: null, text: '', origin }
  const anchor = 'anchor' in node ? node.anchor : undefined
  if (anchor !== undefined) conversion.anchors.set(anchor, undefined)
  const converted = isMap(node)
    ? convertMapping(conversion, node, origin, path)
    : isSeq(node)
      ? convertSequence(conversion, node, origin, path)
      : isScalar(node)
        ? convertScalar(conversion, node, origin, path)
        : undefined
  if (converted === undefined) return undefined
  const tag = tagOf(conversion, node, origin, path)
  const tagged = tag === undefined ? converted : { ...converted, tag }
  if (anchor !== undefined) conversion.anchors.set(anchor, tagged)
  const parts = tagged.kind === 'mapping' ? [...tagged.entries.values()].map(entry => entry.value) : tagged.kind === 'sequence' ? tagged.items : []
  const size = parts.reduce((sum, part) => sum + (conversion.sizes.get(part) ?? 1), 1)
  if (size > maximumNodes) return fail(conversion, origin, path, `its anchors expand to more than ${maximumNodes} nodes`)
  conversion.sizes.set(tagged, size)
  return tagged
}

const syntaxErrors = (document: Document.Parsed, file: string, problems: Problems): boolean => {
  for (const error of document.errors) {
    const [start] = error.linePos ?? []
    const origin: Origin = { file, line: start?.line ?? 0, column: start?.col ?? 0 }
    const message = error.message.replace(/ at line \d+, column \d+:[\s\S]*$/, '')
    if (error.code === 'TAB_AS_INDENT') {
      problems.error(origin, [], 'YAML is indented with spaces, and this is a tab', { remedy: 'Replace the tab by spaces.' })
    } else problems.error(origin, [], `this is not YAML: ${message.charAt(0).toLowerCase()}${message.slice(1)}`)
  }
  return document.errors.length > 0
}

/** The documents of a file, empty ones left out. What is wrong with them is told to `problems`, and those are left out too. */
export const parseYaml = (text: string, file: string, problems: Problems): Node[] => {
  const start: Origin = { file, line: 1, column: 1 }
  if (text.length > maximumLength) {
    problems.error(start, [], `the file is longer than ${maximumLength / 1024 / 1024} MiB`)
    return []
  }
  if (hopeless(text)) {
    problems.error(start, [], `nested deeper than ${maximumDepth} levels`)
    return []
  }
  const lines = new LineCounter()
  const parsed = parseAllDocuments(text.replace(/^\uFEFF/, ''), {
    version: '1.2',
    schema: 'failsafe',
    lineCounter: lines,
    logLevel: 'silent',
    prettyErrors: true,
    merge: false,
    uniqueKeys: false,
  })
  const documents: Document.Parsed[] = 'empty' in parsed ? [] : [...parsed]
  return documents.flatMap(document => {
    if (syntaxErrors(document, file, problems) || document.contents === null) return []
    const conversion: Conversion = { file, lines, problems, anchors: new Map(), sizes: new WeakMap(), failed: false }
    const root = convert(conversion, document.contents, start, [])
    if (root === undefined || conversion.failed) return []
    return root.kind === 'scalar' && root.value === null ? [] : [root]
  })
}
