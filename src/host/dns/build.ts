/** What the host's dnsmasq can do, from what `dnsmasq --version` prints. */
import { readFileSync } from 'node:fs'

export interface ResolverBuild {
  readonly version: string
  /** Can put addresses into nftables sets: needed to open egress by name. */
  readonly nftset: boolean
  /** Matches domains by their longest part, as our configuration needs it, and leaves IPv6 addresses out: since 2.87. */
  readonly sufficient: boolean
}

/** undefined when it is no output of dnsmasq. */
export const resolverBuild = (printed: string): ResolverBuild | undefined => {
  const [, version, major, minor] = /^Dnsmasq version ((\d+)\.(\d+)\S*)/m.exec(printed) ?? []
  if (version === undefined) return undefined
  const options = /^Compile time options:(.*)$/m.exec(printed)?.[1]?.trim().split(/\s+/) ?? []
  return { version, nftset: options.includes('nftset'), sufficient: Number(major) > 2 || (Number(major) === 2 && Number(minor) >= 87) }
}

/** The user for resolvers: dnsmasq's own where its package has made one, else nobody. */
export const resolverUser = (passwd = readFileSync('/etc/passwd', 'utf8')): { readonly user: string; readonly uid: number } => {
  const idOf = (user: string): number | undefined => {
    const id = new RegExp(`^${user}:[^:]*:(\\d+):`, 'm').exec(passwd)?.[1]
    return id === undefined ? undefined : Number(id)
  }
  const own = idOf('dnsmasq')
  return own === undefined ? { user: 'nobody', uid: idOf('nobody') ?? 65_534 } : { user: 'dnsmasq', uid: own }
}
