/** Rules of other firewalls, from what nft and iptables print, reduced to what decides about instances' packets. */
import { z } from 'zod'
import type { Condition, Rule } from './verdict.ts'

const Chain = z.object({ family: z.string(), table: z.string(), name: z.string(), hook: z.string().optional(), policy: z.string().optional() })
const Listing = z.object({
  nftables: z.array(z.looseObject({ chain: Chain.optional(), rule: z.object({ expr: z.array(z.record(z.string(), z.unknown())) }).optional() })),
})
const Match = z.object({ op: z.string(), left: z.record(z.string(), z.unknown()), right: z.unknown() })
const Key = z.object({ key: z.string() })
const Extension = z.object({ type: z.string(), name: z.string() })
const Target = z.object({ target: z.string() })
const Value = z.union([z.string(), z.number()]).transform(String)
/** One value, flags, or a set of values. */
const Values = z.union([Value.transform(value => [value]), z.array(Value), z.object({ set: z.array(Value) }).transform(({ set }) => set)])
/** `ct state vmap { established : accept, … }`. */
const StateMap = z.object({
  key: z.object({ ct: z.object({ key: z.literal('state') }) }),
  data: z.object({ set: z.array(z.tuple([Value, z.record(z.string(), z.unknown())])) }),
})

/** Numbers are the kernel's bits: what libnftables prints when it is asked to look nothing up. */
const stateNames: Readonly<Record<string, string>> = { 1: 'invalid', 2: 'established', 4: 'related', 8: 'new', 64: 'untracked' }
const stateName = (value: string): string => stateNames[value] ?? value

export interface BaseChain {
  readonly family: string
  readonly table: string
  readonly name: string
  readonly policy: string
}

/** Chains that the kernel calls for what it forwards, of `nft -j list chains`. */
export const forwardChains = (json: string): BaseChain[] =>
  Listing.parse(JSON.parse(json)).nftables.flatMap(({ chain }) =>
    chain?.hook === 'forward' ? [{ family: chain.family, table: chain.table, name: chain.name, policy: chain.policy ?? 'accept' }] : [],
  )

const conditionOf = (value: unknown): Condition => {
  const match = Match.safeParse(value).data
  const values = Values.safeParse(match?.right).data
  if (match === undefined || values === undefined) return { kind: 'unknown' }
  const meta = Key.safeParse(match.left['meta']).data?.key
  const known = match.op === '==' || match.op === 'in' || match.op === '!='
  if ((meta === 'iifname' || meta === 'oifname') && known) return { kind: meta, negated: match.op === '!=', names: values }
  if (Key.safeParse(match.left['ct']).data?.key === 'state' && known && match.op !== '!=') return { kind: 'state', states: values.map(stateName) }
  return { kind: 'unknown' }
}

/** Neither conditions nor verdicts. */
const remarks = new Set(['counter', 'log', 'comment'])
/** iptables' own matches come without their arguments. Those on the state are written for answers. */
const stateMatches = new Set(['conntrack', 'state'])

const partOf = (name: string, value: unknown): Condition | NonNullable<Rule['verdict']> | undefined => {
  if (remarks.has(name)) return undefined
  if (name === 'accept' || name === 'drop' || name === 'return') return { kind: name }
  if (name === 'reject') return { kind: 'drop' }
  if (name === 'jump' || name === 'goto') {
    const { data } = Target.safeParse(value)
    return data === undefined ? { kind: 'unknown' } : { kind: name, target: data.target }
  }
  if (name === 'match') return conditionOf(value)
  const extension = name === 'xt' ? Extension.safeParse(value).data : undefined
  if (extension?.type === 'target' && extension.name === 'REJECT') return { kind: 'drop' }
  if (extension?.name === 'comment' || extension?.name === 'LOG') return undefined
  return stateMatches.has(extension?.name ?? '') ? { kind: 'state', states: ['established'] } : { kind: 'unknown' }
}

const isVerdict = (part: Condition | NonNullable<Rule['verdict']>): part is NonNullable<Rule['verdict']> =>
  ['accept', 'drop', 'return', 'jump', 'goto'].includes(part.kind)

/** Of `nft -j list chain`. */
export const chainRules = (json: string): Rule[] =>
  Listing.parse(JSON.parse(json)).nftables.flatMap(({ rule }) => {
    if (rule === undefined) return []
    const expressions = rule.expr.flatMap(expression => Object.entries(expression))
    const parts = expressions.flatMap(([name, value]) => (name === 'vmap' && StateMap.safeParse(value).success ? [] : (partOf(name, value) ?? [])))
    const conditions = parts.filter(part => !isVerdict(part))
    const map = StateMap.safeParse(expressions.find(([name]) => name === 'vmap')?.[1]).data
    if (map === undefined) return [{ conditions, verdict: parts.find(isVerdict) }]
    return map.data.set.map(([state, verdicts]) => ({
      conditions: [...conditions, { kind: 'state' as const, states: [stateName(state)] }],
      verdict: Object.entries(verdicts)
        .flatMap(([name, value]) => partOf(name, value) ?? [])
        .find(isVerdict),
    }))
  })

/** Words of a line of `iptables -S`: a comment may be quoted. */
const wordsOf = (line: string): string[] => [...line.matchAll(/"((?:[^"\\]|\\.)*)"|\S+/g)].map(([word, quoted]) => quoted ?? word)

/** Options that restrict nothing, and modules whose options say what they restrict. */
const silent = new Set(['--comment', '--reject-with', '--log-prefix', '--log-level'])
const silentMatches = new Set([...stateMatches, 'comment'])

const verdictOfTarget = (target: string): NonNullable<Rule['verdict']> => {
  if (target === 'ACCEPT') return { kind: 'accept' }
  if (target === 'DROP' || target === 'REJECT') return { kind: 'drop' }
  return target === 'RETURN' ? { kind: 'return' } : { kind: 'jump', target }
}

const legacyRule = (words: readonly string[]): Rule => {
  const conditions: Condition[] = []
  let verdict: Rule['verdict']
  let negated = false
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? ''
    const value = words[at + 1] ?? ''
    if (word === '!') {
      negated = true
      continue
    }
    if (word === '-i' || word === '-o') conditions.push({ kind: word === '-i' ? 'iifname' : 'oifname', negated, names: [value] })
    else if ((word === '--ctstate' || word === '--state') && !negated) conditions.push({ kind: 'state', states: value.toLowerCase().split(',') })
    else if (word === '-j') verdict = verdictOfTarget(value)
    else if (word === '-g') verdict = { kind: 'goto', target: value }
    else if (!(silent.has(word) || (word === '-m' && silentMatches.has(value)))) conditions.push({ kind: 'unknown' })
    negated = false
    at++
  }
  return { conditions, verdict }
}

/** Of `iptables-legacy -S`: the policy of the chain FORWARD, and the rules of every chain. */
export const legacyRules = (text: string): { readonly policy: string; readonly rules: ReadonlyMap<string, readonly Rule[]> } => {
  const rules = new Map<string, Rule[]>()
  let policy = 'accept'
  for (const line of text.split('\n')) {
    const [kind, chain, ...rest] = wordsOf(line)
    if (chain === undefined) continue
    if (kind === '-P' && chain === 'FORWARD') policy = (rest[0] ?? 'accept').toLowerCase()
    if (kind === '-A') rules.set(chain, [...(rules.get(chain) ?? []), legacyRule(rest)])
  }
  return { policy, rules }
}
