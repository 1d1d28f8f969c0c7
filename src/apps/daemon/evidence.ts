/** What is known of an image when its admission is asked for: found out once, and the same object until something else is known. */

import type { VulnerabilityFinding } from '../../model/finding.ts'
import type { ImageEvidence, VerifiedSignature } from '../../policy/decision.ts'
import type { ImageFacts } from '../../scan/facts.ts'

export interface Matched {
  readonly findings: readonly VulnerabilityFinding[]
  /** Wall ms of the newest data; undefined where there is none. */
  readonly dataFrom: number | undefined
}

export interface Vouched {
  /** Undefined: nobody could look. */
  readonly signatures: readonly VerifiedSignature[] | undefined
  readonly problems: readonly string[]
}

export interface EvidenceParts {
  facts(digest: string, signal: AbortSignal): Promise<ImageFacts>
  labelsOf(digest: string): Promise<Readonly<Record<string, string>>>
  /** Against the vulnerability data in force. */
  match(facts: ImageFacts): Matched
  /** Changes with that data. Cheap: it is asked at each start. */
  version(): string | undefined
  /** By trusted keys. */
  vouch(digest: string, name: string, signal: AbortSignal): Promise<Vouched>
}

export interface Evidence {
  of(digest: string, name: string, signal: AbortSignal): Promise<ImageEvidence>
  /** Something else may be known from now on, beside other vulnerability data. */
  renew(): void
}

/** Images in memory. */
const mostKnown = 256

export const createEvidence = ({ facts, labelsOf, match, version, vouch }: EvidenceParts): Evidence => {
  const known = new Map<string, Promise<ImageEvidence>>()
  let data = version()

  const find = async (digest: string, name: string, signal: AbortSignal): Promise<ImageEvidence> => {
    const [of, labels, vouched] = await Promise.all([facts(digest, signal), labelsOf(digest), vouch(digest, name, signal)])
    const { findings, dataFrom } = match(of)
    return {
      ...{ name, digest, labels, dataFrom },
      findings: [...findings, ...of.secrets, ...of.misconfigurations],
      problems: [...of.problems, ...vouched.problems],
      signatures: vouched.signatures,
    }
  }

  return {
    of: async (digest, name, signal) => {
      if (data !== version()) known.clear()
      data = version()
      const key = `${digest} ${name}`
      const before = known.get(key)
      if (before !== undefined) return await before
      const finding = find(digest, name, signal)
      const [oldest] = known.keys()
      if (known.size >= mostKnown && oldest !== undefined) known.delete(oldest)
      known.set(key, finding)
      // What could not be found out, or not whole, is looked for again: the one that fails takes only itself out.
      finding.then(
        ({ problems }) => problems.length > 0 && known.get(key) === finding && known.delete(key),
        () => known.get(key) === finding && known.delete(key),
      )
      return await finding
    },
    renew: () => known.clear(),
  }
}
