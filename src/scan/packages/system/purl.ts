/** Package URLs of the distributions' packages, by the specification (https://github.com/package-url/purl-spec). */
import type { Distribution } from '../../../model/package.ts'

export type SystemType = 'deb' | 'apk' | 'rpm'

/** Vendors whose namespace is not the `ID` of their os-release. */
const vendors: Readonly<Record<string, string>> = {
  rhel: 'redhat',
  sles: 'suse',
  sled: 'suse',
  'opensuse-leap': 'opensuse',
  'opensuse-tumbleweed': 'opensuse',
}

/** Where the image does not say what it is. An rpm can be of anybody. */
const fallback: Readonly<Record<SystemType, string | undefined>> = { deb: 'debian', apk: 'alpine', rpm: undefined }

/** Percent-encoding of the specification: letters, digits, `.-_~` and the colon stand for themselves. */
export const encode = (text: string): string =>
  encodeURIComponent(text.toWellFormed())
    .replace(/[!'()*]/g, character => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%3A', ':')

const namespaceOf = (type: SystemType, distribution: Distribution | undefined): string | undefined => {
  if (!distribution?.id) return fallback[type]
  return Object.hasOwn(vendors, distribution.id) ? vendors[distribution.id] : distribution.id.toLowerCase()
}

/** `debian-12`, `alpine-3.20.3`, or the id alone of one that has no versions. */
const distroOf = (distribution: Distribution | undefined): string | undefined => {
  if (!distribution?.id) return undefined
  const version = distribution.version || distribution.codename
  return version ? `${distribution.id}-${version}` : distribution.id
}

const write = (type: SystemType, namespace: string | undefined, nameAndVersion: string, qualifiers: ReadonlyMap<string, string>): string => {
  const query = [...qualifiers]
    .filter(([, value]) => value !== '')
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`)
    .join('&')
  return `pkg:${type}/${namespace ? `${encode(namespace)}/` : ''}${nameAndVersion}${query ? `?${query}` : ''}`
}

/** `qualifiers` without `distro`; those that are undefined or empty are left out. `name` and `version` are not empty. */
export const systemPurl = (
  type: SystemType,
  name: string,
  version: string,
  distribution: Distribution | undefined,
  qualifiers: Readonly<Record<string, string | undefined>>,
): string => {
  const encoded = new Map(Object.entries(qualifiers).map(([key, value]) => [key, encode(value ?? '')]))
  encoded.set('distro', encode(distroOf(distribution) ?? ''))
  return write(type, namespaceOf(type, distribution), `${encode(type === 'rpm' ? name : name.toLowerCase())}@${encode(version)}`, encoded)
}

/**
 * The same package in an image of `distribution`: a layer is read before, and independently of, the image that says which one it is.
 * What is no deb, apk or rpm purl comes back as it is.
 */
export const inDistribution = (purl: string, distribution: Distribution | undefined): string => {
  const [path = '', query = ''] = purl.split('?', 2)
  const type = (['deb', 'apk', 'rpm'] as const).find(known => path.startsWith(`pkg:${known}/`))
  if (!type) return purl
  const qualifiers = new Map<string, string>()
  for (const pair of query.split('&')) {
    const equals = pair.indexOf('=')
    if (equals > 0) qualifiers.set(pair.slice(0, equals), pair.slice(equals + 1))
  }
  qualifiers.set('distro', encode(distroOf(distribution) ?? ''))
  return write(type, namespaceOf(type, distribution), path.slice(path.lastIndexOf('/') + 1), qualifiers)
}
