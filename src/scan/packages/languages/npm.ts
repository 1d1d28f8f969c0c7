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

const folderOfAll = 'node_modules/'

/** Where packages keep what their authors work with: what is called a package there is made up, often by the name of a real one, and nobody loads it. */
const unused: ReadonlySet<string> = new Set([
  ...['test', 'tests', '__tests__', 'spec', 'fixture', 'fixtures', '__fixtures__'],
  ...['bench', 'benchmark', 'benchmarks', 'example', 'examples', 'tools'],
])

/** `installed` is where Node looks for a package: `…/node_modules/name/package.json`; `own` is within one. */
const placeOf = (path: string): 'installed' | 'own' | 'unused' => {
  const at = path.lastIndexOf(folderOfAll)
  if (at < 0) return 'own'
  const parts = path.slice(at + folderOfAll.length).split('/')
  const names = parts[0]?.startsWith('@') ? 2 : 1
  if (parts.length === names + 1) return 'installed'
  return parts.slice(names, -1).some(part => unused.has(part)) ? 'unused' : 'own'
}

export const npm: Cataloguer = {
  name: 'npm',
  wants: ({ kind, path }) => kind === 'file' && path.endsWith('package.json') && baseName(path) === 'package.json',
  read: (entry, content, _distribution, signal) =>
    collecting(entry, signal, async collector => {
      const place = placeOf(entry.path)
      if (place === 'unused') return
      let manifest: JsonObject
      try {
        manifest = objectOf(await readJson(content, mostManifest))
      } catch (error) {
        // Elsewhere broken ones are part of somebody's tests, and Node does not read them.
        if (!(error instanceof Malformed) || place === 'installed' || content.size > mostManifest) throw error
        return
      }
      const [name, version] = [textOf(manifest, 'name')?.trim(), textOf(manifest, 'version')?.trim()]
      if (!name || !version) return
      if (isNpmName(name) && isNpmVersion(version)) collector.add(languagePackage('npm', name, version, entry.path, declaredLicenses(manifest)))
      else if (place === 'installed') collector.problem('has a name or a version that npm does not know')
    }),
}
