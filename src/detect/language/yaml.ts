/** A rule file's YAML as nodes that know their place. Every scalar is text: what `yes` or `010` means is for the reader of the key to say. */
import type { Document, Node as YamlLibraryNode } from 'yaml'
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments, Scalar } from 'yaml'
import { isNestedDeeper } from '../../base/yaml-nesting.ts'
import type { Place, Report } from './diagnostic.ts'
import type { Piece } from './piece.ts'

export interface ScalarNode extends Piece {
  readonly kind: 'scalar'
  readonly place: Place
  /** Nothing, `~` or `null`, without quotes. */
  readonly isNull: boolean
}
export interface SequenceNode {
  readonly kind: 'sequence'
  readonly place: Place
  readonly items: readonly YamlNode[]
}
export interface MappingNode {
  readonly kind: 'mapping'
  readonly place: Place
  readonly entries: ReadonlyMap<string, { readonly place: Place; readonly value: YamlNode }>
}
export type YamlNode = ScalarNode | SequenceNode | MappingNode

/** Characters of a file, brackets within brackets, and nodes of a file with its aliases followed. */
const longest = 4 * 2 ** 20
const deepest = 32
const mostNodes = 500_000

class TooMuch extends Error {}

const isBlank = (character: string | undefined): boolean => character === ' ' || character === '\n' || character === '\t' || character === '\r'

/** For each character of a scalar's value the offset in the source. Folding changes blanks only, so all others are there in the same order. */
const offsetsOf = (source: string, scalar: Scalar, value: string): readonly number[] => {
  const [start = 0, end = source.length] = scalar.range ?? []
  const isBlock = scalar.type === Scalar.BLOCK_FOLDED || scalar.type === Scalar.BLOCK_LITERAL
  const firstLine = isBlock ? source.indexOf('\n', start) : start
  let at = firstLine < 0 ? start : firstLine
  const offsets: number[] = []
  for (const character of value) {
    if (!isBlank(character)) while (at < end - 1 && source[at] !== character[0]) at++
    for (let unit = 0; unit < character.length; unit++) offsets.push(Math.min(at + unit, end))
    if (!isBlank(character)) at += character.length
  }
  return offsets
}

interface Reading {
  readonly file: string
  readonly source: string
  readonly lines: LineCounter
  readonly document: Document
  left: number
}

const placeAt = ({ file, lines }: Pick<Reading, 'file' | 'lines'>, offset: number): Place => {
  const { line, col } = lines.linePos(offset)
  return { file, line: Math.max(1, line), column: Math.max(1, col) }
}

const convertScalar = (reading: Reading, scalar: Scalar, place: Place): ScalarNode => {
  const value = typeof scalar.value === 'string' ? scalar.value : String(scalar.value ?? '')
  let offsets: readonly number[] | undefined
  return {
    kind: 'scalar',
    text: value,
    place,
    isNull: (scalar.type === undefined || scalar.type === Scalar.PLAIN) && ['', '~', 'null', 'Null', 'NULL'].includes(value),
    placeOf: offset => {
      offsets ??= offsetsOf(reading.source, scalar, value)
      const found = offsets[offset] ?? (offsets.at(-1) ?? -1) + 1
      return found === 0 && offsets.length === 0 ? place : placeAt(reading, found)
    },
  }
}

const convert = (reading: Reading, node: unknown, depth: number, fallback: Place): YamlNode => {
  if (--reading.left < 0) throw new TooMuch(`there are more than ${mostNodes} values with all aliases followed`)
  if (depth > deepest) throw new TooMuch(`it is nested deeper than ${deepest}`)
  const range = typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range) ? node.range : undefined
  const place = typeof range?.[0] === 'number' ? placeAt(reading, range[0]) : fallback
  if (isAlias(node)) {
    const target: YamlLibraryNode | undefined = node.resolve(reading.document)
    if (!target) throw new TooMuch(`there is no anchor &${node.source} above`)
    return convert(reading, target, depth + 1, place)
  }
  if (isSeq(node)) return { kind: 'sequence', place, items: node.items.map(item => convert(reading, item, depth + 1, place)) }
  if (isMap(node)) {
    const entries = new Map<string, { place: Place; value: YamlNode }>()
    for (const { key, value } of node.items) {
      const name = convert(reading, key, depth + 1, place)
      if (name.kind !== 'scalar') throw new TooMuch('a key must be a word')
      entries.set(name.text, { place: name.place, value: convert(reading, value, depth + 1, name.place) })
    }
    return { kind: 'mapping', place, entries }
  }
  if (isScalar(node)) return convertScalar(reading, node, place)
  return { kind: 'scalar', text: '', place, isNull: true, placeOf: () => place }
}

/** What the documents of a file hold. All that is no YAML is reported, and the file then has nothing. */
export const readYaml = (file: string, source: string, report: Report): readonly YamlNode[] => {
  const top: Place = { file, line: 1, column: 1 }
  const refuse = (place: Place, message: string): readonly YamlNode[] => {
    report.error('LOAD_ERR_YAML_PARSE', place, message)
    return []
  }
  if (source.length > longest) return refuse(top, `the file is longer than ${longest} characters: divide it`)
  if (isNestedDeeper(source, deepest)) return refuse(top, `brackets are nested deeper than ${deepest}`)
  const lines = new LineCounter()
  const documents = parseAllDocuments(source, { lineCounter: lines, schema: 'failsafe', prettyErrors: false, logLevel: 'silent' })
  if (!Array.isArray(documents)) return []
  const faults = documents.flatMap(({ errors }) => errors)
  for (const { pos, message } of faults) report.error('LOAD_ERR_YAML_PARSE', placeAt({ file, lines }, pos[0]), `it is no YAML: ${message}`)
  if (faults.length > 0) return []
  const nodes: YamlNode[] = []
  for (const document of documents) {
    if (document.contents === null) continue
    try {
      nodes.push(convert({ file, source, lines, document, left: mostNodes }, document.contents, 0, top))
    } catch (error) {
      if (!(error instanceof TooMuch)) throw error
      return refuse(top, error.message)
    }
  }
  return nodes
}
