/** From what is known of each layer to what is known of the image: bottom first, a later layer's whiteout, opaque folder or rewrite wins. */
import type { MisconfigurationFinding, SecretFinding } from '../model/finding.ts'
import type { Distribution, Package } from '../model/package.ts'
import type { LayerView } from './covering.ts'
import { isHidden } from './covering.ts'
import type { ImageFacts, LayerFacts, RemarkableFile } from './facts.ts'
import { scannerVersion } from './facts.ts'
import type { ImageDescription } from './misconfigurations.ts'
import { misconfigurationsOf } from './misconfigurations.ts'
import type { ShownPackage } from './ownership.ts'
import { ownership, unowned } from './ownership.ts'
import { inDistribution } from './packages/system/purl.ts'
import type { Remarkable } from './remarkable.ts'
import type { FoundSecrets } from './secrets/findings.ts'
import { fieldsOfImage } from './secrets/sources.ts'

export interface ScannedLayer {
  readonly facts: LayerFacts
  readonly view: LayerView
}

export interface Merged extends Remarkable {
  readonly distribution: Distribution | undefined
  readonly packages: readonly Package[]
  readonly secrets: readonly SecretFinding[]
  readonly problems: readonly string[]
}

const shown = async <T>(items: readonly T[], pathOf: (item: T) => string, above: readonly LayerView[]): Promise<T[]> => {
  const kept: T[] = []
  for (const item of items) if (!(await isHidden(pathOf(item), above))) kept.push(item)
  return kept
}

/** The same package declared in several places is one, with all of them. */
const addPackage = (packages: Map<string, Package>, found: Package): void => {
  const before = packages.get(found.purl)
  if (before === undefined) packages.set(found.purl, found)
  else packages.set(found.purl, { ...before, paths: [...new Set([...before.paths, ...found.paths])] })
}

/** The same secret in several layers is one finding, with a place in each: it is hidden where that layer's file is. */
const addSecret = (secrets: Map<string, SecretFinding>, found: SecretFinding): void => {
  const key = `${found.fingerprint} ${found.hash}`
  const before = secrets.get(key)
  secrets.set(key, before === undefined ? found : { ...before, places: [...before.places, ...found.places] })
}

/** `layers`: bottom first, as the manifest lists them. */
export const mergeLayers = async (layers: readonly ScannedLayer[]): Promise<Merged> => {
  const packages = new Map<string, Package>()
  const secrets = new Map<string, SecretFinding>()
  const setuid: RemarkableFile[] = []
  const worldWritable: RemarkableFile[] = []
  const shells = new Set<string>()
  const packageManagers = new Set<string>()
  const problems: string[] = []
  // A layer is looked at without the others: only here it is known which distribution its packages are of.
  const present: ShownPackage[] = []
  const distribution = layers.findLast(({ facts }) => facts.distribution !== undefined)?.facts.distribution
  for (const [index, { facts }] of layers.entries()) {
    const above = layers.slice(index + 1).map(({ view }) => view)
    for (const found of facts.packages) {
      const paths = await shown(found.paths, path => path, above)
      if (paths.length > 0 || found.paths.length === 0) present.push({ layer: index, found: { ...found, paths } })
    }
    for (const found of facts.secrets) {
      const places: SecretFinding['places'] = []
      for (const place of found.places) {
        const hidden = place.path !== undefined && (await isHidden(place.path, above))
        places.push({ ...place, layer: facts.diffId, ...(hidden ? { hidden } : {}) })
      }
      addSecret(secrets, { ...found, places })
    }
    const path = (file: RemarkableFile): string => file.path
    setuid.push(...(await shown(facts.setuid, path, above)))
    worldWritable.push(...(await shown(facts.worldWritable, path, above)))
    for (const shell of await shown(facts.shells, name => name, above)) shells.add(shell)
    for (const manager of await shown(facts.packageManagers, name => name, above)) packageManagers.add(manager)
    for (const problem of facts.problems) problems.push(`layer ${facts.diffId.slice(0, 'sha256:'.length + 12)}: ${problem}`)
  }
  const isOwned = await ownership(layers, present)
  for (const each of present) {
    const found = unowned(each, isOwned)
    if (found !== undefined) addPackage(packages, { ...found, purl: inDistribution(found.purl, distribution) })
  }
  return {
    ...{ distribution, packages: [...packages.values()], secrets: [...secrets.values()], problems },
    ...{ setuid, worldWritable, shells: [...shells].sort(), packageManagers: [...packageManagers].sort() },
  }
}

/** Looks for secrets in what is no file, by the path of its field: `env.TOKEN`, `history[3]`. */
export type FieldSearch = (fields: Readonly<Record<string, string>>) => FoundSecrets

/** Everywhere in an image's configuration that people leave secrets. */
const fieldsOf = ({ config, history }: ImageDescription): Record<string, string> =>
  fieldsOfImage({
    env: Object.entries(config.env).map(([name, value]) => `${name}=${value}`),
    ...{ command: config.cmd, entrypoint: config.entrypoint, labels: config.labels, history },
  })

/** All that is known about an image without judging it. `layers`: every one that its manifest lists, bottom first. */
export const imageFacts = async (
  image: ImageDescription,
  layers: readonly ScannedLayer[],
  secretRules: string,
  search: FieldSearch,
): Promise<ImageFacts> => {
  const merged = await mergeLayers(layers)
  const misconfigurations: MisconfigurationFinding[] = misconfigurationsOf(image, merged)
  const configured = search(fieldsOf(image))
  return {
    ...{ scannerVersion, secretRules, digest: image.digest },
    ...(merged.distribution === undefined ? {} : { distribution: merged.distribution }),
    packages: [...merged.packages],
    secrets: [...merged.secrets, ...configured.findings],
    misconfigurations,
    problems: [...merged.problems, ...configured.problems.map(problem => `configuration: ${problem}`)],
  }
}
