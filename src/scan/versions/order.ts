/** Which order an ecosystem of OSV has. */
import { apk } from './apk.ts'
import { dpkg } from './dpkg.ts'
import { maven } from './maven.ts'
import { packagist } from './packagist.ts'
import { pypi } from './pypi.ts'
import { rpm } from './rpm.ts'
import { rubygems } from './rubygems.ts'
import { nuget, numeric, pub, semver } from './semver.ts'
import type { VersionOrder } from './text.ts'

const named: readonly (readonly [VersionOrder, readonly string[]])[] = [
  [dpkg, ['Debian', 'Ubuntu', 'Echo']],
  [apk, ['Alpine', 'Alpaquita', 'BellSoft Hardened Containers', 'Chainguard', 'MinimOS', 'Wolfi']],
  [rpm, ['AlmaLinux', 'Azure Linux', 'Fedora', 'Mageia', 'openEuler', 'openSUSE', 'Photon OS', 'Red Hat', 'Rocky Linux', 'SUSE']],
  [maven, ['Maven']],
  [packagist, ['Packagist']],
  [pypi, ['PyPI']],
  [rubygems, ['RubyGems']],
  [nuget, ['NuGet']],
  [pub, ['Pub']],
  [numeric, ['CRAN', 'Bioconductor', 'GHC', 'Hackage']],
  [semver, ['npm', 'Go', 'crates.io', 'Hex', 'Julia', 'SwiftURL', 'GitHub Actions', 'Bitnami', 'VSCode', 'ConanCenter']],
]

const orders: ReadonlyMap<string, VersionOrder> = new Map(named.flatMap(([order, names]) => names.map(name => [name, order] as const)))

/** The name without its release: `Debian` of `Debian:12`, `Ubuntu` of `Ubuntu:22.04:LTS`. */
export const ecosystemFamily = (ecosystem: string): string => {
  const colon = ecosystem.indexOf(':')
  return colon < 0 ? ecosystem : ecosystem.slice(0, colon)
}

/** The order of `ecosystem`, as OSV names it, with or without its release; Semantic Versioning for one that is not known. */
export const orderOf = (ecosystem: string): VersionOrder => orders.get(ecosystemFamily(ecosystem)) ?? semver

/** Negative when `left` is the earlier one. Never throws, and linear in the length of both. */
export const compare = (ecosystem: string, left: string, right: string): number => orderOf(ecosystem).compare(left, right)

/** Whether the ecosystem's own tools would accept it. What is not valid is compared all the same. */
export const isValid = (ecosystem: string, version: string): boolean => orderOf(ecosystem).valid(version)
