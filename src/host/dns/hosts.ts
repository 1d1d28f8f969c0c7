/** Names inside: the hosts file that a resolver reads. */
import { isIPv4 } from 'node:net'
import { DayflyError } from '../../base/errors.ts'

export interface NamedAddress {
  /** IPv4. */
  readonly address: string
  /**
   * What resolves to it. The first is its reverse name, so let that be one that no other address has. A name of several addresses resolves to all of
   * them, in an order that changes from answer to answer.
   */
  readonly names: readonly string[]
}

/** Below this name a resolver tells which state of its files it serves. No public name can end in it (RFC 6761). */
export const stateSuffix = 'state.dayfly.invalid'

const label = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/

/** A name in lower case. Throws `invalid` for what no resolver can serve. Underscores are allowed: services have them. */
export const checkName = (name: string): string => {
  const lower = name.toLowerCase()
  const labels = lower.split('.')
  const fits = lower.length <= 253 && labels.every(part => label.test(part)) && !/^\d+$/.test(labels.at(-1) ?? '') && !lower.endsWith(stateSuffix)
  if (fits) return lower
  throw new DayflyError('invalid', `name: "${name.slice(0, 80)}" cannot be a host name`, {
    field: 'name',
    remedy: 'Use letters, digits, "-" and "_", at most 63 in a row, with dots between them; the last part must not be a number.',
  })
}

/** The text of a hosts file. Throws `invalid` for what is no address or name. */
export const hostsText = (hosts: readonly NamedAddress[]): string =>
  hosts
    .map(({ address, names }) => {
      if (!isIPv4(address)) throw new DayflyError('invalid', `address: "${address}" is not an IPv4 address`, { field: 'address' })
      return names.length === 0 ? '' : `${address} ${[...new Set(names.map(checkName))].join(' ')}\n`
    })
    .join('')

/** The names without a dot: nothing about them, of whatever type, is ever asked elsewhere. */
export const plainNames = (hosts: readonly NamedAddress[]): string[] => [
  ...new Set(hosts.flatMap(({ names }) => names.map(checkName)).filter(name => !name.includes('.'))),
]
