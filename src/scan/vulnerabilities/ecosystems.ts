/** From packages, as cataloguers find them, to what OSV calls them: ecosystem, name, version. */
import type { Distribution, Package } from '../../model/package.ts'
import { ecosystemFamily } from '../versions/order.ts'

const distributionFamilies: ReadonlySet<string> = new Set([
  ...[
    'AlmaLinux',
    'Alpaquita',
    'Alpine',
    'Azure Linux',
    'BellSoft Hardened Containers',
    'Chainguard',
    'CleanStart',
    'Debian',
    'Docker Hardened Images',
  ],
  ...['Echo', 'Fedora', 'Mageia', 'MinimOS', 'openEuler', 'openSUSE', 'Photon OS', 'Red Hat', 'Rocky Linux', 'SUSE', 'Ubuntu', 'Wolfi'],
])

export const isDistribution = (family: string): boolean => distributionFamilies.has(family)

const languageEcosystems: Readonly<Record<Exclude<Package['type'], 'deb' | 'apk' | 'rpm'>, string>> = {
  npm: 'npm',
  pypi: 'PyPI',
  maven: 'Maven',
  golang: 'Go',
  gem: 'RubyGems',
  composer: 'Packagist',
  cargo: 'crates.io',
  nuget: 'NuGet',
}

const isSystem = (type: Package['type']): type is 'deb' | 'apk' | 'rpm' => type === 'deb' || type === 'apk' || type === 'rpm'

/** Names that are the same package are written the same. */
export const normalName = (ecosystem: string, name: string): string => {
  switch (ecosystemFamily(ecosystem)) {
    case 'PyPI':
      return name.toLowerCase().replaceAll(/[-_.]+/g, '-')
    case 'Packagist':
    case 'NuGet':
    case 'GitHub Actions':
      return name.toLowerCase()
    default:
      return name
  }
}

/** `1.21.0-rc.2` of Go's own `go1.21rc2`; what is written as a module's version stays. */
const goVersion = (version: string): string => {
  const [word = ''] = version.split(' ')
  if (!word.startsWith('go')) return word
  const [, numbers = '', kind, number] = /^go(\d+(?:\.\d+)*)(?:(rc|beta)(\d+))?/.exec(word.slice(0, 64)) ?? []
  const three = [...numbers.split('.'), '0', '0'].slice(0, 3).join('.')
  return numbers === '' ? '' : kind ? `${three}-${kind}.${number}` : three
}

const debianNumbers: Readonly<Record<string, string>> = {
  jessie: '8',
  stretch: '9',
  buster: '10',
  bullseye: '11',
  bookworm: '12',
  trixie: '13',
  forky: '14',
  duke: '15',
}

/** `12` of `bookworm`; what has no number, as `sid`, keeps its name. */
export const debianRelease = (codename: string): string => (Object.hasOwn(debianNumbers, codename) ? (debianNumbers[codename] ?? codename) : codename)

/** Testing and unstable say no number, and both the codename of the next release. */
const debianReleases = ({ version, codename }: Distribution): string[] => {
  const [major = ''] = version.split('.')
  return major === '' ? [debianRelease(codename?.split('/')[0] ?? ''), 'sid'] : [major]
}

/** `15 SP5` of `15.5`. */
const suseRelease = (version: string): string => {
  const [major = '', pack = '0'] = version.split('.')
  return pack === '0' ? major : `${major} SP${pack}`
}

/** Which ecosystems' data is meant: one and the same function for all packages of one origin. */
export type Scope = (ecosystem: string) => boolean

const nowhere: Scope = () => false

const among =
  (...names: readonly string[]): Scope =>
  ecosystem =>
    names.includes(ecosystem)

/** Distributions whose data is by release. */
const releasing: ReadonlySet<string> = new Set([
  ...['AlmaLinux', 'Alpaquita', 'Alpine', 'Azure Linux', 'Debian', 'Fedora', 'Red Hat', 'Rocky Linux', 'Ubuntu'],
])

/**
 * A record without a release (`Debian`) is about every one, by OSV's schema. That there are some does not mean that what is known about a release is there: an
 * image may claim to be of one that nobody has heard of.
 */
export const coversRelease = (ecosystem: string): boolean => !releasing.has(ecosystem)

