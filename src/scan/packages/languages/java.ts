/**
 * Java archives: what Maven left in them (also of what was shaded in), else their manifest or name; and the archives within, which are read where they are.
 * Depth, members and unpacked bytes are bounded for each file, and what is beyond is a problem.
 */
import { throwIfAborted } from '../../../base/abort.ts'
import { DayflyError } from '../../../base/errors.ts'
import type { Cataloguer, Content } from '../../catalogue.ts'
import type { Collector } from '../system/collect.ts'
import { collecting, Malformed, printable } from '../system/collect.ts'
import { baseName, languagePackage } from './found.ts'
import type { Coordinates } from './java-names.ts'
import { fromProperties, guess, parseManifest } from './java-names.ts'
import type { Member } from './zip.ts'
import { contentOfBytes, eachMember, readMember, storedMember } from './zip.ts'

/** `.hpi` and `.jpi` are Jenkins's plug-ins, `.nar` NiFi's, `.kar` Karaf's, `.lpkg` Liferay's. */
const endings = ['.jar', '.war', '.ear', '.par', '.sar', '.hpi', '.jpi', '.nar', '.kar', '.lpkg']

const isArchive = (name: string): boolean => {
  const dot = name.length - (name.endsWith('.lpkg') ? 5 : 4)
  return name.charCodeAt(dot) === 46 && endings.includes(name.slice(dot))
}

/** An application archive in an archive in an archive, and what its libraries bring: 4. */
const deepest = 6
const mostArchives = 5_000
const mostProperties = 5_000
/** Bytes that may be in memory at once, unpacked. */
const mostHeld = 96 * 1024 * 1024
/** Bytes that are unpacked in all of one file, and over again in those within. */
const mostUnpacked = 512 * 1024 * 1024
const mostManifest = 8 * 1024 * 1024
const mostPropertiesFile = 64 * 1024

const manifestName = 'META-INF/MANIFEST.MF'

const isProperties = (name: string): boolean => name.endsWith('/pom.properties') && name.startsWith('META-INF/maven/')

const isWanted = (name: string): boolean => isArchive(name) || isProperties(name) || name === manifestName

/** What is left for one file of the image, however its archives are nested. */
interface Budget {
  archives: number
  properties: number
  held: number
  unpacked: number
}

interface Walk {
  readonly path: string
  readonly collector: Collector
  readonly signal: AbortSignal
  readonly budget: Budget
  /** The same library in several archives within is one package. */
  readonly seen: Set<string>
}

const unpack = async (content: Content, member: Member, most: number, budget: Budget): Promise<Buffer> => {
  if (member.size > budget.unpacked) throw new Malformed('is beyond what may be unpacked of one file')
  budget.unpacked -= member.size
  return readMember(content, member, most)
}

const add = ({ seen, collector, path }: Walk, { group, artifact, version }: Coordinates): void => {
  const name = `${group}:${artifact}`
  if (seen.has(`${name} ${version}`)) return
  seen.add(`${name} ${version}`)
  collector.add(languagePackage('maven', name, version, path))
}

/** Says a fault as the problem of the member `inside`, and goes on. */
const attempt = async (walk: Walk, inside: string, work: () => Promise<void>): Promise<void> => {
  try {
    await work()
  } catch (error) {
    throwIfAborted(walk.signal)
    if (error instanceof Malformed) walk.collector.problem(`holds ${inside}, which ${error.message}`)
    else if (error instanceof DayflyError) walk.collector.problem(`holds ${inside}, which cannot be read: ${error.message}`)
    else throw error
  }
}

/** What the archive itself is, beside what was packed into it. Its file's name says whether one of those is it. */
const addSelf = (walk: Walk, stem: string, manifest: ReadonlyMap<string, string>, within: readonly Coordinates[]): void => {
  if (within.some(({ artifact }) => stem.startsWith(artifact) || stem.endsWith(artifact))) return
  const self = guess(stem, manifest)
  // Without anything that was made by Maven, or a version in its name, what the manifest says is of it. Else it may be a renamed one.
  if (self !== undefined && (within.length === 0 || stem !== self.artifact)) add(walk, self)
}

const archive = async (walk: Walk, content: Content, name: string, inside: string, depth: number): Promise<void> => {
  const { signal, budget } = walk
  const members: Member[] = []
  let tooMany = false
  await eachMember(content, signal, isWanted, member => {
    if (isArchive(member.name) ? --budget.archives < 0 : isProperties(member.name) && --budget.properties < 0) tooMany = true
    else members.push(member)
  })
  if (tooMany)
    walk.collector.problem(`${inside ? `holds ${inside}, which ` : ''}has more archives or properties than are read: the rest was left out`)
  const within: Coordinates[] = []
  let manifest: ReadonlyMap<string, string> = new Map()
  for (const member of members) {
    const shown = printable(inside ? `${inside}!${member.name}` : member.name)
    if (isArchive(member.name)) continue
    await attempt(walk, shown, async () => {
      const text = (await unpack(content, member, member.name === manifestName ? mostManifest : mostPropertiesFile, budget)).toString('utf8')
      if (member.name === manifestName) manifest = parseManifest(text)
      else within.push(...[fromProperties(text)].filter(found => found !== undefined))
    })
  }
  for (const found of within) add(walk, found)
  addSelf(walk, baseName(name).replace(/\.[a-z]+$/, ''), manifest, within)
  for (const member of members) {
    if (!isArchive(member.name)) continue
    throwIfAborted(signal)
    const shown = printable(inside ? `${inside}!${member.name}` : member.name)
    await attempt(walk, shown, async () => {
      if (depth >= deepest) throw new Malformed(`is nested deeper than ${deepest} archives`)
      const stored = await storedMember(content, member)
      if (stored !== undefined) return archive(walk, stored, member.name, shown, depth + 1)
      const held = member.size
      if (held > budget.held) throw new Malformed('is larger than may be held of one file')
      budget.held -= held
      try {
        await archive(walk, contentOfBytes(await unpack(content, member, mostHeld, budget)), member.name, shown, depth + 1)
      } finally {
        budget.held += held
      }
    })
  }
}

export const java: Cataloguer = {
  name: 'java',
  wants: ({ kind, path }) => kind === 'file' && isArchive(path),
  read: (entry, content, _distribution, signal) =>
    collecting(entry, signal, collector => {
      const budget = { archives: mostArchives, properties: mostProperties, held: mostHeld, unpacked: mostUnpacked }
      return archive({ path: entry.path, collector, signal, budget, seen: new Set() }, content, entry.path, '', 1)
    }),
}
