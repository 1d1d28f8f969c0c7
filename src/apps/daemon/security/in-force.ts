/** What is in force: policies, rules of detection and exemptions, each with where it is written and whether it has said anything lately. */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { ExemptionView, PolicyList, RuleList } from '../../../api/schemas/rules.ts'
import type { Clock } from '../../../base/clock.ts'
import { errnoOf } from '../../../base/errors.ts'
import type { Store } from '../../../engine/store.ts'
import type { Event } from '../../../model/event.ts'
import { rulesInForce } from '../../../policy/summary.ts'
import type { Result, RuleText } from '../playground/messages.ts'
import type { Playground } from '../playground/playground.ts'
import type { PolicyFolder } from '../policies.ts'
import { readDetection } from './detection-entry.ts'

export interface InForceParts {
  readonly store: Pick<Store, 'events'>
  readonly policies: Pick<PolicyFolder, 'current' | 'assembly' | 'detection' | 'fault'>
  readonly policyFolder: string
  readonly ruleFolder: string
  readonly playground: Playground
  readonly clock: Pick<Clock, 'wall'>
}

export interface InForce {
  policies(): PolicyList
  rules(signal: AbortSignal): Promise<RuleList>
  exemptions(): ExemptionView[]
}

interface Hits {
  count: number
  last: number | null
}

const mostEntries = 2_000
const largestFile = 4 * 1024 * 1024
const mostFiles = 1_000

const count = (hits: Map<string, Hits>, key: string, time: number): void => {
  const before = hits.get(key)
  if (before === undefined) hits.set(key, { count: 1, last: time })
  else before.count++ // The newest come first.
}
const hitsOf = (hits: ReadonlyMap<string, Hits>, key: string): Hits => hits.get(key) ?? { count: 0, last: null }

const Objections = z.array(z.looseObject({ policy: z.string(), exemption: z.string().nullish() })).catch([])
const Admission = z.looseObject({ denials: Objections.default([]), warnings: Objections.default([]), audits: Objections.default([]) })

/** Rule files as the sensor has them: those of its folder, then those that the settings name. One that cannot be read is left to the sensor to complain of. */
const readRules = async (folder: string, named: readonly string[]): Promise<RuleText[]> => {
  const names = await readdir(folder).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  })
  const own = names.filter(name => /\.ya?ml$/i.test(name) && !name.startsWith('.')).sort()
  const texts: RuleText[] = []
  for (const path of [...own.map(name => join(folder, name)), ...named].slice(0, mostFiles)) {
    const size = (await stat(path).catch(() => undefined))?.size
    if (size !== undefined && size <= largestFile) texts.push({ path, text: await readFile(path, 'utf8') })
  }
  return texts
}

const patternsOf = (match: Readonly<Record<string, readonly string[] | undefined>>): ExemptionView['match'] =>
  Object.entries(match).flatMap(([field, patterns]) => (patterns === undefined ? [] : [{ field, patterns: [...patterns] }]))

const stateOf = (spec: { readonly from?: number | undefined; readonly until: number }, now: number): ExemptionView['state'] =>
  spec.until <= now ? 'over' : (spec.from ?? 0) > now ? 'coming' : 'in force'

export const createInForce = ({ store, policies, policyFolder, ruleFolder, playground, clock }: InForceParts): InForce => {
  const entries = (types: readonly string[]): Event[] => store.events({ types, newestFirst: true, limit: mostEntries })
  let listed: { readonly of: string; readonly result: Promise<Result['list']> } | undefined

  /** Reading all rules takes a while: again only when they are others. */
  const list = (files: readonly RuleText[], dayfly: boolean): Promise<Result['list']> => {
    const of = JSON.stringify([dayfly, files])
    if (listed?.of === of) return listed.result
    const result = playground.ask('list', { dayfly, files })
    listed = { of, result }
    result.catch(() => {
      if (listed?.result === result) listed = undefined
    })
    return result
  }

  return {
    policies: () => {
      const assembly = policies.assembly()
      const said = new Map<string, Hits>()
      const denied = new Map<string, Hits>()
      for (const { data, time } of entries(['admission.denied', 'admission.allowed'])) {
        const { denials, warnings, audits } = Admission.parse(data)
        for (const name of new Set([...denials, ...warnings, ...audits].map(({ policy }) => policy))) count(said, name, time)
        for (const name of new Set(denials.map(({ policy }) => policy))) count(denied, name, time)
      }
      const byName = Map.groupBy(rulesInForce(assembly), ({ policy }) => policy)
      return {
        ...{ version: policies.current().version, fault: policies.fault() ?? null, folder: policyFolder, notes: [...assembly.notes] },
        policies: [...byName].map(([name, rules]) => {
          const place = assembly.places.get(name)
          return {
            ...{ name, source: rules[0]?.from ?? 'file', file: place?.file ?? null, line: place?.line ?? null },
            rules: rules.map(({ rule, summary, actions }) => ({ rule, summary, actions: actions.map(action => action.toLowerCase()) })),
            ...{ hits: hitsOf(said, name), denied: hitsOf(denied, name).count },
          }
        }),
      }
    },
    rules: async () => {
      const { rules: settings } = policies.detection().settings
      const files = await readRules(ruleFolder, settings.files)
      const { rules, problems } = await list(files, settings.dayfly)
      const hits = new Map<string, Hits>()
      for (const event of entries(['detection.raised'])) {
        const detection = readDetection(event)
        if (detection !== undefined) count(hits, detection.rule, event.time)
      }
      return {
        rules: rules.map(rule => ({ ...rule, hits: hitsOf(hits, rule.name) })),
        ...{ problems: [...problems], files: files.map(({ path }) => path) },
      }
    },
    exemptions: () => {
      const now = clock.wall()
      const used = new Map<string, Hits>()
      for (const { data, time } of entries(['admission.denied', 'admission.allowed'])) {
        for (const name of new Set(Admission.parse(data).audits.flatMap(({ exemption }) => exemption ?? []))) count(used, `admission ${name}`, time)
      }
      for (const event of entries(['detection.raised'])) {
        const name = readDetection(event)?.exemption
        if (name !== undefined && name !== null) count(used, `detection ${name}`, event.time)
      }
      const views = [
        ...policies.assembly().exemptions.map(
          ({ metadata, spec }): ExemptionView => ({
            ...{ name: metadata.name, from: 'admission', match: patternsOf(spec.match), owner: spec.owner, reason: spec.reason },
            rules: spec.policies.flatMap(policy => (spec.rules === undefined ? [policy] : spec.rules.map(rule => `${policy}/${rule}`))),
            ...{ begins: spec.from ?? null, ends: spec.until, state: stateOf(spec, now), hits: hitsOf(used, `admission ${metadata.name}`) },
          }),
        ),
        ...policies.detection().exemptions.map(
          ({ metadata, spec }): ExemptionView => ({
            ...{
              name: metadata.name,
              from: 'detection',
              rules: [...spec.rules],
              match: patternsOf(spec.match),
              owner: spec.owner,
              reason: spec.reason,
            },
            ...{ begins: spec.from ?? null, ends: spec.until, state: stateOf(spec, now), hits: hitsOf(used, `detection ${metadata.name}`) },
          }),
        ),
      ]
      return views.sort((left, right) => Number(left.state === 'over') - Number(right.state === 'over') || left.ends - right.ends)
    },
  }
}
