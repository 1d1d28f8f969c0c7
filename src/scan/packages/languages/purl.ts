/** Package URLs of languages' packages, by the specification (https://github.com/package-url/purl-spec). */
import type { PackageType } from '../../../model/package.ts'
import { encode } from '../system/purl.ts'

export type LanguageType = Exclude<PackageType, 'deb' | 'apk' | 'rpm'>

/** What the specification calls the same package is written the same. */
const normal = (type: LanguageType, name: string): string => {
  switch (type) {
    case 'npm':
    case 'composer':
    case 'golang':
      return name.toLowerCase()
    case 'pypi':
      return name.toLowerCase().replaceAll('_', '-')
    case 'maven':
      return name.replace(':', '/')
    case 'gem':
    case 'cargo':
    case 'nuget':
      return name
  }
}

/** `name` as the ecosystem writes it (`@scope/name`, `group:artifact`), not empty. Without a version where that is undefined. */
export const languagePurl = (type: LanguageType, name: string, version: string | undefined): string => {
  const path = normal(type, name)
    .split('/')
    .filter(part => part !== '')
    .map(encode)
    .join('/')
  return `pkg:${type}/${path}${version === undefined ? '' : `@${encode(version)}`}`
}
