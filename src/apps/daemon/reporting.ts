/** Gathers what a report is made of: from the store, and from what was kept of what instances did, in bounded size. */
import { setImmediate as turn } from 'node:timers/promises'
import { z } from 'zod'
import type { Store } from '../../engine/store.ts'
import type { Activity, Sample } from '../../model/activity.ts'
import type { Environment } from '../../model/environment.ts'
import type { Event } from '../../model/event.ts'
import type { Instance } from '../../model/instance.ts'
import type { Report, ReportInstance } from '../../model/report.ts'
import type { PriceTable } from '../../model/usage.ts'
import { costOf } from '../../model/usage.ts'
import { createRecordFindings } from '../../report/findings.ts'
import type { Place } from '../../report/network.ts'
import { createPeerList } from '../../report/network.ts'
import { reportPieces } from '../../report/page.ts'
import { createProcessList } from '../../report/processes.ts'
import { seriesOf } from '../../report/series.ts'
import type { ActivitySearch } from './activity-search.ts'
import type { RecordSources } from './record-members.ts'
import { entriesOf, sizeOf } from './record-members.ts'

export interface ReportingParts extends RecordSources {
  readonly prices: PriceTable
}

const most = { instances: 500, events: 2000, verdicts: 200, findings: 1000, processes: 1500, peers: 500, series: 60, points: 240, images: 100 }
/** Entries of activity that are looked at, of each question, and at once. */
const mostLooked = 40_000
const page = 1000
/** ms for one of them, its waiting for searches of others included. */
const patience = 60_000

/** Marks that programs compare; people have no use for them. */
const untold = new Set(['gateway.access_log', 'activity.kept', 'sensor.totals', 'instance.used'])

const some = <T>(items: readonly T[], limit: number): { items: T[]; more: number } => ({
  items: items.slice(0, limit),
  more: Math.max(0, items.length - limit),
})

/** Oldest first. Returns whether that was all. */
const look = async (
  search: ActivitySearch['search'],
  environment: string,
  types: readonly string[],
  see: (activity: Activity) => void,
): Promise<boolean> => {
  let after: number | undefined
  for (let seen = 0; seen < mostLooked; ) {
    const filter = { environment, types, oldestFirst: true, limit: page, ...(after === undefined ? {} : { after }) }
    const found = await search(filter, AbortSignal.timeout(patience))
    for (const { activity } of found) see(activity)
    seen += found.length
    if (found.length < page) return true
    after = found.at(-1)?.position
  }
  return false
}

const Counts = z.record(z.string(), z.number())
const Totals = z.looseObject({ emitted: Counts })

const addressesOf = (instances: readonly Instance[]): ReadonlyMap<string, Place> =>
  new Map(instances.flatMap(({ id, workload, address }) => (address === undefined ? [] : [[address, { instance: id, workload }] as const])))

