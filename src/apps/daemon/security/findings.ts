/** All that is known to be wrong with what runs and what ran, by risk: vulnerabilities, secrets and misconfigurations of images, detections, denials. */
import { setImmediate as turn } from 'node:timers/promises'
import { z } from 'zod'
import type { FindingGroupView, FindingList, FindingQuery } from '../../../api/schemas/security.ts'
import { throwIfAborted } from '../../../base/abort.ts'
import type { Clock } from '../../../base/clock.ts'
import { DayflyError } from '../../../base/errors.ts'
import type { Store } from '../../../engine/store.ts'
import type { Event } from '../../../model/event.ts'
import { compareSeverity } from '../../../model/finding.ts'
import { isLive } from '../../../model/instance.ts'
import type { PastUse, RememberedImage, RememberedVulnerability } from '../../../model/inventory.ts'
import { readDetection } from './detection-entry.ts'
import type { Groups, Occurrence } from './groups.ts'
import { createGroups } from './groups.ts'
import type { KnownImages } from './known-images.ts'
import { emptyCounts, severityOf } from './risk.ts'

export interface FindingParts {
  readonly store: Pick<Store, 'inventory' | 'events' | 'environment' | 'instance'>
  readonly known: KnownImages
  /** EPSS and what advisories call it, by the data in force. */
  readonly about: (names: readonly string[]) => { readonly epss: number | null; readonly title: string | null }
  /** Has what is known already written down. */
  readonly flush: () => void
  readonly dataFrom: () => number | null
  readonly clock: Pick<Clock, 'wall'>
}

/** Whether the caller may see an environment. */
export type Sees = (environment: string) => boolean
export const seesAll: Sees = () => true

/** Uses of one image, and entries of all records, that are looked at. */
const mostUses = 500
const mostEntries = 2_000
/** ms for images that nobody has looked into since the daemon has started. */
const patience = 500

type Where = FindingGroupView['where'][number]

const whereOf = (image: RememberedImage, uses: readonly PastUse[]): Where[] =>
  uses.map(({ environment, workload, running, from, until }) => ({
    ...{ environment, workload, running, from, until: until ?? null },
    image: { digest: image.digest, name: image.names[0] ?? image.digest },
  }))

const Denied = z.looseObject({
  workload: z.string().catch(''),
  denials: z.array(z.looseObject({ policy: z.string(), rule: z.string(), message: z.string() })).catch([]),
})

