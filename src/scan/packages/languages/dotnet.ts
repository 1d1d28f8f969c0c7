/** .NET: `*.deps.json`, which stands beside every program and lists what it loads, and packages.lock.json of NuGet. */
import type { Cataloguer } from '../../catalogue.ts'
import { collecting, Malformed } from '../system/collect.ts'
import { baseName, isForeign, languagePackage } from './found.ts'
import { memberOf, objectOf, readJson, textOf } from './json.ts'

/** What a library brings to run time. One with none of them was needed to build, and is not there. */
const assets = ['runtime', 'runtimeTargets', 'native', 'resources'] as const

/** A program that brings the run time with it lists that as such a pack. */
const pack = 'runtimepack.'

const isPackage = (library: unknown): boolean => {
  const type = textOf(library, 'type')?.toLowerCase()
  return type === 'package' || type === 'runtimepack'
}

export const dotnet: Cataloguer = {
  name: 'dotnet',
  wants: ({ kind, path }) => kind === 'file' && path.endsWith('.deps.json'),
  read: (entry, content, _distribution, signal) =>
    collecting(entry, signal, async collector => {
      const document = await readJson(content)
      const libraries = memberOf(document, 'libraries')
      if (libraries === undefined) throw new Malformed("is not .NET's list of dependencies")
      const target = memberOf(memberOf(document, 'targets'), textOf(memberOf(document, 'runtimeTarget'), 'name') ?? '')
      for (const [key, library] of Object.entries(objectOf(libraries))) {
        if (!isPackage(library)) continue
        const used = memberOf(target, key)
        if (used !== undefined && !assets.some(asset => Object.keys(objectOf(memberOf(used, asset))).length > 0)) continue
        const slash = key.indexOf('/')
        const name = key.slice(0, Math.max(slash, 0))
        collector.add(languagePackage('nuget', name.startsWith(pack) ? name.slice(pack.length) : name, key.slice(slash + 1), entry.path))
      }
    }),
}

export const nugetLock: Cataloguer = {
  name: 'nuget-lock',
  wants: ({ kind, path }) => kind === 'file' && path.endsWith('packages.lock.json') && baseName(path) === 'packages.lock.json' && !isForeign(path),
  read: (entry, content, _distribution, signal) =>
    collecting(entry, signal, async collector => {
      const frameworks = memberOf(await readJson(content), 'dependencies')
      if (frameworks === undefined) throw new Malformed("is not NuGet's lock")
      const seen = new Set<string>()
      for (const packages of Object.values(objectOf(frameworks))) {
        for (const [name, locked] of Object.entries(objectOf(packages))) {
          const version = textOf(locked, 'resolved')
          // A project of the same solution has none.
          if (version === undefined || seen.has(`${name} ${version}`)) continue
          seen.add(`${name} ${version}`)
          collector.add(languagePackage('nuget', name, version, entry.path))
        }
      }
    }),
}
