/** The host's own name servers, which allowed names are asked of. */
import { isIP } from 'node:net'

/**
 * Addresses in a resolv.conf, as far as a resolver takes them: the stub of systemd-resolved on the loopback is one, for the resolver runs beside it. The
 * first three, as the C library does.
 */
export const upstreamsIn = (resolvConf: string): string[] =>
  [...resolvConf.matchAll(/^[ \t]*nameserver[ \t]+(\S+)/gm)].flatMap(([, address = '']) => (isIP(address) === 0 ? [] : [address])).slice(0, 3)
