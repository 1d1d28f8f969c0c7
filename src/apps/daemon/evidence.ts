/** What is known of an image when its admission is asked for: found out once, and the same object until something else is known. */

import { abortable } from '../../base/abort.ts'
import { remember } from '../../base/remember.ts'
import type { VulnerabilityFinding } from '../../model/finding.ts'
import type { ImageEvidence, VerifiedSignature } from '../../policy/decision.ts'
import { misconfigurationsOfName } from '../../scan/misconfigurations.ts'
import type { DatedFacts } from './scanning.ts'

export interface Matched {
  readonly findings: readonly VulnerabilityFinding[]
  /** Wall ms of the newest data; undefined where there is none. */
  readonly dataFrom: number | undefined
  /** What there is no data about: nobody knows what is wrong with it. */
  readonly problems: readonly string[]
}

export interface Vouched {
  /** Undefined: nobody could look. */
  readonly signatures: readonly VerifiedSignature[] | undefined
  /** ms for which there is no need to ask again; undefined: for ever. */
  readonly lasts: number | undefined
}

/** What was found out about an image, before anybody vouched for it. */
export interface Examined {
  readonly name: string
  readonly facts: DatedFacts
  readonly matched: Matched
  /** Of the vulnerability data. */
  readonly data: string | undefined
}

export interface EvidenceParts {
  facts(digest: string, signal: AbortSignal): Promise<DatedFacts>
  labelsOf(digest: string): Promise<Readonly<Record<string, string>>>
  /** Against the vulnerability data in force. `names`: what the image is called. */
  match(facts: DatedFacts, names: readonly string[], signal: AbortSignal): Promise<Matched>
  /** Changes with that data. Cheap: it is asked at each start. */
  version(): string | undefined
  /** By trusted keys. */
  vouch(digest: string, name: string, signal: AbortSignal): Promise<Vouched>
  /** Is told what was found out. Must not throw, nor take long: a start waits. */
  examined(found: Examined): void
}

export interface Evidence {
  of(digest: string, name: string, signal: AbortSignal): Promise<ImageEvidence>
  /** Something else may be known from now on, beside other vulnerability data: of one image, or of all. */
  renew(digest?: string): void
}

interface Found {
  readonly evidence: ImageEvidence
  /** On the clock of `performance.now`, ms. */
  readonly until: number
}

/** Images in memory. */
const mostKnown = 256
/** ms after which what is known only in part is looked for again. */
const tryAgainAfter = 60_000
/** For one image, a scan of all its layers included (ms). */
const patience = 300_000

export const createEvidence = ({ facts, labelsOf, match, version, vouch, examined }: EvidenceParts): Evidence => {
  const known = new Map<string, Promise<Found>>()
  let data = version()

  const find = async (digest: string, name: string, signal: AbortSignal): Promise<Found> => {
    const [of, labels, vouched] = await Promise.all([facts(digest, signal), labelsOf(digest), vouch(digest, name, signal)])
    // Before: data that comes meanwhile makes it known by the older one, which is then looked at again.
    const by = version()
    const matched = await match(of, [name], signal)
    examined({ name, facts: of, matched, data: by })
    const evidence = {
      ...{ name, digest, labels },
      // What there is no data about, recent data about the rest does not make up for.
      dataFrom: matched.problems.length > 0 ? undefined : matched.dataFrom,
      findings: of.failed ? undefined : [...matched.findings, ...of.secrets, ...of.misconfigurations, ...misconfigurationsOfName(name)],
      problems: of.problems,
      signatures: vouched.signatures,
    }
    const partly = evidence.problems.length > 0 ? tryAgainAfter : Number.POSITIVE_INFINITY
    return { evidence, until: performance.now() + Math.min(vouched.lasts ?? partly, partly) }
  }

  /** For all who ask meanwhile: none of them takes it away from the others by going. */
  const look = (key: string, digest: string, name: string): Promise<Found> => {
    const finding = find(digest, name, AbortSignal.timeout(patience))
    remember(known, key, finding, mostKnown)
    finding.catch(() => known.get(key) === finding && known.delete(key))
    return finding
  }

  return {
    of: async (digest, name, signal) => {
      if (data !== version()) known.clear()
      data = version()
      const key = `${digest} ${name}`
      const before = known.get(key)
      const found = before && (await abortable(before, signal))
      if (found !== undefined && found.until > performance.now()) return found.evidence
      // Of those who have found it too old, the first looks again.
      if (before !== undefined && known.get(key) === before) known.delete(key)
      return (await abortable(known.get(key) ?? look(key, digest, name), signal)).evidence
    },
    renew: digest => {
      for (const key of known.keys()) if (digest === undefined || key.startsWith(`${digest} `)) known.delete(key)
    },
  }
}
