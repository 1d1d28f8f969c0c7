/**
 * Python packages that are there: the headers of `*.dist-info/METADATA`, which every installer of wheels writes, and of `*.egg-info` (a file of distutils,
 * or a folder with PKG-INFO of setuptools).
 */
import type { Cataloguer } from '../../catalogue.ts'
import { collecting, Malformed } from '../system/collect.ts'
import { languagePackage } from './found.ts'

/** Bytes. The headers come first, and a long description after them. */
const mostHeaders = 512 * 1024
const mostClassifiers = 200
const licensePrefix = 'License :: '

const wantedFields: ReadonlySet<string> = new Set(['name', 'version', 'license', 'license-expression', 'classifier'])

export interface Headers {
  readonly name: string | undefined
  readonly version: string | undefined
  readonly licenses: readonly (string | undefined)[]
}

/** Throws `Malformed` when the headers do not end in what was read. */
export const parseHeaders = (text: string, isWhole: boolean): Headers => {
  const fields = new Map<string, string>()
  const classifiers: string[] = []
  let start = 0
  let ended = isWhole
  while (start < text.length) {
    const feed = text.indexOf('\n', start)
    const end = feed < 0 ? text.length : feed
    const line = text.slice(start, end).trimEnd()
    start = end + 1
    if (line === '') {
      ended = true
      break
    }
    // Continued lines are of descriptions and texts of licenses: the first line is what counts.
    const colon = line.startsWith(' ') || line.startsWith('\t') ? -1 : line.indexOf(':')
    const field = colon > 0 ? line.slice(0, colon).toLowerCase() : ''
    if (!wantedFields.has(field)) continue
    const value = line.slice(colon + 1).trim()
    if (field !== 'classifier') {
      if (!fields.has(field)) fields.set(field, value)
    } else if (value.startsWith(licensePrefix) && classifiers.length < mostClassifiers) classifiers.push(value)
  }
  if (!ended) throw new Malformed(`has headers of more than ${mostHeaders} bytes`)
  const expression = fields.get('license-expression')
  // `License :: OSI Approved :: MIT License`: the last part names it, unless it only says that it was approved.
  const named = classifiers.filter(value => value !== `${licensePrefix}OSI Approved`).map(value => value.slice(value.lastIndexOf(' :: ') + 4))
  const declared = fields.get('license')
  const licenses = expression ? [expression] : declared && declared !== 'UNKNOWN' ? [declared] : named
  return { name: fields.get('name'), version: fields.get('version'), licenses }
}

const isMetadata = (path: string): boolean =>
  path.endsWith('.dist-info/METADATA') || path.endsWith('.egg-info') || path.endsWith('.egg-info/PKG-INFO') || path.endsWith('EGG-INFO/PKG-INFO')

export const python: Cataloguer = {
  name: 'python',
  wants: ({ kind, path }) => kind === 'file' && isMetadata(path),
  read: (entry, content, _distribution, signal) =>
    collecting(entry, signal, async collector => {
      const bytes = await content.read(0, Math.min(content.size, mostHeaders))
      const { name, version, licenses } = parseHeaders(bytes.toString('utf8'), bytes.length === content.size)
      if (!name || !version) throw new Malformed(`says no ${name ? 'version' : 'name'} of its package`)
      collector.add(languagePackage('pypi', name, version, entry.path, licenses))
    }),
}
