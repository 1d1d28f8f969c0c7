/** What is asked of every image that a request would run. */
import { formatDuration } from '../../base/durations.ts'
import type { Finding, SecretFinding } from '../../model/finding.ts'
import { compareSeverity } from '../../model/finding.ts'
import type { AdmissionRequest, ImageEvidence, Objection } from '../decision.ts'
import { root, text } from '../fields.ts'
import { nameOf, podOf } from '../pods.ts'
import type { Action, NativePolicy, PolicyRule, Ruling } from '../policy.ts'
import { imageName, isWithin } from './reference.ts'
import type { ImageRules } from './settings.ts'
import { actionInGrace, describeGrace, describeVulnerability, judgeVulnerabilities, longestAhead } from './vulnerabilities.ts'

export const imagePolicyName = 'images'
const policy = imagePolicyName

interface Subject {
  readonly evidence: ImageEvidence
  /** Of the request: `spec.containers[0].image`. */
  readonly field: string
  readonly now: number
}

interface Said {
  readonly rulings: readonly Ruling[]
  readonly validUntil?: number | undefined
}

type Judge = (subject: Subject) => Said

const say = (action: Action, rule: string, { field }: Subject, message: string, remedy: string): Said => ({
  rulings: [{ action, objection: { policy, rule, message, remedy, field } }],
})

/** Findings that are told one by one, so that each can be exempted; the rest is a number that nothing exempts. */
const mostTold = 100

const sayEach = <F extends Finding>(
  action: Action,
  rule: string,
  subject: Subject,
  findings: readonly F[],
  describe: (finding: F) => string,
  remedy: string,
): Ruling[] => {
  const { field, evidence } = subject
  const told = findings.slice(0, mostTold).map(finding => ({
    action,
    objection: {
      ...{ policy, rule, message: `${evidence.name}: ${describe(finding)}`, remedy, field },
      finding: { id: finding.id, fingerprint: finding.fingerprint },
    },
  }))
  const rest = findings.length - told.length
  return rest === 0 ? told : [...told, ...say(action, rule, subject, `${evidence.name}: and ${rest} more`, remedy).rulings]
}

const nothing: Said = { rulings: [] }

/** The rules that need findings deny without them, so this one says so once. */
const looked: Judge = subject => {
  const { name, findings, problems } = subject.evidence
  if (findings !== undefined) return nothing
  const why = problems[0] ?? 'nobody has looked at it'
  return say('deny', 'scanned', subject, `${name} has not been scanned: ${why}`, 'Pull the image again, and see what its scan says.')
}

const incomplete =
  (action: Action): Judge =>
  subject => {
    const { name, problems, findings } = subject.evidence
    if (findings === undefined || problems.length === 0) return nothing
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''
    return say(
      action,
      'incompleteScan',
      subject,
      `${name} could not be scanned whole: ${problems[0]}${more}`,
      'Repair or remove what cannot be read, or exempt the image from images/incompleteScan until it is.',
    )
  }

const vulnerabilities =
  (rules: NonNullable<ImageRules['vulnerabilities']>): Judge =>
  subject => {
    const { name, findings } = subject.evidence
    const judged = judgeVulnerabilities(findings ?? [], rules, subject.now)
    const remedy = rules.fixable
      ? 'Update the packages and build the image again, or state in a VEX document why it is not affected.'
      : 'Use an image without them.'
    const rulings = sayEach(rules.action, 'vulnerabilities', subject, judged.due, describeVulnerability, remedy)
    if (judged.nextDue === undefined) return { rulings }
    const waiting = say(actionInGrace(rules.action), 'vulnerabilities', subject, `${name}: ${describeGrace(judged, subject.now)}`, remedy)
    return { rulings: [...rulings, ...waiting.rulings], validUntil: judged.nextDue }
  }

const dataAge =
  ({ action, most }: NonNullable<ImageRules['dataAge']>): Judge =>
  subject => {
    const { dataFrom } = subject.evidence
    const remedy = 'Update it: dayfly vulndb update.'
    if (dataFrom === undefined) return say(action, 'dataAge', subject, 'there is no vulnerability data', remedy)
    const age = subject.now - dataFrom
    if (age < -longestAhead) return say(action, 'dataAge', subject, `the vulnerability data is from ${formatDuration(-age)} ahead of now`, remedy)
    if (age <= most) return { rulings: [], validUntil: dataFrom + most + 1 }
    return say(action, 'dataAge', subject, `the vulnerability data is ${formatDuration(age)} old, more than ${formatDuration(most)}`, remedy)
  }

