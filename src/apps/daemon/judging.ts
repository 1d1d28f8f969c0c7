/** Puts admission together: policies, trusted keys, vulnerability data, and what is known of images. */
import { join } from 'node:path'
import { PackageURL } from 'packageurl-js'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Admission } from '../../engine/admission.ts'
import { parseReference } from '../../host/image/reference.ts'
import type { Vulnerabilities } from '../../scan/vulnerabilities/vulnerabilities.ts'
import { openVulnerabilities } from '../../scan/vulnerabilities/vulnerabilities.ts'
import { createAdmission } from './admission.ts'
import type { Evidence, Examined } from './evidence.ts'
import { createEvidence } from './evidence.ts'
import type { FieldSearch } from './given.ts'
import { createGiven } from './given.ts'
import type { DaemonImages } from './images.ts'
import type { KeepingParts } from './keeping.ts'
import { createMatching } from './matching.ts'
import type { DaemonOptions } from './options.ts'
import type { PolicyFolder } from './policies.ts'
import { openPolicies } from './policies.ts'
import type { Trust } from './trust.ts'
import { createTrust } from './trust.ts'
import type { Demanded } from './vouching.ts'
import { createVouching } from './vouching.ts'

export interface Judging {
  readonly admission: Admission
  readonly evidence: Evidence
  readonly policies: PolicyFolder
  readonly vulnerabilities: Vulnerabilities
  readonly trust: Trust
  /** Against the vulnerability data in force, in a thread. Rejects as `Matching` does. */
  readonly match: KeepingParts['match']
}

/** How OpenVEX documents call an image of a registry: `pkg:oci/app@sha256%3A…?repository_url=registry.example/team/app`. */
const purlOf = (digest: string, name: string): string[] => {
  try {
    const reference = parseReference(name)
    if (reference.kind === 'local') return []
    const repository = `${reference.registry}/${reference.repository}`
    const short = reference.repository.slice(reference.repository.lastIndexOf('/') + 1)
    return [new PackageURL('oci', undefined, short, digest, { repository_url: repository }, undefined).toString()]
  } catch {
    return [] // A digest is no name.
  }
}

/** Where the daemon's vulnerability data is. */
export const vulnerabilitiesIn = (stateDir: string): string => join(stateDir, 'vulnerabilities')

export const openJudging = async (
  { stateDir, policies: folder, preset }: Pick<DaemonOptions, 'stateDir' | 'policies' | 'preset'>,
  images: Pick<DaemonImages, 'facts' | 'labelsOf' | 'uidOf' | 'whenPulled'>,
  search: FieldSearch,
  clock: Clock,
  log: Log,
  examined: (found: Examined) => void,
  stack: AsyncDisposableStack,
): Promise<Judging> => {
  const policies = stack.use(await openPolicies({ folder: folder ?? join(stateDir, 'policies'), required: folder !== undefined, preset, clock, log }))
  const trust = await createTrust(join(stateDir, 'trust'))
  const demanded = (): Demanded => {
    const { signature, attestations } = policies.assembly().settings.images
    return { keys: signature?.keys ?? [], types: attestations?.types ?? [] }
  }
  const { vouch, renew } = createVouching({ folder: join(stateDir, 'vouched'), trust, demanded, clock, log })
  const vulnerabilities = stack.use(openVulnerabilities(vulnerabilitiesIn(stateDir)))
  const matching = stack.use(createMatching({ folder: vulnerabilitiesIn(stateDir) }))
  if (vulnerabilities.version !== undefined) matching.warm()
  const match: Judging['match'] = async ({ packages, distribution, digest }, names, signal) => {
    const products = [digest, ...names.flatMap(name => purlOf(digest, name))]
    // Without data there is little to do.
    if (vulnerabilities.version === undefined) return vulnerabilities.match(packages, distribution, clock.wall(), { products })
    return await matching.match({ packages, distribution, products, now: clock.wall() }, signal)
  }
  const evidence = createEvidence({
    facts: images.facts,
    labelsOf: images.labelsOf,
    ...{ match, vouch, examined },
    version: () => vulnerabilities.version,
  })
  let inForce = policies.current()
  const evidenceOf: Evidence['of'] = (digest, name, signal) => {
    // Other policies may demand of registries what nobody has asked for yet.
    if (policies.current() !== inForce) evidence.renew()
    inForce = policies.current()
    return evidence.of(digest, name, signal)
  }
  // Who pulls an image anew wants to know what its registry says now, also of who vouches for it.
  images.whenPulled(digest => {
    renew(digest)
    evidence.renew(digest)
  })
  const admission = createAdmission({ policies: policies.current, evidenceOf, uidOf: images.uidOf, given: createGiven(search), clock })
  return { admission, evidence, policies, vulnerabilities, trust, match }
}
