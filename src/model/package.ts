/** A software package that an image or folder holds. */
import { z } from 'zod'

export const packageTypes = ['deb', 'apk', 'rpm', 'npm', 'pypi', 'maven', 'golang', 'gem', 'composer', 'cargo', 'nuget'] as const
export const PackageType = z.enum(packageTypes)
export type PackageType = z.infer<typeof PackageType>

/** From /etc/os-release (or /usr/lib/os-release). */
export const Distribution = z.object({
  /** `debian`, `ubuntu`, `alpine`, `rhel`, `fedora`, … */
  id: z.string(),
  /** `12`, `22.04`, `3.20.3`; '' where it says none (a rolling one). */
  version: z.string(),
  codename: z.string().optional(),
  like: z.array(z.string()),
})
export type Distribution = z.infer<typeof Distribution>

export const Package = z.object({
  type: PackageType,
  /** As its ecosystem writes it: `@scope/name`, `group:artifact` of Maven, `module/path` of Go. */
  name: z.string(),
  version: z.string(),
  /** Package URL by the specification, qualifiers included. */
  purl: z.string(),
  /** What a binary package of a distribution was built from: its data speaks of sources. */
  source: z.object({ name: z.string(), version: z.string() }).optional(),
  architecture: z.string().optional(),
  /** SPDX expressions or names, as declared. */
  licenses: z.array(z.string()),
  /** The files that declare it: paths without a leading slash. A package is there as long as one of them is. */
  paths: z.array(z.string()),
  /** hex SHA-256 of files, where the package says them; for SBOMs. */
  digest: z.string().optional(),
})
export type Package = z.infer<typeof Package>

const packagings: ReadonlySet<string> = new Set(['deb', 'apk', 'rpm'])

/** What a distribution's version is of: `3.0.11-1~deb12u2` → `3.0.11`. Of other ecosystems, the version itself. */
export const upstreamVersion = ({ type, version }: Pick<Package, 'type' | 'version'>): string => {
  if (!packagings.has(type)) return version
  const colon = version.indexOf(':')
  const withoutEpoch = colon > 0 && /^\d+$/.test(version.slice(0, colon)) ? version.slice(colon + 1) : version
  const dash = withoutEpoch.lastIndexOf('-')
  const upstream = dash > 0 ? withoutEpoch.slice(0, dash) : withoutEpoch
  // What a distribution has taken out of it makes it no other version.
  const mark = upstream.search(/[+~](?:dfsg|ds|repack)/)
  return mark > 0 ? upstream.slice(0, mark) : upstream
}