const placeOf = ({ places }: SecretFinding): string => {
  const [place] = places
  if (place === undefined) return ''
  return ` in ${place.path ?? place.field ?? 'it'}${place.hidden === true ? ' (of a layer below, where it can still be read)' : ''}`
}

const secrets =
  ({ action, severity }: NonNullable<ImageRules['secrets']>): Judge =>
  subject => {
    const found = (subject.evidence.findings ?? [])
      .filter(finding => finding.kind === 'secret')
      .filter(finding => compareSeverity(finding.severity, severity) >= 0)
    const remedy = 'Revoke it, build the image without it, and give it at run time as a secret.'
    const describe = (finding: SecretFinding): string => `it holds a secret: ${finding.title} ${finding.redacted}${placeOf(finding)}`
    return { rulings: sayEach(action, 'secrets', subject, found, describe, remedy) }
  }

/** A secret in the request itself is whoever reads the request's, whatever its image. */
const given = ({ action, severity }: NonNullable<ImageRules['secrets']>, { given: found }: AdmissionRequest): Ruling[] => {
  const remedy = 'Revoke it, and give it as a secret: `dayfly run --secret`, or `secrets` of a compose file.'
  const say = (message: string, more: Partial<Objection>): Ruling => ({ action, objection: { policy, rule: 'secrets', message, remedy, ...more } })
  const counted = (found?.findings ?? []).filter(finding => compareSeverity(finding.severity, severity) >= 0)
  const told = counted.slice(0, mostTold).map(({ id, fingerprint, title, redacted, places: [place] }) => {
    const field = place?.field
    const at = field === undefined ? {} : { field }
    return say(`a secret is given in the clear: ${title} ${redacted} in ${field?.replace(/^.*ontainers\[\d+\]\./, '') ?? 'it'}`, {
      ...at,
      finding: { id, fingerprint },
    })
  })
  const rest = counted.length - told.length
  return [
    ...told,
    ...(rest === 0 ? [] : [say(`and ${rest} more secrets in the clear`, {})]),
    ...(found?.problems ?? []).slice(0, 1).map(problem => say(`what is given could not be searched for secrets: ${problem}`, {})),
  ]
}

const misconfigurations =
  (actions: Readonly<Partial<Record<string, Action>>>): Judge =>
  subject => ({
    rulings: (subject.evidence.findings ?? []).flatMap((finding: Finding) => {
      const action = finding.kind === 'misconfiguration' && Object.hasOwn(actions, finding.id) ? actions[finding.id] : undefined
      return action === undefined ? [] : say(action, finding.id, subject, `${subject.evidence.name}: ${finding.title}`, finding.remedy ?? '').rulings
    }),
  })

const signature =
  ({ action, keys }: NonNullable<ImageRules['signature']>): Judge =>
  subject => {
    const { name, signatures } = subject.evidence
    const trusted = (signatures ?? []).filter(({ key, signed }) => signed && (keys.length === 0 || keys.includes(key)))
    if (trusted.length > 0) return nothing
    const whose = keys.length === 0 ? 'a trusted key' : keys.join(' or ')
    if (signatures === undefined)
      return say(action, 'signature', subject, `whether ${name} is signed by ${whose} could not be found out`, 'Try again once its registry answers.')
    return say(action, 'signature', subject, `${name} is not signed by ${whose}`, 'Sign it (cosign sign --key), or trust the key that did.')
  }

const attestations =
  ({ action, types }: NonNullable<ImageRules['attestations']>): Judge =>
  subject => {
    const attested = new Set((subject.evidence.signatures ?? []).flatMap(one => one.attestations.map(({ type }) => type)))
    const missing = types.filter(type => !attested.has(type))
    if (missing.length === 0) return nothing
    return say(
      action,
      'attestations',
      subject,
      `${subject.evidence.name} has no trusted attestation ${missing.join(', ')}`,
      'Attest it (cosign attest --key).',
    )
  }

