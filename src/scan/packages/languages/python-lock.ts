/**
 * What Python's managers have locked: poetry.lock, uv.lock, pdm.lock, pylock.toml and Pipfile.lock. What is only in groups for development is left out where the
 * lock says so (uv's does not); the project itself is no package.
 */
import type { Cataloguer } from '../../catalogue.ts'
import type { Collector } from '../system/collect.ts'
import { collecting } from '../system/collect.ts'
import { baseName, isForeign, languagePackage } from './found.ts'
import type { JsonObject } from './json.ts'
import { listOf, memberOf, objectOf, readJson, textOf } from './json.ts'
import { readTables } from './toml.ts'

/** The file, and how it calls its list. */
const lists: ReadonlyMap<string, string> = new Map([
  ['poetry.lock', 'package'],
  ['uv.lock', 'package'],
  ['pdm.lock', 'package'],
  ['pylock.toml', 'packages'],
])
const pipfile = 'Pipfile.lock'

/** Poetry and PDM call what is not for development so. */
const shipped: ReadonlySet<unknown> = new Set(['main', 'default'])

const isDevelopment = (table: JsonObject): boolean => {
  const groups = listOf(memberOf(table, 'groups'))
  return textOf(table, 'category') === 'dev' || (groups.length > 0 && !groups.some(group => shipped.has(group)))
}

/** uv lists the project and its members, by where they are. */
const isOwn = (table: JsonObject): boolean =>
  ['virtual', 'editable', 'directory'].some(kind => memberOf(memberOf(table, 'source'), kind) !== undefined)

const addTables = (tables: readonly JsonObject[], path: string, collector: Collector): void => {
  for (const table of tables) {
    if (isDevelopment(table) || isOwn(table)) continue
    const [name, version] = [textOf(table, 'name'), textOf(table, 'version')]
    // pylock.toml and uv.lock may leave it out for what is built from sources.
    if (name && version) collector.add(languagePackage('pypi', name, version, path))
    else collector.problem(`has a package without a ${name ? 'version' : 'name'}`)
  }
}

const addPipfile = (lock: unknown, path: string, collector: Collector): void => {
  for (const [name, entry] of Object.entries(objectOf(memberOf(lock, 'default')))) {
    const version = textOf(entry, 'version')
    if (version?.startsWith('==')) collector.add(languagePackage('pypi', name, version.replace(/^={2,3}/, '').trim(), path))
  }
}

export const pythonLock: Cataloguer = {
  name: 'python-lock',
  wants: ({ kind, path }) => {
    if (kind !== 'file' || !(path.endsWith('.lock') || path.endsWith('pylock.toml'))) return false
    const name = baseName(path)
    return (name === pipfile || lists.has(name)) && !isForeign(path)
  },
  read: (entry, content, _distribution, signal) =>
    collecting(entry, signal, async collector => {
      const list = lists.get(baseName(entry.path))
      if (list === undefined) addPipfile(await readJson(content), entry.path, collector)
      else addTables(await readTables(content, list), entry.path, collector)
    }),
}
