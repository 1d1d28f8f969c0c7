/**
 * pnpm-lock.yaml, versions 5 to 9. Only the keys below `packages` and what stands directly below them is read, line by line, as pnpm writes it: no YAML
 * of a stranger is built. Version 9 does not say what is for development only; earlier ones do, and that is left out.
 */
import type { Cataloguer } from '../../catalogue.ts'
import type { Collector } from '../system/collect.ts'
import { collecting } from '../system/collect.ts'
import { eachLine } from '../system/lines.ts'
import { baseName, isForeign, languagePackage } from './found.ts'
import { isNpmName, isNpmVersion } from './npm.ts'

const longest = 4096

const unquoted = (text: string): string =>
  text.length > 1 && (text[0] === "'" || text[0] === '"') && text.endsWith(text[0]) ? text.slice(1, -1) : text

/** `/a/1.0.0_peer`, `/a@1.0.0(peer@2)` and `a@1.0.0`; a scope has a slash of its own. */
const ofKey = (key: string): { name: string; version: string } => {
  const text = key.startsWith('/') ? key.slice(1) : key
  const open = text.indexOf('(')
  const plain = open < 0 ? text : text.slice(0, open)
  const start = plain.startsWith('@') ? plain.indexOf('/') + 1 : 0
  const end = plain.slice(start).search(/[@/]/) + start
  if (end < start) return { name: plain, version: '' }
  const version = plain.slice(end + 1)
  const peers = plain[end] === '/' ? version.indexOf('_') : -1
  return { name: plain.slice(0, end), version: peers < 0 ? version : version.slice(0, peers) }
}

interface Block {
  readonly key: string
  readonly fields: Map<string, string>
}

const add = ({ key, fields }: Block, path: string, collector: Collector): void => {
  if (fields.get('dev') === 'true') return
  const keyed = ofKey(key)
  const name = fields.get('name') ?? keyed.name
  const version = fields.get('version') ?? keyed.version
  // From a URL or a folder, with no version in either place: not of a registry.
  if (isNpmName(name) && isNpmVersion(version)) collector.add(languagePackage('npm', name, version, path))
  else if (!/[:/]/.test(version)) collector.problem('has an entry whose name or version npm does not know')
}

export const pnpmLock: Cataloguer = {
  name: 'pnpm-lock',
  wants: ({ kind, path }) => kind === 'file' && path.endsWith('pnpm-lock.yaml') && baseName(path) === 'pnpm-lock.yaml' && !isForeign(path),
  read: (entry, content, _distribution, signal) =>
    collecting(entry, signal, async collector => {
      let inPackages = false
      let block: Block | undefined
      const end = (): void => {
        if (block) add(block, entry.path, collector)
        block = undefined
      }
      await eachLine(content, signal, (bytes, start, stop) => {
        const line = bytes.toString('utf8', start, Math.min(stop, start + longest)).trimEnd()
        if (line === '') return
        const indent = line.length - line.trimStart().length
        if (indent === 0) {
          end()
          inPackages = line === 'packages:'
        } else if (inPackages && indent === 2 && line.endsWith(':')) {
          end()
          block = { key: unquoted(line.slice(2, -1)), fields: new Map() }
        } else if (block && indent === 4) {
          const colon = line.indexOf(': ')
          const field = line.slice(4, colon)
          if (colon > 0 && (field === 'dev' || field === 'name' || field === 'version')) block.fields.set(field, unquoted(line.slice(colon + 2)))
        }
      })
      end()
    }),
}
