/** IPv4 networks as users write them: `192.0.2.0/24`, or an address for a network of one. */

const octet = '(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const cidr = new RegExp(`^${octet}\\.${octet}\\.${octet}\\.${octet}/(3[0-2]|[12]?\\d)$`)

/** Address as a 32-bit number and prefix length, or undefined when it is not a network: also when bits are set beyond the prefix. */
export const parseNetwork = (text: string): { readonly address: number; readonly prefix: number } | undefined => {
  const found = cidr.exec(text)
  if (!found) return undefined
  const [a = 0, b = 0, c = 0, d = 0, prefix = 0] = found.slice(1).map(Number)
  const address = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0
  const mask = prefix === 0 ? 0 : (0xffffffff << (32 - prefix)) >>> 0
  return (address & mask) >>> 0 === address ? { address, prefix } : undefined
}
