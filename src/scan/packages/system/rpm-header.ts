/**
 * One package's header as rpm keeps it in its databases: two counts, an index of 16 bytes a tag, and a store that the index points into.
 * All numbers are big-endian. https://rpm-software-management.github.io/rpm/manual/format_header.html
 */
import { Malformed, printable } from './collect.ts'

type Text = 'name' | 'version' | 'release' | 'license' | 'arch' | 'sourceRpm' | 'modularity'
const texts: ReadonlyMap<number, Text> = new Map<number, Text>([
  [1000, 'name'],
  [1001, 'version'],
  [1002, 'release'],
  [1014, 'license'],
  [1022, 'arch'],
  [1044, 'sourceRpm'],
  [5096, 'modularity'],
])
const epochTag = 1003

const int32 = 4
const string = 6
const stringArray = 8
const i18nString = 9

/** As rpm limits it. */
const mostTags = 0xffff
const longestText = 4096

/** What a header says of itself. */
export interface RpmHeader {
  readonly name: string
  readonly version: string
  readonly release: string
  readonly epoch: number | undefined
  readonly license: string | undefined
  readonly arch: string | undefined
  /** File name of the source package. */
  readonly sourceRpm: string | undefined
  /** `name:stream:version:context` of a module. */
  readonly modularity: string | undefined
}

const readText = (store: Buffer, offset: number, tag: number): string => {
  const end = store.indexOf(0, offset)
  if (end < 0 || end - offset > longestText) throw new Malformed(`has a header whose tag ${tag} is no text`)
  return store.toString('utf8', offset, end)
}

/** Throws `Malformed`. Of tags that are there twice the later one counts, as for rpm. */
export const parseRpmHeader = (blob: Buffer): RpmHeader => {
  if (blob.length < 8) throw new Malformed(`has a header of ${blob.length} bytes`)
  const count = blob.readUInt32BE(0)
  const size = blob.readUInt32BE(4)
  const begin = 8 + count * 16
  if (count === 0 || count > mostTags || begin + size !== blob.length) {
    throw new Malformed(`has a header of ${blob.length} bytes that claims ${count} tags and ${size} bytes of values`)
  }
  const store = blob.subarray(begin)
  const found: Partial<Record<Text, string>> = {}
  let epoch: number | undefined
  for (let at = 8; at < begin; at += 16) {
    const tag = blob.readUInt32BE(at)
    const text = texts.get(tag)
    if (!text && tag !== epochTag) continue
    const type = blob.readUInt32BE(at + 4)
    const offset = blob.readInt32BE(at + 8)
    if (offset < 0 || offset >= size || blob.readUInt32BE(at + 12) === 0) throw new Malformed(`has a header whose tag ${tag} lies outside of it`)
    if (text) {
      if (type !== string && type !== stringArray && type !== i18nString) throw new Malformed(`has a header whose tag ${tag} has type ${type}`)
      found[text] = readText(store, offset, tag)
    } else {
      if (type !== int32 || offset + 4 > size) throw new Malformed('has a header whose epoch is no number')
      epoch = store.readUInt32BE(offset)
    }
  }
  const { name, version, release, license, arch, sourceRpm, modularity } = found
  if (!name || !version || !release) throw new Malformed(`has a header without name, version or release${name ? `: ${printable(name, 80)}` : ''}`)
  return { name, version, release, epoch, license, arch, sourceRpm, modularity }
}
