/** What a record says of verdicts, findings, detections and what was done about them. */
import { z } from 'zod'
import type { Event } from '../model/event.ts'
import type { Report } from '../model/report.ts'

type Verdict = Report['verdicts']['items'][number]
type Finding = Report['findings']['items'][number]

export interface RecordFindings {
  see(event: Event): void
  list(): { readonly verdicts: Report['verdicts']; readonly found: Report['findings'] }
}

const Objection = z
  .looseObject({ policy: z.string(), rule: z.string(), message: z.string(), exemption: z.string().nullish() })
  .transform(({ policy, rule, message, exemption }) => ({ policy, rule, message, exemption: exemption ?? null }))
const Objections = z.array(Objection).catch([])
const Admission = z.looseObject({
  workload: z.string().catch(''),
  denials: Objections.default([]),
  warnings: Objections.default([]),
  audits: Objections.default([]),
  left: z.int().catch(0),
})

const text = (data: Event['data'], name: string): string | undefined => {
  const value = data[name]
  return typeof value === 'string' ? value : undefined
}
const texts = (data: Event['data'], name: string): string[] => {
  const value = data[name]
  return Array.isArray(value) ? value.filter(one => typeof one === 'string') : []
}

/** What of an event's type its kind, and its severity where its data says none, are. */
const kinds: Readonly<Record<string, readonly [kind: string, severity: string]>> = {
  'finding.raised': ['vulnerability', ''],
  'finding.warned': ['policy', 'warning'],
  'detection.raised': ['detection', ''],
  'detection.repeated': ['detection', 'again'],
  'response.taken': ['response', 'taken'],
  'response.failed': ['response', 'failed'],
  'response.withheld': ['response', 'withheld'],
  'environment.isolated': ['response', 'isolated'],
  'instance.frozen': ['response', 'frozen'],
  'instance.thawed': ['response', 'thawed'],
  'forensics.taken': ['response', 'evidence'],
}

/** Words of all kinds, the most severe first. What is none of them stands with warnings: it tells what was done about something. */
const severities: readonly (readonly string[])[] = [
  ...[
    ['emergency'],
    ['alert'],
    ['critical'],
    ['error', 'high'],
    ['warning', 'medium'],
    ['notice', 'low'],
    ['informational', 'info', 'negligible', 'unknown'],
  ],
  ['debug'],
]
const ranks = new Map(severities.flatMap((words, rank) => words.map(word => [word, rank] as const)))
const rankOf = ({ severity }: Finding): number => ranks.get(severity.toLowerCase()) ?? ranks.get('warning') ?? 0

/** As many as are worth showing, of any number: the first ones in `order`, those that are equal in it as they came. */
const bounded = <T>(most: number, order: (left: T, right: T) => number) => {
  let items: T[] = []
  let more = 0
  const cut = (): void => {
    items.sort(order)
    more += Math.max(0, items.length - most)
    items = items.slice(0, most)
  }
  return {
    push: (item: T): void => {
      items.push(item)
      if (items.length >= 2 * most) cut()
    },
    list: (): { items: T[]; more: number } => {
      cut()
      return { items: [...items], more }
    },
  }
}

/** At most so many verdicts, refusals before others, and findings, the most severe first. */
export const createRecordFindings = (
  workloadOf: (instance: string) => string | null,
  most: { readonly verdicts: number; readonly findings: number },
): RecordFindings => {
  const verdicts = bounded<Verdict>(most.verdicts, (left, right) => Number(left.allowed) - Number(right.allowed))
  const found = bounded<Finding>(most.findings, (left, right) => rankOf(left) - rankOf(right))

  return {
    see: ({ type, time, instance = null, actor, reason, data }) => {
      if (type === 'admission.allowed' || type === 'admission.denied') {
        const parsed = Admission.safeParse(data)
        if (!parsed.success) return
        const { workload, denials, warnings, audits, left } = parsed.data
        verdicts.push({ time, workload, allowed: type === 'admission.allowed', actor: actor.name, reason, denials, warnings, audits, more: left })
        return
      }
      const [kind, usual] = kinds[type] ?? []
      if (kind === undefined || usual === undefined) return
      const measured = kind === 'response' ? text(data, 'action') : undefined
      found.push({
        ...{ time, kind, instance },
        severity: measured ?? text(data, 'severity') ?? text(data, 'priority') ?? usual,
        id: text(data, 'rule') ?? text(data, 'id') ?? '',
        workload: text(data, 'workload') ?? (instance === null ? null : workloadOf(instance)),
        message: text(data, 'output') ?? reason,
        tags: texts(data, 'tags'),
      })
    },
    list: () => ({ verdicts: verdicts.list(), found: found.list() }),
  }
}
