/**
 * Which language packages are a distribution's: those whose files its own packages have brought. The distribution mends them without another version, so they
 * are judged as its packages and not a second time.
 *
 * Lists of files are as good as whoever wrote the layer, so one counts for little: it must be there in the end, be of a package that is installed in the end,
 * and speaks of files of its own layer and of those below only. What a layer writes over a listed file without listing it itself is nobody's, also when a later
 * layer copies the list.
 */
import type { Package } from '../model/package.ts'
import type { LayerView } from './covering.ts'
import { isHidden } from './covering.ts'
import type { LayerFacts } from './facts.ts'

export interface OwningLayer {
  readonly facts: Pick<LayerFacts, 'owned'>
  readonly view: LayerView
}

/** A package as one layer has it, with those of its paths that no later layer hides. */
export interface ShownPackage {
  /** Index of the layer. */
  readonly layer: number
  readonly found: Package
}

/** Whether the file that `path` names in that layer was brought by a package of the distribution. */
export type IsOwned = (path: string, layer: number) => boolean

const system: ReadonlySet<Package['type']> = new Set(['deb', 'apk', 'rpm'])

export const isOfDistribution = ({ type }: Package): boolean => system.has(type)

/** Folders that are links on systems that have only one place for programs and libraries, and what to. Lists name files by either. */
const merged: readonly (readonly [link: string, target: string])[] = [
  ...['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'].map(name => [name, `usr/${name}`] as const),
  ['usr/sbin', 'usr/bin'],
]

/** Whether something other than a folder is there in the end. */
const isReplaced = async (path: string, layers: readonly OwningLayer[]): Promise<boolean> => {
  const parts = path.split('/')
  for (const { view } of layers.toReversed()) {
    let covers = view.opaque.has('')
    let found = await view.at(parts[0] ?? '')
    let length = 1
    for (; found === 'folder' && length < parts.length; length++) {
      covers ||= view.opaque.has(parts.slice(0, length).join('/'))
      found = await view.at(parts.slice(0, length + 1).join('/'))
    }
    if (found === 'other') return length === parts.length
    if (found !== 'absent' || covers) return false
  }
  return false
}

/** Gives each path the one name that its file has. */
const canonicalIn = async (layers: readonly OwningLayer[]): Promise<(path: string) => string> => {
  const links: (readonly [prefix: string, target: string])[] = []
  for (const [link, target] of merged) if (await isReplaced(link, layers)) links.push([`${link}/`, `${target}/`])
  return path => links.reduce((name, [prefix, target]) => (name.startsWith(prefix) ? `${target}${name.slice(prefix.length)}` : name), path)
}

interface Claims {
  /** Layers with a list that says so. */
  readonly all: Set<number>
  /** Of those, the highest whose list counts; -1 for none. */
  highest: number
}

/** `layers`: bottom first. `shown`: all packages that are there in the end. */
export const ownership = async (layers: readonly OwningLayer[], shown: readonly ShownPackage[]): Promise<IsOwned> => {
  if (layers.every(({ facts }) => facts.owned.length === 0)) return () => false
  const canonical = await canonicalIn(layers)
  /** By where they are declared, and with their names. */
  const installed = new Set<string>()
  const claims = new Map<string, Claims>()
  for (const { found } of shown) {
    for (const path of found.paths) {
      if (!isOfDistribution(found)) claims.set(canonical(path), { all: new Set(), highest: -1 })
      else installed.add(path).add(`${path}\0${found.name}`)
    }
  }
  for (const [index, { facts }] of layers.entries()) {
    const above = layers.slice(index + 1).map(({ view }) => view)
    const visible = new Map<string, boolean>()
    for (const { list, declaredIn, name, paths } of facts.owned) {
      const claimed = paths.flatMap(path => claims.get(canonical(path)) ?? [])
      if (claimed.length === 0) continue
      const isVisible = visible.get(list) ?? !(await isHidden(list, above))
      visible.set(list, isVisible)
      const counts = isVisible && installed.has(name === undefined ? declaredIn : `${declaredIn}\0${name}`)
      for (const claim of claimed) {
        claim.all.add(index)
        if (counts) claim.highest = index
      }
    }
  }
  return (path, layer) => {
    const claim = claims.get(canonical(path))
    if (claim === undefined || claim.highest < layer) return false
    if (claim.all.has(layer)) return true
    for (const index of claim.all) if (index < layer) return false
    return true
  }
}

/** What of a package is nobody's but its own; undefined where that is nothing. */
export const unowned = ({ layer, found }: ShownPackage, isOwned: IsOwned): Package | undefined => {
  if (isOfDistribution(found) || found.paths.length === 0) return found
  const paths = found.paths.filter(path => !isOwned(path, layer))
  return paths.length === 0 ? undefined : paths.length === found.paths.length ? found : { ...found, paths }
}
