/**
 * Node packages that are there: each has a package.json. That of an application counts too, it is a package as well; one without a name and a version
 * only tells Node how to load what is beside it.
 */
import type { Cataloguer } from '../../catalogue.ts'
import { collecting, isWord, Malformed } from '../system/collect.ts'
import { baseName, languagePackage } from './found.ts'
import type { JsonObject } from './json.ts'
import { listOf, memberOf, objectOf, readJson, textOf } from './json.ts'

/** Bytes. The largest on npm's registry have some hundred kilobytes. */
const mostManifest = 2 * 1024 * 1024

/** `name` or `@scope/name`. */
export const isNpmName = (name: string): boolean => {
  const slash = name.indexOf('/')
  if (!isWord(name)) return false
  return name.startsWith('@') ? slash > 1 && slash < name.length - 1 && !name.includes('/', slash + 1) : slash < 0
}

export const isNpmVersion = (version: string): boolean => isWord(version) && /^v?\d/.test(version)

/** `license` as npm writes it today, or as it used to. */
const declaredLicenses = (manifest: JsonObject): (string | undefined)[] => {
  const one = (value: unknown): string | undefined => (typeof value === 'string' ? value : textOf(value, 'type'))
  return [memberOf(manifest, 'license'), ...listOf(memberOf(manifest, 'licenses'))].map(one)
}

/** Whether Node would look here for a package: `…/node_modules/name/package.json`. Elsewhere in it anything may be called so, such as broken ones in tests. */
const isInstalled = (path: string): boolean => {
  const folder = path.slice(0, -'/package.json'.length)
  const name = folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length)
  return folder.includes('node_modules/') && (name.startsWith('@') ? name.split('/').length === 2 : !name.includes('/'))
}

export const npm: Cataloguer = {
  name: 'npm',
  wants: ({ kind, path }) => kind === 'file' && path.endsWith('package.json') && baseName(path) === 'package.json',
  read: (entry, content, _distribution, signal) =>
    collecting(entry, signal, async collector => {
      let manifest: JsonObject
      try {
        manifest = objectOf(await readJson(content, mostManifest))
      } catch (error) {
        if (!(error instanceof Malformed) || isInstalled(entry.path) || content.size > mostManifest) throw error
        return
      }
      const [name, version] = [textOf(manifest, 'name')?.trim(), textOf(manifest, 'version')?.trim()]
      if (!name || !version) return
      if (isNpmName(name) && isNpmVersion(version)) collector.add(languagePackage('npm', name, version, entry.path, declaredLicenses(manifest)))
      else if (isInstalled(entry.path)) collector.problem('has a name or a version that npm does not know')
    }),
}