/** What a distribution's `id` and version are in OSV. */
const scopes: Readonly<Record<string, (distribution: Distribution) => Scope>> = {
  debian: distribution => among('Debian', ...debianReleases(distribution).map(release => `Debian:${release}`)),
  ubuntu: ({ version }) => among('Ubuntu', `Ubuntu:${version}`, `Ubuntu:${version}:LTS`),
  alpine: ({ version }) => among('Alpine', `Alpine:v${/^\d+\.\d+/.exec(version)?.[0]}`),
  rocky: ({ version }) => among('Rocky Linux', `Rocky Linux:${version.split('.')[0]}`),
  almalinux: ({ version }) => among('AlmaLinux', `AlmaLinux:${version.split('.')[0]}`),
  rhel: ({ version }) => {
    const major = `Red Hat:enterprise_linux:${version.split('.')[0]}`
    return ecosystem => ecosystem === 'Red Hat' || ecosystem === major || ecosystem.startsWith(`${major}::`) || ecosystem.startsWith(`${major}.`)
  },
  centos: distribution => scopes['rhel']?.(distribution) ?? among(),
  fedora: ({ version }) => among('Fedora', `Fedora:${version}`),
  sles: ({ version }) => {
    const ending = ` ${suseRelease(version)}`
    return ecosystem => ecosystem.startsWith('SUSE:') && ecosystem.endsWith(ending)
  },
  sles_sap: distribution => scopes['sles']?.(distribution) ?? among(),
  'opensuse-leap': ({ version }) => among(`openSUSE:Leap ${version}`),
  'opensuse-tumbleweed': () => among('openSUSE:Tumbleweed'),
  mageia: ({ version }) => among(`Mageia:${version}`),
  photon: ({ version }) => among(`Photon OS:${version}`),
  azurelinux: ({ version }) => among('Azure Linux', `Azure Linux:${version.split('.')[0]}`),
  mariner: ({ version }) => among('Azure Linux', `Azure Linux:${version.split('.')[0]}`),
  openEuler:
    ({ version }) =>
    ecosystem =>
      ecosystem === `openEuler:${version}` || ecosystem.startsWith(`openEuler:${version}-LTS`),
  wolfi: () => among('Wolfi'),
  chainguard: () => among('Chainguard', 'Wolfi'),
  minimos: () => among('MinimOS'),
  echo: () => among('Echo'),
  alpaquita: ({ version }) => among('Alpaquita', `Alpaquita:${version}`),
}

/** A lower-case `id` of os-release may differ from OSV's spelling only in case. */
const scopeOf = (distribution: Distribution): Scope | undefined => {
  const key = Object.keys(scopes).find(name => name === distribution.id || name.toLowerCase() === distribution.id.toLowerCase())
  return key === undefined ? undefined : scopes[key]?.(distribution)
}

/** What a distribution's own packages are. Others in it are from elsewhere, or it is not what it says: its data knows nothing of them. */
const formatOf = ({ id }: Distribution): 'deb' | 'apk' | 'rpm' => {
  if (['debian', 'ubuntu', 'echo'].includes(id.toLowerCase())) return 'deb'
  return ['alpine', 'alpaquita', 'chainguard', 'minimos', 'wolfi'].includes(id.toLowerCase()) ? 'apk' : 'rpm'
}

/** What to look up for a package. */
export interface Query {
  readonly name: string
  readonly version: string
}

export interface Question {
  /** What people call where the data must come from: `Debian 12`, `npm`. */
  readonly origin: string
  readonly scope: Scope
  readonly queries: readonly Query[]
}

const languageScope =
  (ecosystem: string): Scope =>
  name =>
    name === ecosystem || (name.startsWith(ecosystem) && name.charCodeAt(ecosystem.length) === 58)

const languageScopes: ReadonlyMap<string, Scope> = new Map(Object.values(languageEcosystems).map(name => [name, languageScope(name)]))

/** Whose data is about sources only: a binary package may have the name of another source. */
const bySource: ReadonlySet<string> = new Set([
  ...['alpaquita', 'alpine', 'debian', 'echo', 'mageia', 'openeuler', 'opensuse-leap', 'opensuse-tumbleweed', 'sles', 'sles_sap', 'ubuntu'],
])

/** By its source where the data is so, else by both names, for such data has either. What has no version cannot be asked for. */
const systemQueries = ({ type, name, version, source }: Package, distribution: Distribution | undefined): Query[] => {
  if (type === 'deb' || bySource.has(distribution?.id.toLowerCase() ?? '')) return [source ?? { name, version }]
  return source && source.name !== name ? [{ name, version }, source] : [{ name, version }]
}

/** How a whole list of packages is asked for: the distribution's part is worked out once. */
export const questions = (distribution: Distribution | undefined): ((one: Package) => Question) => {
  const scope = distribution && scopeOf(distribution)
  const origin = `${distribution?.id ?? ''} ${distribution?.version ?? ''}`.trim()
  return one => {
    if (isSystem(one.type)) {
      const queries = systemQueries(one, distribution).filter(({ version }) => version !== '')
      if (distribution === undefined) return { origin: `a distribution that is not known (${one.type})`, scope: nowhere, queries }
      if (scope !== undefined && formatOf(distribution) !== one.type) return { origin: `${one.type} packages in ${origin}`, scope: nowhere, queries }
      return { origin, scope: scope ?? nowhere, queries }
    }
    const ecosystem = languageEcosystems[one.type]
    const version = ecosystem === 'Go' ? goVersion(one.version) : one.version
    const known = version !== '' && version !== '(devel)'
    return {
      origin: ecosystem,
      scope: languageScopes.get(ecosystem) ?? nowhere,
      queries: known ? [{ name: normalName(ecosystem, one.name), version }] : [],
    }
  }
}
