/** What a chain of a foreign firewall does with a packet, as far as its rules can be read. Pure. */

export interface Packet {
  readonly iifname: string
  readonly oifname: string
  /** Answers to what went out are `established`. */
  readonly state: 'new' | 'established'
}

/** One condition of a rule. What is not understood is `unknown`: a rule with such a condition is taken not to match. */
export type Condition =
  | { readonly kind: 'iifname' | 'oifname'; readonly negated: boolean; readonly names: readonly string[] }
  /** Matches when the packet's state is among them. */
  | { readonly kind: 'state'; readonly states: readonly string[] }
  | { readonly kind: 'unknown' }

export interface Rule {
  readonly conditions: readonly Condition[]
  readonly verdict: { readonly kind: 'accept' | 'drop' | 'return' } | { readonly kind: 'jump' | 'goto'; readonly target: string } | undefined
}

/** `dfy*` (nft) and `dfy+` (iptables) stand for every name that begins so. */
const isNamed = (pattern: string, name: string): boolean => (/[*+]$/.test(pattern) ? name.startsWith(pattern.slice(0, -1)) : pattern === name)

const holds = (condition: Condition, packet: Packet): boolean => {
  switch (condition.kind) {
    case 'unknown':
      return false
    case 'state':
      return condition.states.includes(packet.state)
    default:
      return condition.names.some(pattern => isNamed(pattern, packet[condition.kind])) !== condition.negated
  }
}

/** undefined: it comes back from the chain, or out at its end. `rulesOf` gives the rules of a chain of the same table. */
export const verdictOf = async (
  chain: string,
  packet: Packet,
  rulesOf: (chain: string) => Promise<readonly Rule[]>,
  entered: readonly string[] = [],
): Promise<'accept' | 'drop' | undefined> => {
  if (entered.includes(chain)) return undefined // No kernel takes a loop; whatever this is, it ends.
  for (const { conditions, verdict } of await rulesOf(chain)) {
    if (verdict === undefined || !conditions.every(condition => holds(condition, packet))) continue
    if (verdict.kind === 'jump' || verdict.kind === 'goto') {
      const inner = await verdictOf(verdict.target, packet, rulesOf, [...entered, chain])
      if (inner !== undefined || verdict.kind === 'goto') return inner
    } else return verdict.kind === 'return' ? undefined : verdict.kind
  }
  return undefined
}
