/** From matches to findings: redacted, hashed, each secret once with all its places. */
import type { Place, SecretFinding, Severity } from '../../model/finding.ts'
import { compareSeverity } from '../../model/finding.ts'
import { fingerprintOf, hashSecret, redact, without } from './redact.ts'

export interface FoundSecrets {
  readonly findings: readonly SecretFinding[]
  /** What was not looked at or left out, each a sentence that names file and rule. With any, the scan is incomplete. */
  readonly problems: readonly string[]
}

/** What a finding is made from. */
export interface Sighting {
  readonly id: string
  readonly title: string
  readonly remedy: string | undefined
  readonly severity: Severity
  readonly secret: Buffer
  readonly place: Place
}

/** Places of one secret in one file that are listed. */
const mostPlaces = 20

/**
 * Sightings of one file, or of one set of fields, as findings. The same secret of the same rule is one finding, with the severity of the worst and
 * at most 20 places. `where` names the file in problems; `before` are problems that are known already. A path, field or problem that has one of the
 * secrets in it is shown without.
 */
export const findingsOf = (sightings: readonly Sighting[], salt: Uint8Array, where: string, before: Iterable<string> = []): FoundSecrets => {
  const secrets = new Set(sightings.map(({ secret }) => secret.toString('latin1')))
  const safe = (text: string): string => [...secrets].reduce(without, text)
  const shown = new Map<string, string>()
  const safeOnce = (text: string): string => {
    const known = shown.get(text) ?? safe(text)
    shown.set(text, known)
    return known
  }
  const found = new Map<string, SecretFinding>()
  const alike = new Map<string, number>()
  const problems = new Set([...before].map(safe))
  for (const { id, title, remedy, severity, secret, place: given } of sightings) {
    const place: Place = {
      ...given,
      ...(given.path === undefined ? {} : { path: safeOnce(given.path) }),
      ...(given.field === undefined ? {} : { field: safeOnce(given.field) }),
    }
    const hash = hashSecret(salt, secret)
    const at = place.path ?? place.field ?? ''
    const key = [id, at, hash].join('\0')
    const known = found.get(key)
    if (known !== undefined) {
      if (compareSeverity(severity, known.severity) > 0) known.severity = severity
      if (known.places.length < mostPlaces) known.places.push(place)
      else problems.add(`${safeOnce(where)}: more than ${mostPlaces} places of one secret of the rule ${id}; the others are not listed`)
      continue
    }
    const redacted = redact(secret.toString('latin1'))
    const look = [id, at, redacted].join('\0')
    const nth = alike.get(look) ?? 0
    alike.set(look, nth + 1)
    const fingerprint = fingerprintOf(id, at, redacted, nth)
    found.set(key, { kind: 'secret', id, severity, title, ...(remedy === undefined ? {} : { remedy }), places: [place], fingerprint, redacted, hash })
  }
  return { findings: [...found.values()], problems: [...problems] }
}

/** Findings of many files, at most `most` of them; what is beyond is one problem. */
export const createSecretCollection = (most: number) => {
  const findings: SecretFinding[] = []
  const problems: string[] = []
  let left = 0
  return {
    add: (found: FoundSecrets): void => {
      const room = Math.max(0, most - findings.length)
      findings.push(...found.findings.slice(0, room))
      left += Math.max(0, found.findings.length - room)
      const place = Math.max(0, most - problems.length)
      problems.push(...found.problems.slice(0, place))
      left += Math.max(0, found.problems.length - place)
    },
    result: (): FoundSecrets => ({
      findings,
      problems:
        left === 0
          ? problems
          : [...problems, `there are more secrets than can be listed: ${left} findings and problems beyond the first ${most} are left out`],
    }),
  }
}
