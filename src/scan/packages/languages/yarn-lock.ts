/** yarn.lock of Yarn 1, and of the later ones, which is YAML of the same outline. It does not say what is for development only. */
import type { Cataloguer } from '../../catalogue.ts'
import type { Collector } from '../system/collect.ts'
import { collecting } from '../system/collect.ts'
import { eachLine } from '../system/lines.ts'
import { baseName, isForeign, languagePackage } from './found.ts'
import { isNpmName, isNpmVersion } from './npm.ts'

const longest = 4096

const unquoted = (text: string): string => (text.length > 1 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text)

/** `@scope/name` and `^1.0.0` of `@scope/name@^1.0.0`. */
const splitRange = (text: string): { name: string; range: string } => {
  const at = text.indexOf('@', 1)
  return at < 0 ? { name: text, range: '' } : { name: text.slice(0, at), range: text.slice(at + 1) }
}

/** Of the project itself, and of folders: no registry's packages. */
const local = ['workspace:', 'link:', 'portal:', 'file:']

interface Block {
  /** What leads to it, without quotes: `a@^1.0.0`. */
  readonly wanted: string
  version?: string
  /** `a@npm:1.2.3`: later ones than 1. */
  resolution?: string
}

const add = ({ wanted, version, resolution }: Block, path: string, collector: Collector): void => {
  if (wanted === '__metadata') return
  const { name, range } = splitRange(resolution ?? wanted)
  if (local.some(prefix => range.startsWith(prefix))) return
  // `alias@npm:real@^1.0.0`
  const aliased = range.startsWith('npm:') ? splitRange(range.slice('npm:'.length)) : undefined
  const real = resolution === undefined && aliased && aliased.range !== '' ? aliased.name : name
  if (!version) collector.problem('has an entry without a version')
  else if (!isNpmName(real) || !isNpmVersion(version)) collector.problem('has an entry whose name or version npm does not know')
  else collector.add(languagePackage('npm', real, version, path))
}

export const yarnLock: Cataloguer = {
  name: 'yarn-lock',
  wants: ({ kind, path }) => kind === 'file' && path.endsWith('yarn.lock') && baseName(path) === 'yarn.lock' && !isForeign(path),
  read: (entry, content, _distribution, signal) =>
    collecting(entry, signal, async collector => {
      let block: Block | undefined
      await eachLine(content, signal, (bytes, start, end) => {
        const line = bytes.toString('utf8', start, Math.min(end, start + longest)).trimEnd()
        if (line === '' || line.startsWith('#')) return
        if (!line.startsWith(' ')) {
          if (block) add(block, entry.path, collector)
          const first = line.split(', ', 1)[0] ?? ''
          block = { wanted: first.replaceAll('"', '').replace(/:$/, '') }
        } else if (block && line.startsWith('  ') && line[2] !== ' ') {
          const [key = ''] = line.slice(2).split(/[ :]/, 1)
          const value = unquoted(line.slice(2 + key.length).replace(/^:? */, ''))
          if (key === 'version') block.version = value
          else if (key === 'resolution') block.resolution = value
        }
      })
      if (block) add(block, entry.path, collector)
    }),
}
