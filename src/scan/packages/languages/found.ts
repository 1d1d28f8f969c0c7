/** What all languages' cataloguers have in common: the package they make, and which files of a folder are somebody else's. */
import type { Package } from '../../../model/package.ts'
import { isWord, printable } from '../system/collect.ts'
import type { LanguageType } from './purl.ts'
import { languagePurl } from './purl.ts'

const mostLicenses = 20
const longestLicense = 200

/** Declared licenses as one line each, without those that say nothing. */
export const licensesOf = (declared: readonly (string | undefined)[]): string[] => {
  const clean = declared.map(license => printable(license?.trim() ?? '', longestLicense)).filter(license => license !== '' && license !== 'UNKNOWN')
  return [...new Set(clean)].slice(0, mostLicenses)
}

const isName = (name: string): boolean => isWord(name) && !/^[/:]|[/:]$|\/\/|(?:^|\/)\.{1,2}(?:\/|$)/.test(name)

/** `name` and `version` may be anything: for a name that is none, what comes back is one that the collector refuses. */
export const languagePackage = (
  type: LanguageType,
  name: string,
  version: string,
  path: string,
  licenses: readonly (string | undefined)[] = [],
): Package => ({
  ...(isName(name) ? { type, name, version, purl: languagePurl(type, name, version) } : { type, name: `${name} `, version, purl: '' }),
  ...{ licenses: licensesOf(licenses), paths: [path] },
})

/** The last component. */
export const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

const foreign = ['node_modules/', 'vendor/', 'site-packages/', 'dist-packages/', 'bower_components/', 'pkg/mod/']

/** Lies in a folder of packages that were installed or copied in: its lock files are those their authors worked with, and install nothing. */
export const isForeign = (path: string): boolean => foreign.some(folder => path.startsWith(folder) || path.includes(`/${folder}`))