export const createFindings = (parts: FindingParts): ((query: FindingQuery, sees: Sees, signal: AbortSignal) => Promise<FindingList>) => {
  const { store, known, about, flush, dataFrom, clock } = parts

  const ofVulnerability = (image: RememberedImage, where: readonly Where[], one: RememberedVulnerability): Occurrence => {
    const { epss, title } = about(one.names)
    return {
      ...{ key: `vulnerability ${one.id} ${one.package.name}`, kind: 'vulnerability', id: one.id, aliases: one.names },
      ...{ title: title ?? `${one.id} in ${one.package.name}`, severity: one.severity, exploited: one.exploited, epss, settled: one.settled },
      ...{ package: one.package, fixed: one.fixed, image: image.digest, where },
    }
  }

  const addImages = async (groups: Groups, sees: Sees, signal: AbortSignal): Promise<number> => {
    const images = store.inventory.images()
    for (const image of images) known.flaws(image)
    await known.settled(patience)
    let pending = 0
    for (const image of images) {
      throwIfAborted(signal)
      const uses = store.inventory.history(image.digest, mostUses).filter(({ environment }) => sees(environment.id))
      if (uses.length === 0) continue
      const where = whereOf(image, uses)
      for (const one of known.vulnerabilities(image)) groups.add(ofVulnerability(image, where, one))
      const flaws = known.flaws(image)
      if (flaws === undefined) pending++
      for (const { kind, id, title, severity, fingerprint } of [...(flaws?.secrets ?? []), ...(flaws?.misconfigurations ?? [])]) {
        groups.add({
          // Two secrets are two things; a file too many with setuid is what the rule is about.
          ...{ key: kind === 'secret' ? `secret ${fingerprint}` : `${kind} ${id}`, kind, id, aliases: [], title, severity },
          ...{ exploited: false, epss: null, settled: false, package: undefined, fixed: undefined, image: image.digest, where },
        })
      }
      // A hundred images are a tenth of a second: others get their turn.
      await turn()
    }
    return pending
  }

  const placeOf = (event: Event, workload: string | null): Where | undefined => {
    const environment = store.environment(event.environment)
    if (environment === undefined) return undefined
    const { id, spec, state } = environment
    const instance = event.instance === undefined ? undefined : store.instance(event.instance)
    const name = workload ?? instance?.workload ?? null
    const image = name === null ? undefined : spec.workloads[name]
    const running = instance === undefined ? state === 'running' && event.type === 'detection.raised' : isLive(instance.state)
    return {
      environment: { id, name: spec.name, owner: spec.owner },
      workload: name,
      image: image === undefined ? null : { digest: image.image, name: image.imageName },
      ...{ running: running ? 1 : 0, from: event.time, until: running ? null : event.time },
    }
  }

  const addDetections = (groups: Groups, sees: Sees): void => {
    for (const event of store.events({ types: ['detection.raised'], newestFirst: true, limit: mostEntries })) {
      const detection = sees(event.environment) ? readDetection(event) : undefined
      const place = detection && placeOf(event, null)
      if (detection === undefined || place === undefined) continue
      const { rule, priority, output } = detection
      groups.add({
        ...{ key: `detection ${rule}`, kind: 'detection', id: rule, aliases: [], title: output, severity: severityOf(priority) },
        ...{ exploited: false, epss: null, settled: detection.exemption !== null, package: undefined, fixed: undefined },
        ...{ image: undefined, where: [place] },
      })
    }
  }

  /** Nothing came of these: whoever tries it again and again is what there is to see. */
  const addDenials = (groups: Groups, sees: Sees): void => {
    for (const event of store.events({ types: ['admission.denied'], newestFirst: true, limit: mostEntries })) {
      if (!sees(event.environment)) continue
      const { denials, workload } = Denied.parse(event.data)
      const place = placeOf(event, workload === '' ? null : workload)
      if (place === undefined) continue
      const once = new Map(denials.map(denial => [`${denial.policy} ${denial.rule}`, denial]))
      for (const [name, { policy, rule, message }] of once) {
        groups.add({
          ...{ key: `policy ${name}`, kind: 'policy', id: `${policy}/${rule}`, aliases: [], title: message, severity: 'negligible' },
          ...{ exploited: false, epss: null, settled: false, package: undefined, fixed: undefined, image: undefined, where: [place] },
        })
      }
    }
  }

  const holds = (one: FindingGroupView, query: FindingQuery): boolean => {
    const { kind, severity, running, exploited, fixable, settled, image, environment, text } = query
    const has = (value: string, part: string): boolean => value.toLowerCase().includes(part.toLowerCase())
    return (
      (kind === undefined || one.kind === kind) &&
      (severity === undefined || compareSeverity(one.severity, severity) >= 0) &&
      (!running || one.running > 0) &&
      (!exploited || one.exploited) &&
      (!fixable || one.fixed !== null) &&
      (settled || !one.settled) &&
      (image === undefined || one.where.some(place => place.image !== null && (place.image.digest === image || has(place.image.name, image)))) &&
      (environment === undefined || one.where.some(place => place.environment.id === environment || place.environment.name === environment)) &&
      (text === undefined || [one.id, one.title, one.package?.name ?? '', ...one.aliases].some(value => has(value, text)))
    )
  }

  return async (query, sees, signal) => {
    flush()
    const groups = createGroups()
    const wanted = (kind: FindingGroupView['kind']): boolean => query.kind === undefined || query.kind === kind
    const pending = wanted('vulnerability') || wanted('secret') || wanted('misconfiguration') ? await addImages(groups, sees, signal) : 0
    if (wanted('detection')) addDetections(groups, sees)
    if (wanted('policy')) addDenials(groups, sees)
    const all = groups.list(clock.wall()).filter(one => holds(one, query))
    const from = query.after === undefined ? 0 : all.findIndex(({ key }) => key === query.after) + 1
    if (query.after !== undefined && from === 0) {
      throw new DayflyError('invalid', 'after: there is no such finding any more', { field: 'after', remedy: 'Begin with the first page again.' })
    }
    const page = all.slice(from, from + query.limit)
    const counts = emptyCounts()
    for (const { severity } of all) counts[severity]++
    return {
      findings: page,
      next: from + page.length < all.length ? (page.at(-1)?.key ?? null) : null,
      total: all.length,
      severities: counts,
      running: all.filter(one => one.running > 0).length,
      // Whose these are is not known either.
      unknown: sees === seesAll ? [...store.inventory.who({ image: 'sha256:none', limit: 1 }).unknown] : [],
      pending,
      dataFrom: dataFrom(),
    }
  }
}