export const gatherReport = async (parts: ReportingParts, environment: Environment): Promise<Report> => {
  const { store } = parts
  const { id, spec } = environment
  const instances = store.instances(id)
  const byId = new Map(instances.map(instance => [instance.id, instance]))
  const workloadOf = (instance: string): string | null => byId.get(instance)?.workload ?? null
  const peers = createPeerList(most.peers, workloadOf, addressesOf(instances))
  const findings = createRecordFindings(workloadOf, most)
  const processes = createProcessList(most.processes)

  const events: Report['events']['items'] = []
  const counts: Record<string, number> = {}
  const ends = new Map<string, number>()
  let eventsLeft = 0
  let head = { entries: 0, hash: '' }
  let createdBy = ''
  let isolated = false
  let sealed = false
  let lost = 0
  const see = (event: Event): void => {
    const { sequence, time, type, instance = null, actor, reason, data } = event
    head = { entries: sequence, hash: event.hash }
    if (sequence === 1) createdBy = actor.name
    if (type === 'environment.isolated') isolated = true
    if (type === 'record.sealed') sealed = true
    if (type === 'activity.lost' && typeof data['entries'] === 'number') lost += data['entries']
    if (instance !== null && /^instance\.(exited|failed|lost)$/.test(type)) ends.set(instance, time)
    if (type === 'sensor.totals') {
      const parsed = Totals.safeParse(data)
      for (const [name, count] of Object.entries(parsed.success ? parsed.data.emitted : {})) counts[name] = (counts[name] ?? 0) + count
    }
    peers.seeRecord(event)
    findings.see(event)
    if (untold.has(type)) return
    if (events.length < most.events) events.push({ sequence, time, type, instance, actor: actor.name, reason })
    else eventsLeft++
  }
  for await (const entries of entriesOf(store, id)) for (const entry of entries) see(entry)

  const kept = await isKept(parts.archive, id)
  const samples = new Map<string, Sample[]>()
  let complete = true
  if (kept) {
    complete = await look(parts.search, id, ['exec', 'fork', 'exit'], one => void (one.type !== 'sample' && processes.see(one)))
    complete =
      (await look(parts.search, id, ['connect', 'sendto', 'accept', 'dns'], one => void (one.type !== 'sample' && peers.seeKernel(one)))) && complete
    complete =
      (await look(parts.search, id, ['sample'], one => {
        if (one.type !== 'sample') return
        const those = samples.get(one.instance)
        if (those === undefined) samples.set(one.instance, [one])
        else those.push(one)
      })) && complete
  }

  const used = store.usage.of(id)
  const shown: ReportInstance[] = []
  for (const instance of instances.slice(0, most.instances)) {
    const { workload, origin, replica, state, reason, start, createdAt, startedAt, exit } = instance
    shown.push({
      ...{ id: instance.id, workload, image: origin?.image ?? null, replica, state, reason, start: start ?? null, createdAt },
      ...{ startedAt: startedAt ?? null, endedAt: exit?.endedAt ?? ends.get(instance.id) ?? null, exit: exit ?? null },
      ...{ log: await sizeOf(parts.logPath(instance)), usage: used.get(instance.id) ?? null },
    })
  }
  const images = [...new Set([...Object.values(spec.workloads).map(({ image }) => image), ...instances.flatMap(({ origin }) => origin?.image ?? [])])]
  const signature = store.signatures.of(id)
  const { onIdle = 'end', ttl, idle, retention } = spec.lease
  const { verdicts, found } = findings.list()

  return {
    environment: {
      ...{ id, name: spec.name, owner: spec.owner, labels: spec.labels, state: environment.state, reason: environment.reason },
      ...{ cause: environment.cause ?? null, createdBy, createdAt: environment.createdAt, endedAt: environment.endedAt ?? null },
      ...{ lease: { ttl, idle, retention, onIdle }, isolated },
    },
    workloads: Object.entries(spec.workloads).map(
      ([name, { kind, image, imageName, command, user, runtime, limits, egress, egressDomains = [] }]) => ({
        ...{ name, kind, image, imageName, command, user, runtime, cpus: limits.cpus, memory: limits.memory },
        egress: [
          ...egress.map(({ cidr, port }) => (port === undefined ? cidr : `${cidr}:${port}`)),
          ...egressDomains.map(({ domain, port }) => (port === undefined ? domain : `${domain}:${port}`)),
        ],
      }),
    ),
    images: some(
      images.map(digest => imageOf(store, digest)),
      most.images,
    ),
    instances: { items: shown, more: Math.max(0, instances.length - shown.length) },
    verdicts,
    events: { items: events, more: eventsLeft },
    activity: { kept, lost, counts, complete },
    processes: processes.list(),
    network: peers.list(),
    findings: found,
    resources: some(
      [...samples].map(([instance, those]) => ({ instance, points: seriesOf(those, most.points) })),
      most.series,
    ),
    cost: costNow(store, id, parts.prices),
    seal: {
      sealed,
      entries: head.entries,
      head: head.hash,
      key: signature?.keyId ?? null,
      signedAt: signature === undefined ? null : new Date(signature.signedAt).toISOString(),
    },
  }
}

const isKept = async (archive: ReportingParts['archive'], environment: string): Promise<boolean> => {
  await using activity = await archive.snapshot()
  return ((await activity?.place(environment))?.head.entries ?? 0) > 0
}

const imageOf = ({ inventory }: Pick<Store, 'inventory'>, digest: string): Report['images']['items'][number] => {
  const image = inventory.image(digest)
  if (image === undefined) return { digest, names: [], distribution: null, packages: 0, vulnerabilities: {}, problems: [], scannedAt: null }
  const vulnerabilities: Record<string, number> = {}
  for (const { severity, settled } of inventory.vulnerabilities(digest))
    if (!settled) vulnerabilities[severity] = (vulnerabilities[severity] ?? 0) + 1
  const { names, distribution, problems, scannedAt } = image
  return {
    ...{ digest, names: [...names], distribution: distribution === undefined ? null : `${distribution.id} ${distribution.version}`.trim() },
    ...{ packages: inventory.packages(digest).length, vulnerabilities, problems: [...problems], scannedAt },
  }
}

const costNow = ({ usage }: Pick<Store, 'usage'>, environment: string, prices: PriceTable): Report['cost'] => {
  const all = [...usage.of(environment).values()]
  const sum = (of: (one: (typeof all)[number]) => number): number => all.reduce((total, one) => total + of(one), 0)
  const cost = costOf(
    {
      ...{ cpuSeconds: sum(one => one.cpuSeconds), memoryGiBSeconds: sum(one => one.memoryGiBSeconds), sent: sum(one => one.sent) },
      ...{ idleGiBSeconds: sum(one => one.idleGiBSeconds), savedGiBSeconds: 0 },
    },
    prices,
  )
  return { currency: prices.currency, measured: all.length, cost }
}

/** It takes a while: others get their turn in between. */
export const reportPage = async (report: Report): Promise<string> => {
  const pieces: string[] = []
  for (const piece of reportPieces(report)) {
    pieces.push(piece)
    await turn()
  }
  return pieces.join('')
}
