/** npm's package-lock.json and npm-shrinkwrap.json, versions 1 to 3. Packages for development only are left out: they are not shipped. */
import type { Cataloguer } from '../../catalogue.ts'
import type { Collector } from '../system/collect.ts'
import { collecting, Malformed } from '../system/collect.ts'
import { baseName, isForeign, languagePackage } from './found.ts'
import type { JsonObject } from './json.ts'
import { memberOf, objectOf, readJson, textOf } from './json.ts'
import { isNpmName, isNpmVersion } from './npm.ts'

const names: ReadonlySet<string> = new Set(['package-lock.json', 'npm-shrinkwrap.json'])
const within = 'node_modules/'

const add = (collector: Collector, path: string, name: string, version: string | undefined, license?: string): void => {
  // A package from a folder has no version; of one from a URL or from git it is in `resolved`, and no registry's.
  if (version === undefined || !isNpmVersion(version)) return
  if (isNpmName(name)) collector.add(languagePackage('npm', name, version, path, [license]))
  else collector.problem('has a package whose name npm does not know')
}

/** Versions 2 and 3: by place, `node_modules/a/node_modules/b`. */
const addPlaces = (places: JsonObject, path: string, collector: Collector): void => {
  for (const [place, entry] of Object.entries(places)) {
    const at = place.lastIndexOf(within)
    // Others are the project itself and its workspaces.
    if (at < 0 || memberOf(entry, 'link') === true || memberOf(entry, 'dev') === true) continue
    add(collector, path, textOf(entry, 'name') ?? place.slice(at + within.length), textOf(entry, 'version'), textOf(entry, 'license'))
  }
}

/** Version 1: by name, with those that are installed below it within. */
const addTree = (dependencies: JsonObject, path: string, collector: Collector): void => {
  for (const [name, entry] of Object.entries(dependencies)) {
    if (memberOf(entry, 'dev') === true) continue
    const version = textOf(entry, 'version')
    const alias = version?.startsWith('npm:') ? version.slice('npm:'.length) : undefined
    const at = alias?.lastIndexOf('@') ?? -1
    if (alias !== undefined && at > 0) add(collector, path, alias.slice(0, at), alias.slice(at + 1))
    else add(collector, path, name, version)
    addTree(objectOf(memberOf(entry, 'dependencies')), path, collector)
  }
}

export const npmLock: Cataloguer = {
  name: 'npm-lock',
  wants: ({ kind, path }) => kind === 'file' && path.endsWith('.json') && names.has(baseName(path)) && !isForeign(path),
  read: (entry, content, _distribution, signal) =>
    collecting(entry, signal, async collector => {
      const lock = objectOf(await readJson(content))
      if (memberOf(lock, 'packages') !== undefined) addPlaces(objectOf(lock['packages']), entry.path, collector)
      else if (memberOf(lock, 'lockfileVersion') !== undefined || memberOf(lock, 'dependencies') !== undefined)
        addTree(objectOf(memberOf(lock, 'dependencies')), entry.path, collector)
      else throw new Malformed('is not a lock file of npm')
    }),
}
