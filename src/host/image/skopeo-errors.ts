/** skopeo's one line of English → what happened, for whom, and what to do. */
import { DayflyError } from '../../base/errors.ts'
import type { Reference } from './reference.ts'

/** The text of skopeo's last fatal message. Queries of URLs are left out: a registry's redirect carries a signature in them. */
const fatalMessage = (stderr: string): string => {
  const lines = stderr.trim().split('\n')
  const fatal = lines.findLast(line => line.includes('level=fatal')) ?? lines.at(-1) ?? ''
  const [, quoted] = /msg="((?:[^"\\]|\\.)*)"/.exec(fatal) ?? []
  const text = quoted === undefined ? fatal : quoted.replaceAll(/\\(.)/g, (_, character: string) => (character === 'n' ? ' ' : character))
  return text.replaceAll(/\?[^\s"]+/g, '?…').replace(/^(?:FATA\[\d+\] )?Error parsing image name "(?:[^"]*)": /, '')
}

/** No answer of the registry came: whether it has the image is not known. */
export class RegistryUnreachable extends DayflyError {
  readonly registry: string
  /** Why, as the system says it. */
  readonly reason: string

  constructor(image: string, registry: string, reason: string) {
    super('upstream', `${image}: the registry ${registry} cannot be reached: ${reason}`, {
      field: 'image',
      remedy: nameServiceFailed.test(reason)
        ? "Check the registry's name and this machine's name service."
        : 'Check that the registry runs and can be reached from here.',
    })
    this.registry = registry
    this.reason = reason
  }
}

const nameServiceFailed = /\blookup \S+|no such host|server misbehaving/
const unreachable =
  /no such host|server misbehaving|connection refused|no route to host|network is (?:unreachable|down)|i\/o timeout|handshake timeout|deadline exceeded/

/** `pinging container registry host: Get "https://host/v2/": dial tcp: …`: where it happened is told already. */
const withoutPlace = (message: string): string => message.replace(/^.*?pinging container registry \S+: /, '').replace(/^Get "[^"]*": /, '')

const registryRemedies: readonly (readonly [RegExp, string])[] = [
  [/server gave HTTP response to HTTPS client/, 'The registry speaks plain HTTP: say so with --tls-verify=false if you trust the network to it.'],
  [/x509|certificate|tls:/i, 'Put its certificate authority into /etc/containers/certs.d/HOST/ca.crt, or trust it on this machine.'],
  [/EOF|connection reset/, 'The connection broke off: check that the registry runs and can be reached from here.'],
  [/toomanyrequests|429/, 'The registry limits anonymous pulls: log in (skopeo login REGISTRY), or wait.'],
]

export const pullError = (stderr: string, reference: Reference): DayflyError => {
  const message = fatalMessage(stderr)
  const what = `image ${reference.name}`
  const field = 'image'
  if (/no space left on device|disk quota exceeded/.test(message)) {
    return new DayflyError('host', `${what}: the disk is full`, { remedy: 'Free some space: `dayfly image gc` removes images that nothing uses.' })
  }
  if (/no image found in (?:manifest list|image index)/.test(message)) {
    return new DayflyError('invalid', `${what} is not for this machine: ${message}`, { field, remedy: 'Choose an image that is built for it.' })
  }
  if (/digest did not match|does not match (?:provided manifest )?digest|digest mismatch|happened during read: |size mismatch/i.test(message)) {
    return new DayflyError('corrupt', `${what}: ${message}`, { field, remedy: 'The registry holds a damaged image: push it again.' })
  }
  if (reference.kind === 'local') {
    const missing = /no such file or directory|no descriptor found|not found|reference does not exist|No such image|no image found/i.test(message)
    if (missing) return new DayflyError('not_found', `${what} does not exist: ${message}`, { field, remedy: 'Check the path and the tag.' })
    if (/permission denied/.test(message)) return new DayflyError('denied', `${what}: ${message}`, { field })
    if (/Cannot connect to the Docker daemon/.test(message)) return new DayflyError('upstream', `${what}: ${message}`, { field })
    return new DayflyError('corrupt', `${what} is no readable image: ${message}`, { field })
  }
  // A registry that hides what exists answers `denied` for what does not.
  if (/unauthorized|authentication required|access to the resource is denied|\bdenied\b|\b40[13]\b|invalid username\/password/i.test(message)) {
    return new DayflyError('denied', `${what}: the registry ${reference.registry} refuses access (or it has no such image): ${message}`, {
      field,
      remedy: `Check the name, then log in: skopeo login ${reference.registry}`,
    })
  }
  if (/manifest unknown|name unknown|not found|NAME_UNKNOWN|MANIFEST_UNKNOWN|404/i.test(message)) {
    const thing = reference.digest === undefined ? `the tag ${reference.tag}` : `the digest ${reference.digest}`
    return new DayflyError('not_found', `${what}: ${reference.registry} has no ${reference.repository} with ${thing}`, {
      field,
      remedy: 'Check the name and the tag.',
    })
  }
  if (unreachable.test(message)) return new RegistryUnreachable(what, reference.registry, withoutPlace(message))
  const remedy = registryRemedies.find(([pattern]) => pattern.test(message))?.[1] ?? 'Try again; if it stays, ask whoever runs the registry.'
  return new DayflyError('upstream', `${what}: the registry ${reference.registry} failed: ${message}`, { field, remedy })
}
