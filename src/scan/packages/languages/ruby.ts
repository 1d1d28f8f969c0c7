/** Ruby's gems that are there: of each its specification, which RubyGems writes as Ruby of always the same form. It is read, never run. */
import type { Cataloguer } from '../../catalogue.ts'
import { collecting, Malformed } from '../system/collect.ts'
import { eachLine } from '../system/lines.ts'
import { baseName, isForeign, languagePackage } from './found.ts'

const longest = 4096
const mostLicenses = 20

/** What stands in quotes: `"MIT".freeze, "BSD".freeze` gives two. */
const quoted = (text: string): string[] => {
  const found: string[] = []
  for (let at = 0; at < text.length && found.length < mostLicenses; ) {
    const mark = text[at] ?? ''
    if (mark !== '"' && mark !== "'") {
      at++
      continue
    }
    const end = text.indexOf(mark, at + 1)
    if (end < 0) break
    found.push(text.slice(at + 1, end))
    at = end + 1
  }
  return found
}

/** `name` and `= "rake".freeze` of `  s.name = "rake".freeze`. */
const assignment = (line: string): { field: string; value: string } | undefined => {
  const [left = '', value] = line.split('=', 2)
  const dot = left.indexOf('.')
  return value === undefined || dot < 0 ? undefined : { field: left.slice(dot + 1).trim(), value }
}

export const ruby: Cataloguer = {
  name: 'ruby',
  wants: ({ kind, path }) =>
    kind === 'file' && path.endsWith('.gemspec') && (path.includes('/specifications/') || path.startsWith('specifications/')),
  read: (entry, content, _distribution, signal) =>
    collecting(entry, signal, async collector => {
      const fields = new Map<string, readonly string[]>()
      await eachLine(content, signal, (bytes, start, end) => {
        const found = assignment(bytes.toString('utf8', start, Math.min(end, start + longest)))
        if (found && !fields.has(found.field)) fields.set(found.field, quoted(found.value))
      })
      const [name, version] = [fields.get('name')?.[0], fields.get('version')?.[0]]
      if (!name || !version) throw new Malformed(`says no ${name ? 'version' : 'name'} of its gem`)
      collector.add(languagePackage('gem', name, version, entry.path, fields.get('licenses') ?? fields.get('license') ?? []))
    }),
}

/** `rake (13.0.6)` in a `specs:` list; those that it depends on are further in. */
const locked = (line: string): { name: string; version: string } | undefined => {
  const open = line.indexOf(' (')
  if (!line.startsWith('    ') || line[4] === ' ' || open < 0 || !line.endsWith(')')) return undefined
  const [version = ''] = line.slice(open + 2, -1).split('-', 1) // `1.15.4-x86_64-linux`: the platform is no part of a gem's version
  return { name: line.slice(4, open), version }
}

export const gemfileLock: Cataloguer = {
  name: 'gemfile-lock',
  wants: ({ kind, path }) => {
    if (kind !== 'file' || isForeign(path) || !(path.endsWith('.lock') || path.endsWith('.locked'))) return false
    const name = baseName(path)
    return name === 'Gemfile.lock' || name === 'gems.locked'
  },
  read: (entry, content, _distribution, signal) =>
    collecting(entry, signal, async collector => {
      let section = ''
      const seen = new Set<string>()
      await eachLine(content, signal, (bytes, start, end) => {
        const line = bytes.toString('utf8', start, Math.min(end, start + longest)).trimEnd()
        if (line !== '' && !line.startsWith(' ')) section = line
        // PATH lists the project's own.
        const found = section === 'GEM' || section === 'GIT' ? locked(line) : undefined
        if (!found || seen.has(`${found.name} ${found.version}`)) return
        seen.add(`${found.name} ${found.version}`)
        collector.add(languagePackage('gem', found.name, found.version, entry.path))
      })
    }),
}
