/** What policy wants done about vulnerabilities that became known while their image runs: `whileRunning` of the AdmissionSettings. */
import type { Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { Engine } from '../../engine/engine.ts'
import type { Store } from '../../engine/store.ts'
import type { Environment } from '../../model/environment.ts'
import { dayfly } from '../../model/event.ts'
import type { RememberedVulnerability } from '../../model/inventory.ts'
import { isNewsTo } from '../../model/inventory.ts'
import type { AdmissionRequest } from '../../policy/decision.ts'
import { imagePolicyName } from '../../policy/images/policy.ts'
import type { Exemptions } from '../../policy/policy.ts'
import { createExemptions } from '../../policy/presets/exemptions.ts'
import { countsWhileRunning, runningPolicyName } from '../../policy/running.ts'
import type { PolicyFolder } from './policies.ts'

export interface RespondingParts {
  readonly store: Store
  readonly engine: Pick<Engine, 'noteFindings' | 'isolate' | 'isIsolated' | 'end'>
  readonly policies: Pick<PolicyFolder, 'assembly' | 'current'>
  readonly clock: Clock
  readonly log: Log
}

const mostNamed = 50
const warnedType = 'finding.warned'

/** What exemptions look at: the same as at its admission. */
const requestOf = ({ spec }: Environment, workload: string, digest: string, now: number): AdmissionRequest => {
  const name = spec.workloads[workload]?.imageName ?? digest
  return {
    object: { apiVersion: 'v1', kind: 'Pod', metadata: { name: workload, namespace: spec.name } },
    ...{ operation: 'UPDATE', namespace: spec.name, namespaceLabels: spec.labels, userInfo: { username: spec.owner, groups: [] } },
    ...{ instance: undefined, environment: undefined, now },
    images: { [workload]: { name, digest, findings: undefined, problems: [], labels: {}, signatures: undefined, dataFrom: undefined } },
  }
}

/** What is let through at admission is let through while it runs. */
const isExempted = (exemptions: Exemptions, { names, fingerprint }: RememberedVulnerability, request: AdmissionRequest): boolean =>
  names.some(id =>
    [imagePolicyName, runningPolicyName].some(
      policy => exemptions.find({ policy, rule: 'vulnerabilities', message: '', finding: { id, fingerprint } }, request) !== undefined,
    ),
  )

const describe = (found: readonly RememberedVulnerability[]): string => {
  const [first] = found
  if (first === undefined) return ''
  const { id, severity, exploited, package: of } = first
  const more = found.length > 1 ? ` and ${found.length - 1} more` : ''
  return `${id} (${severity}${exploited ? ', exploited' : ''}) in ${of.name} ${of.version}${more}`
}

/** Never rejects but by the signal; what could not be done is done by the next call. */
export const createResponding = ({ store, engine, policies, clock, log }: RespondingParts): ((signal: AbortSignal) => Promise<void>) => {
  /** By environment: what has become known since it runs the image, and is against the rules. */
  const against = (exemptions: Exemptions): Map<string, { environment: Environment; found: Map<string, RememberedVulnerability> }> => {
    const rules = policies.assembly().settings.whileRunning
    const now = clock.wall()
    const all = new Map<string, { environment: Environment; found: Map<string, RememberedVulnerability> }>()
    for (const digest of store.inventory.running()) {
      const counted = store.inventory.vulnerabilities(digest).filter(one => countsWhileRunning(one, rules))
      for (const { environment: id, workload, from } of counted.length === 0 ? [] : store.inventory.uses(digest)) {
        const environment = store.environment(id)
        if (environment?.state !== 'running') continue
        const request = requestOf(environment, workload, digest, now)
        const found = counted.filter(one => isNewsTo(one, from) && !isExempted(exemptions, one, request))
        if (found.length === 0) continue
        const before = all.get(id) ?? { environment, found: new Map() }
        for (const one of found) before.found.set(one.fingerprint, one)
        all.set(id, before)
      }
    }
    return all
  }

  const warn = (environment: Environment, found: readonly RememberedVulnerability[]): void => {
    const told = new Set(
      store
        .events({ environment: environment.id, types: [warnedType] })
        .flatMap(({ data }) => (Array.isArray(data['findings']) ? data['findings'] : [])),
    )
    const news = found.filter(({ fingerprint }) => !told.has(fingerprint))
    for (let at = 0; at < news.length; at += mostNamed) {
      const some = news.slice(at, at + mostNamed)
      const data = { policies: policies.current().version, findings: some.map(({ fingerprint }) => fingerprint), ids: some.map(({ id }) => id) }
      engine.noteFindings(() => [{ environment: environment.id, type: warnedType, reason: `policy warns of ${describe(some)}`, data }])
    }
  }

  const respond = async (environment: Environment, found: readonly RememberedVulnerability[], signal: AbortSignal): Promise<void> => {
    const { action } = policies.assembly().settings.whileRunning
    const { id } = environment
    if (action === 'warn') return warn(environment, found)
    const some = found.slice(0, mostNamed)
    const data = { policies: policies.current().version, findings: some.map(({ fingerprint }) => fingerprint), ids: some.map(one => one.id) }
    if (action === 'isolate' && !engine.isIsolated(id)) {
      await engine.isolate(id, `isolated by policy: ${describe(found)}`, data)
      log.warn('an environment is isolated', { environment: id, because: describe(found) })
    }
    if (action === 'end') {
      log.warn('an environment is ended by policy', { environment: id, because: describe(found) })
      // Not waited for: it may take as long as the stop signals' grace, and is finished whatever becomes of this daemon.
      engine
        .end(id, 'policy', `ended by policy: ${describe(found)}`, dayfly, false, signal)
        .catch((error: unknown) => log.warn('an environment that policy ends is not gone yet', { environment: id, error: messageOf(error) }))
    }
  }

  return async signal => {
    const assembly = policies.assembly()
    if (assembly.settings.whileRunning.action === 'none') return
    const exemptions = createExemptions(assembly.exemptions)
    await Promise.all(
      [...against(exemptions).values()].map(({ environment, found }) =>
        respond(environment, [...found.values()], signal).catch((error: unknown) => {
          if (!signal.aborted)
            log.error('what policy wants done about an environment could not be done; it is tried again', {
              environment: environment.id,
              error: messageOf(error),
            })
        }),
      ),
    )
  }
}
