/** Go's modules, as programs and go.mod list them. */
import { valid } from 'semver'
import type { Cataloguer } from '../../catalogue.ts'
import type { Collector } from '../system/collect.ts'
import { collecting, printable } from '../system/collect.ts'
import { eachLine } from '../system/lines.ts'
import { baseName, isForeign, languagePackage } from './found.ts'
import type { GoBuildInfo } from './go-build-info.ts'
import { languagePurl } from './purl.ts'

const longest = 4096

/** A module's version as a program says it that was built where its sources are. */
const unknownVersion = '(devel)'
/** As advisories call it. */
const standardLibrary = 'stdlib'

/** `1.21.0-rc.2` of `go1.21rc2`, `1.20.0` of `go1.20`, as advisories write them; undefined for what is no release. */
export const standardLibraryVersion = (goVersion: string): string | undefined => {
  const [, major, minor, patch, kind, number] =
    /^go(\d{1,9})\.(\d{1,9})(?:\.(\d{1,9}))?(?:(rc|beta)(\d{1,9}))?(?![\w.])/.exec(goVersion.slice(0, 80)) ?? []
  if (major === undefined) return undefined
  return `${major}.${minor}.${patch ?? 0}${kind === undefined ? '' : `-${kind}.${number}`}`
}

/** A replacement from a folder has no version: what it replaces says more. */
const isFolder = (module: Module): boolean => module.version === '' || /^\.{0,2}\//.test(module.path)

interface Module {
  readonly path: string
  readonly version: string
}

const add = ({ path, version }: Module, file: string, collector: Collector): void => {
  const known = version === '' || version === unknownVersion ? undefined : version
  // Modules have canonical versions: `v1.2.3`, or one made of a time and a commit. The standard library's is written without the letter.
  if (known !== undefined && path !== standardLibrary && !(known.startsWith('v') && valid(known.slice(1)) !== null)) {
    collector.problem(`has a module whose version is none of Go's: ${JSON.stringify(printable(`${path} ${version}`, 80))}`)
    return
  }
  const found = languagePackage('golang', path, known ?? unknownVersion, file)
  collector.add(known === undefined && found.purl ? { ...found, purl: languagePurl('golang', path, undefined) } : found)
}

/** Variables that people have the linker set to a program's version. */
const versionVariables: ReadonlySet<string> = new Set(['version', 'appversion', 'buildversion', 'gitversion', 'releaseversion'])

/**
 * The version that `-ldflags` sets in a variable of package main or of the module itself, where all that do agree: most programs are built where
 * their sources are, and Go then knows no other.
 */
const linkedVersion = (flags: string, module: string): string | undefined => {
  const found = new Set<string>()
  const words = flags.slice(0, longest).split(/[\s"'\\]+/)
  for (const [index, word] of words.entries()) {
    const setting = word === '-X' ? words[index + 1] : word.startsWith('-X=') ? word.slice('-X='.length) : undefined
    const [variable = '', value = ''] = setting?.split('=', 2) ?? []
    const dot = variable.lastIndexOf('.')
    const folder = variable.slice(0, Math.max(dot, 0))
    if (!versionVariables.has(variable.slice(dot + 1).toLowerCase()) || !(folder === 'main' || folder === module || folder.startsWith(`${module}/`)))
      continue
    const plain = value.startsWith('v') ? value.slice(1) : value
    if (valid(plain) !== null) found.add(`v${plain}`)
  }
  return found.size === 1 ? [...found][0] : undefined
}

/** The program's own module, those it is built of, and the standard library. */
export const addBuildInfo = ({ goVersion, modules }: GoBuildInfo, file: string, collector: Collector): void => {
  let own: Module | undefined
  let last: Module | undefined
  const end = (): void => {
    if (last) add(last, file, collector)
    last = undefined
  }
  for (const line of modules.split('\n')) {
    const [kind, path = '', version = ''] = line.split('\t')
    if (kind === 'mod') own = { path, version }
    else if (kind === 'dep') {
      end()
      last = { path, version }
    } else if (kind === 'build' && path.startsWith('-ldflags=') && own?.version === unknownVersion) {
      own = { ...own, version: linkedVersion(path.slice('-ldflags='.length), own.path) ?? unknownVersion }
    } else if (kind === '=>' && last) {
      const replacement = { path, version }
      if (!isFolder(replacement)) last = replacement
    }
  }
  end()
  if (own) add(own, file, collector)
  const version = standardLibraryVersion(goVersion)
  if (version !== undefined) add({ path: standardLibrary, version }, file, collector)
}

const unquoted = (text: string): string =>
  text.length > 1 && (text[0] === '"' || text[0] === '`') && text.endsWith(text[0]) ? text.slice(1, -1) : text

/** From Go 1.17 on, go.mod lists all modules that are needed to build; before, only those that the module itself asks for. */
const listsAll = (version: string | undefined): boolean => {
  const [major = 1, minor = 0] = (version ?? '1.16').split('.').map(part => Number.parseInt(part, 10))
  return major > 1 || minor >= 17
}

export const goModules: Cataloguer = {
  name: 'go-modules',
  wants: ({ kind, path }) => kind === 'file' && path.endsWith('go.mod') && baseName(path) === 'go.mod' && !isForeign(path),
  read: (entry, content, _distribution, signal) =>
    collecting(entry, signal, async collector => {
      const required = new Map<string, string>()
      const replaced = new Map<string, Module>()
      let block = ''
      let language: string | undefined
      await eachLine(content, signal, (bytes, start, end) => {
        const line = bytes.toString('utf8', start, Math.min(end, start + longest))
        const comment = line.indexOf('//')
        const words = (comment < 0 ? line : line.slice(0, comment)).trim().split(/\s+/).map(unquoted)
        if (words[0] === ')') block = ''
        else if (words[1] === '(') block = words[0] ?? ''
        else {
          const [verb, first = '', ...rest] = block ? [block, ...words] : words
          if (verb === 'go') language = first
          else if (verb === 'require' && first !== '') required.set(first, rest[0] ?? '')
          else if (verb === 'replace') {
            const arrow = rest.indexOf('=>')
            const key = arrow > 0 ? `${first}@${rest[0]}` : first
            if (arrow >= 0) replaced.set(key, { path: rest[arrow + 1] ?? '', version: rest[arrow + 2] ?? '' })
          }
        }
      })
      for (const [path, version] of required) {
        const replacement = replaced.get(`${path}@${version}`) ?? replaced.get(path)
        const module = replacement && !isFolder(replacement) ? replacement : { path, version }
        if (module.version === '') collector.problem('requires a module without a version')
        else add(module, entry.path, collector)
      }
      if (!listsAll(language) && required.size > 0)
        collector.problem('is of a Go before 1.17, which lists direct dependencies only: `go mod tidy -go=1.17` lists all')
    }),
}
