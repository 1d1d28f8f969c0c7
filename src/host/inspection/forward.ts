/**
 * Whether another firewall of this host drops what instances may send. Dayfly's table lets through what was allowed, but a packet has to pass every
 * table: docker sets the policy of FORWARD to DROP and accepts for its own bridges only, ufw and firewalld do the like.
 */
import { messageOf } from '../../base/errors.ts'
import type { Check } from './check.ts'
import { ok, warn } from './check.ts'
import { chainRules, forwardChains, legacyRules } from './firewall-rules.ts'
import type { Packet, Rule } from './verdict.ts'
import { verdictOf } from './verdict.ts'

export interface ForwardSources {
  /** Output of a listing command of nft, as JSON. */
  nft(command: string): Promise<string>
  /** Output of `iptables-legacy -S`; undefined where the old filter table is not in use, null where it is and nothing here can read it. */
  legacy(): Promise<string | undefined | null>
  /** Interface of the default route. */
  readonly outside: string
}

const name = 'other firewalls'
/** What every Dayfly's bridges are called; the one that is tried stands for them all. */
const ours = 'dfy'
const bridge = 'dfy0-0'

const packets = (outside: string): readonly (readonly [what: string, packet: Packet])[] => [
  ['what instances send', { iifname: bridge, oifname: outside, state: 'new' }],
  ['the answers to instances', { iifname: outside, oifname: bridge, state: 'established' }],
]

/** What of it does not get through the base chain. */
const dropped = async (chain: string, policy: string, outside: string, rulesOf: (chain: string) => Promise<readonly Rule[]>): Promise<string[]> => {
  const lost: string[] = []
  for (const [what, packet] of packets(outside)) if (((await verdictOf(chain, packet, rulesOf)) ?? policy) === 'drop') lost.push(what)
  return lost
}

const found = (where: string, lost: readonly string[]): string => `${where} drops ${lost.join(' and ')}: --allow opens nothing`

const keep = "Dayfly's own rules go on deciding what passes. Keep these where that firewall keeps its rules."

const iptablesRemedy = (program: string, chain: string): string =>
  `${program} -I ${chain} -i ${ours}+ -j ACCEPT && ${program} -I ${chain} -o ${ours}+ -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT. ${keep}`

const nftRemedy = (chain: string): string =>
  `nft insert rule ${chain} iifname '"${ours}*"' accept && nft insert rule ${chain} oifname '"${ours}*"' ct state established,related accept. ${keep}`

/** Where docker wants what its users add. */
const additions = (rules: readonly Rule[]): string =>
  rules.some(({ verdict }) => verdict?.kind === 'jump' && verdict.target === 'DOCKER-USER') ? 'DOCKER-USER' : 'FORWARD'

const checkTables = async ({ nft, outside }: ForwardSources): Promise<Check | undefined> => {
  for (const { family, table, name: chain, policy } of forwardChains(await nft('list chains'))) {
    if ((family !== 'ip' && family !== 'inet') || table.startsWith('dayfly_')) continue
    const known = new Map<string, Promise<readonly Rule[]>>()
    const rulesOf = (wanted: string): Promise<readonly Rule[]> => {
      const rules = known.get(wanted) ?? nft(`list chain ${family} ${table} ${wanted}`).then(chainRules)
      known.set(wanted, rules)
      return rules
    }
    const lost = await dropped(chain, policy, outside, rulesOf)
    if (lost.length === 0) continue
    const remedy =
      family === 'ip' && table === 'filter' && chain === 'FORWARD'
        ? iptablesRemedy('iptables', additions(await rulesOf(chain)))
        : nftRemedy(`${family} ${table} ${chain}`)
    return warn(name, found(`chain ${chain} of table ${family} ${table}`, lost), remedy)
  }
  return undefined
}

const checkLegacy = async ({ legacy, outside }: ForwardSources): Promise<Check | undefined> => {
  const text = await legacy()
  if (text === undefined) return undefined
  if (text === null) return warn(name, 'there are rules of iptables-legacy, which cannot be read', 'apt-get install iptables')
  const { policy, rules } = legacyRules(text)
  const lost = await dropped('FORWARD', policy, outside, async chain => rules.get(chain) ?? [])
  if (lost.length === 0) return undefined
  return warn(name, found('chain FORWARD of iptables-legacy', lost), iptablesRemedy('iptables-legacy', additions(rules.get('FORWARD') ?? [])))
}

export const checkForward = async (sources: ForwardSources): Promise<Check> => {
  try {
    return (await checkTables(sources)) ?? (await checkLegacy(sources)) ?? ok(name, 'none that drops what instances send')
  } catch (error) {
    return warn(name, `their rules cannot be read: ${messageOf(error).trim()}`, 'Run it with sudo.')
  }
}
