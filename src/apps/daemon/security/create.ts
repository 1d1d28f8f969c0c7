/** Security in the words of the API. */
import { join } from 'node:path'
import type { Security } from '../../../api/security-services.ts'
import type { Clock } from '../../../base/clock.ts'
import { remember } from '../../../base/remember.ts'
import type { Vulnerabilities } from '../../../scan/vulnerabilities/vulnerabilities.ts'
import type { DaemonOptions } from '../options.ts'
import type { Parts } from '../parts.ts'
import { createDetections } from './detections.ts'
import type { FindingParts } from './findings.ts'
import { createFindings, seesAll } from './findings.ts'
import { createInForce } from './in-force.ts'
import { createInventoryView } from './inventory.ts'
import { createKnownImages } from './known-images.ts'
import { recordedSubjects } from './subjects.ts'

/** Vulnerabilities of which is remembered what the data says. */
const mostKnown = 50_000
/** ms that recorded events are looked at: the playground's deadline is later. */
const judgedFor = 2_500

/** What the data says of a vulnerability, asked once of each version of the data. Damaged data says nothing: `dayfly vulndb status` tells of it. */
const aboutBy = (vulnerabilities: Vulnerabilities): FindingParts['about'] => {
  let version: string | undefined
  const known = new Map<string, ReturnType<FindingParts['about']>>()
  return names => {
    if (version !== vulnerabilities.version) known.clear()
    version = vulnerabilities.version
    const key = names.join(' ')
    const before = known.get(key)
    if (before !== undefined) return before
    const { epss, title } = vulnerabilities.about(names)
    const said = { epss: epss ?? null, title: title ?? null }
    remember(known, key, said, mostKnown)
    return said
  }
}

type SecurityParts = Pick<Parts, 'store' | 'engine' | 'images' | 'judging' | 'keeping' | 'activitySearch' | 'playground'>

export const createSecurity = (
  { stateDir, policies: folder }: Pick<DaemonOptions, 'stateDir' | 'policies'>,
  { store, engine, images, judging, keeping, activitySearch, playground }: SecurityParts,
  clock: Clock,
): Security => {
  const { policies, vulnerabilities } = judging
  const known = createKnownImages(store.inventory, images)
  const findings = createFindings({
    ...{ store, known, clock, about: aboutBy(vulnerabilities), flush: keeping.flush },
    dataFrom: () => vulnerabilities.status(clock.wall()).newest ?? null,
  })
  const detections = createDetections({ store, activity: activitySearch })
  const inventory = createInventoryView({ store, known, images, engine, flush: keeping.flush })
  const inForce = createInForce({
    ...{ store, policies, playground, clock, policyFolder: folder ?? join(stateDir, 'policies') },
    ruleFolder: join(stateDir, 'rules'),
  })
  return {
    findings: (query, signal, sees = seesAll) => findings(query, sees, signal),
    detections: (query, sees = seesAll) => detections.list(query, sees),
    story: (id, signal, sees = seesAll) => detections.story(id, sees, signal),
    inventory: (sees = seesAll) => inventory.list(sees),
    inventoryOf: (digest, sees = seesAll) => inventory.detail(digest, sees),
    policies: inForce.policies,
    rules: inForce.rules,
    exemptions: inForce.exemptions,
    tryPolicy: (request, signal) => playground.ask('policy', { ...request, now: clock.wall() }, signal),
    tryRule: ({ rules, dayfly, cases, environment }, signal) =>
      playground.ask(
        'rule',
        {
          ...{ rules, dayfly, cases, milliseconds: judgedFor },
          recorded: environment === undefined ? undefined : { environment, subjects: recordedSubjects(store, environment) },
        },
        signal,
      ),
  }
}