const registries =
  ({ action, allowed }: NonNullable<ImageRules['registries']>): Judge =>
  subject => {
    // A digest, or the beginning of one, names no registry: whoever runs it by that may have got it anywhere.
    const named = !/^(sha256:)?[0-9a-f]{4,64}$/.test(subject.evidence.name)
    const name = imageName(subject.evidence.name)
    if (named && allowed.some(prefix => isWithin(name, prefix))) return nothing
    return say(action, 'registries', subject, `${subject.evidence.name} does not come from ${allowed.join(', ')}`, 'Use an image from there.')
  }

const digest =
  ({ action }: NonNullable<ImageRules['digest']>): Judge =>
  subject => {
    const { name } = subject.evidence
    if (imageName(name).digest !== undefined || /^sha256:[0-9a-f]{64}$/.test(name)) return nothing
    return say(action, 'digest', subject, `${name} is not named by digest`, 'Write NAME@sha256:….')
  }

const rulesOf = (rules: ImageRules): { rule: PolicyRule; judge: Judge }[] => {
  const chosen: { rule: PolicyRule; judge: Judge }[] = [{ rule: { name: 'scanned', summary: 'An image is scanned before it runs.' }, judge: looked }]
  const add = <T>(name: string, summary: string, settings: T | undefined, judge: (settings: T) => Judge): void => {
    if (settings !== undefined) chosen.push({ rule: { name, summary }, judge: judge(settings) })
  }
  add('incompleteScan', 'Everything in it could be understood.', rules.incompleteScan, incomplete)
  add('vulnerabilities', 'No known vulnerability beyond its severity and grace.', rules.vulnerabilities, vulnerabilities)
  add('dataAge', 'Vulnerability data is recent.', rules.dataAge, dataAge)
  add('secrets', 'No secret in a layer or in the configuration, nor in what a start is given.', rules.secrets, secrets)
  for (const [id, action] of Object.entries(rules.misconfigurations)) add(id, `No ${id}.`, { [id]: action }, misconfigurations)
  add('signature', 'Signed by a trusted key.', rules.signature, signature)
  add('attestations', 'Attested by a trusted key.', rules.attestations, attestations)
  add('registries', 'From an allowed registry.', rules.registries, registries)
  add('digest', 'Named by digest.', rules.digest, digest)
  return chosen
}

/** By container, with where the request names its image. */
const subjectsOf = ({ object, images, now }: AdmissionRequest): Subject[] => {
  const pod = podOf(root(object))
  return (pod?.containers ?? []).map(container => {
    const name = text(container, 'image') ?? ''
    const known = Object.hasOwn(images, nameOf(container)) ? images[nameOf(container)] : undefined
    const unknown: ImageEvidence = { name, digest: '', findings: undefined, problems: [], labels: {}, signatures: undefined, dataFrom: undefined }
    // Two containers may have one name, though not in a cluster: what is known of one's image says nothing of the other's.
    return { evidence: known?.name === name ? known : unknown, field: `${container.path}.image`, now }
  })
}

const earliest = (times: readonly (number | undefined)[]): number | undefined => {
  const known = times.filter(time => time !== undefined)
  return known.length === 0 ? undefined : Math.min(...known)
}

/**
 * `looking`: whether a request whose images nobody has scanned is denied. A pipeline that judges manifests alone says no: rules about what is in
 * an image are then left out, those about its name stay.
 */
export const createImagePolicy = (rules: ImageRules, looking: boolean): NativePolicy => {
  const { registries: allowed, digest: byDigest } = rules
  const byName: ImageRules = {
    misconfigurations: {},
    ...(allowed === undefined ? {} : { registries: allowed }),
    ...(byDigest === undefined ? {} : { digest: byDigest }),
  }
  const { secrets: bySecrets } = rules
  const ofRequest: PolicyRule[] = looking || bySecrets === undefined ? [] : [{ name: 'secrets', summary: 'No secret in what a start is given.' }]
  const chosen = looking ? rulesOf(rules) : rulesOf(byName).slice(1)
  return {
    name: policy,
    rules: [...chosen.map(({ rule }) => rule), ...ofRequest],
    identity: { code: 2, rules, looking },
    evaluate: request => {
      const said = subjectsOf(request).flatMap(subject => chosen.map(({ judge }) => judge(subject)))
      const ofGiven = bySecrets === undefined ? [] : given(bySecrets, request)
      return { rulings: [...said.flatMap(({ rulings }) => rulings), ...ofGiven], validUntil: earliest(said.map(({ validUntil }) => validUntil)) }
    },
  }
}
