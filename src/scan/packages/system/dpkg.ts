/** Debian and its children: dpkg's status file, and the folder with a file per package of distroless images. */
import type { Distribution } from '../../../model/package.ts'
import type { Cataloguer } from '../../catalogue.ts'
import type { Collector } from './collect.ts'
import { collecting, isWord, printable } from './collect.ts'
import { eachLine } from './lines.ts'
import { systemPurl } from './purl.ts'

export const statusPath = 'var/lib/dpkg/status'
export const statusFolder = 'var/lib/dpkg/status.d/'

/** Of each package in its folder there is a file, and beside it the sums of its files. */
const isPart = (path: string): boolean =>
  path.startsWith(statusFolder) && path.length > statusFolder.length && !path.includes('/', statusFolder.length) && !path.endsWith('.md5sums')

/**
 * States in which nothing of the package is there. In all others its files are, wholly or in part, also where dpkg still has something to do
 * (`unpacked`, `triggers-pending`): what can be run counts.
 */
const absent: ReadonlySet<string> = new Set(['not-installed', 'config-files'])

const wanted: ReadonlySet<string> = new Set(['package', 'status', 'version', 'architecture', 'source'])
const longestField = Math.max(...[...wanted].map(name => name.length))
const longestValue = 1024

/** `name` or `name (version)`. */
const sourceOf = (field: string | undefined, name: string, version: string): { name: string; version: string } => {
  const open = field?.indexOf('(') ?? -1
  const close = field?.indexOf(')', open) ?? -1
  const own = (open < 0 ? field : field?.slice(0, open))?.trim()
  const other = open >= 0 && close > open ? field?.slice(open + 1, close).trim() : undefined
  return { name: own && isWord(own) ? own : name, version: other && isWord(other) ? other : version }
}

const addParagraph = (fields: ReadonlyMap<string, string>, path: string, distribution: Distribution | undefined, collector: Collector): void => {
  const name = fields.get('package')
  const version = fields.get('version')
  const state = fields.get('status')?.split(' ')[2]
  if (state !== undefined && absent.has(state)) return
  if (!name || !version) {
    collector.problem(`has a paragraph without ${name ? `a version: ${printable(name, 80)}` : 'a package name'}`)
    return
  }
  const architecture = fields.get('architecture')
  const source = sourceOf(fields.get('source'), name, version)
  const upstream = source.version !== version ? `${source.name}@${source.version}` : source.name !== name ? source.name : undefined
  collector.add({
    type: 'deb',
    name,
    version,
    purl: systemPurl('deb', name, version, distribution, { arch: architecture, upstream }),
    source,
    ...(architecture && isWord(architecture) && { architecture }),
    licenses: [],
    paths: [path],
  })
}

export const dpkg: Cataloguer = {
  name: 'dpkg',
  wants: entry => entry.kind === 'file' && (entry.path === statusPath || isPart(entry.path)),
  read: (entry, content, distribution, signal) =>
    collecting(entry, signal, async collector => {
      let fields = new Map<string, string>()
      let begun = false
      const end = (): void => {
        if (begun) addParagraph(fields, entry.path, distribution, collector)
        if (fields.size > 0) fields = new Map()
        begun = false
      }
      await eachLine(content, signal, (bytes, start, stop) => {
        const first = bytes[start]
        if (start === stop || (first === 0x0d && stop - start === 1)) return end()
        begun = true
        // Continuation lines belong to descriptions and lists of files: none is of a wanted field.
        if (first === 0x20 || first === 0x09) return
        let colon = start
        const last = Math.min(stop, start + longestField + 1)
        while (colon < last && bytes[colon] !== 0x3a) colon++
        if (colon === last) return
        const name = bytes.toString('latin1', start, colon).toLowerCase()
        if (!wanted.has(name)) return
        if (fields.has(name)) collector.problem(`has a paragraph that says ${name} twice`)
        fields.set(name, bytes.toString('utf8', colon + 1, Math.min(stop, colon + 1 + longestValue)).trim())
      })
      end()
    }),
}
