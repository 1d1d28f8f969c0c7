/** What people write for an image: which of skopeo's transports it means, and the name it gets in the store. */
import { DayflyError } from '../../base/errors.ts'
import { digestPattern } from './digest.ts'

export interface RegistryReference {
  readonly kind: 'registry'
  /** `host[:port]`; `docker.io` when none was written. */
  readonly registry: string
  /** `library/alpine`. */
  readonly repository: string
  /** `latest` when neither tag nor digest was written. */
  readonly tag: string | undefined
  readonly digest: string | undefined
  /** Normalised: `docker.io/library/alpine:latest`, `host:5000/a@sha256:…`. With a digest the tag says nothing and is left out, as docker does. */
  readonly name: string
}

export interface LocalReference {
  readonly kind: 'local'
  readonly transport: string
  /** As skopeo takes it, transport included. Also its name. */
  readonly name: string
}

export type Reference = RegistryReference | LocalReference

const localTransports = ['oci', 'oci-archive', 'docker-archive', 'docker-daemon', 'dir']

const invalid = (
  reference: string,
  why: string,
  remedy = 'Write it like alpine, alpine:3.20, registry.example/team/app:1, or oci-archive:/path.',
): DayflyError => new DayflyError('invalid', `image "${reference}": ${why}`, { field: 'image', remedy })

const component = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/
const hostPattern = /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?$/

const isHost = (text: string): boolean => text.includes('.') || text.includes(':') || text === 'localhost'

/** Docker's grammar of names. Throws `invalid`, field `image`. */
const parseRegistryReference = (text: string, whole: string): RegistryReference => {
  const at = text.indexOf('@')
  const digest = at === -1 ? undefined : text.slice(at + 1)
  if (digest !== undefined && !digestPattern.test(digest)) throw invalid(whole, `"${digest}" is not a digest: sha256: and 64 lower-case hex digits`)
  const named = at === -1 ? text : text.slice(0, at)
  const colon = named.lastIndexOf(':')
  const hasTag = colon > named.lastIndexOf('/')
  const tag = hasTag ? named.slice(colon + 1) : undefined
  if (tag !== undefined && !tagPattern.test(tag)) throw invalid(whole, `"${tag}" is not a tag`)
  const path = hasTag ? named.slice(0, colon) : named
  const slash = path.indexOf('/')
  const first = slash === -1 ? '' : path.slice(0, slash)
  const hosted = first !== '' && isHost(first)
  const registry = hosted ? (first === 'index.docker.io' ? 'docker.io' : first) : 'docker.io'
  if (!hostPattern.test(registry)) throw invalid(whole, `"${registry}" is not a registry`)
  const rest = hosted ? path.slice(slash + 1) : path
  const repository = registry === 'docker.io' && !rest.includes('/') ? `library/${rest}` : rest
  if (rest === '' || !repository.split('/').every(part => component.test(part))) {
    throw invalid(
      whole,
      rest === '' ? 'it names nothing' : `"${rest}" is not the name of a repository (lower-case letters, digits, and . _ - inside)`,
    )
  }
  if (repository.length > 255) throw invalid(whole, 'its name is longer than 255 characters')
  const base = `${registry}/${repository}`
  if (digest !== undefined) return { kind: 'registry', registry, repository, tag, digest, name: `${base}@${digest}` }
  return { kind: 'registry', registry, repository, tag: tag ?? 'latest', digest, name: `${base}:${tag ?? 'latest'}` }
}

/** Throws `invalid`, field `image`. */
export const parseReference = (text: string): Reference => {
  if (/[\p{Cc}\s]/u.test(text)) throw invalid(text.replaceAll(/\p{Cc}/gu, '\ufffd'), 'it contains a space or a control character')
  if (/^(?:\.{0,2}\/|~)/.test(text)) {
    throw invalid(
      text,
      'it is a path, not the name of an image',
      `Write what it holds: oci-archive:/PATH or docker-archive:/PATH; \`dayfly image import PATH NAME\` takes a root file system.`,
    )
  }
  if (text.startsWith('docker://')) return parseRegistryReference(text.slice('docker://'.length), text)
  const [, transport, rest] = /^([a-z-]+):(.*)$/.exec(text) ?? []
  if (transport !== undefined && rest !== undefined && localTransports.includes(transport)) {
    if (rest === '') throw invalid(text, 'it names nothing')
    if (transport !== 'docker-daemon' && !rest.startsWith('/'))
      throw invalid(text, 'its path is not absolute', `Write the whole path: ${transport}:/…`)
    return { kind: 'local', transport, name: text }
  }
  if (transport === 'containers-storage' || text.includes('://')) {
    throw invalid(
      text,
      `"${transport ?? text}" is not a transport that images are pulled from`,
      `Use a registry, or one of ${localTransports.map(name => `${name}:`).join(', ')}; podman's images come by \`podman save --format oci-archive\`.`,
    )
  }
  return parseRegistryReference(text, text)
}

/** The name under which an image is kept: of a registry reference without a digest. Throws `invalid`, field `--name`. */
export const normaliseName = (text: string): string => {
  const reference = parseReference(text)
  if (reference.kind === 'local' || reference.digest !== undefined) {
    throw new DayflyError('invalid', `"${text}" cannot be the name of an image`, { field: '--name', remedy: 'Write it like demo or demo:1.' })
  }
  return reference.name
}

/** `docker.io/library/alpine:latest` → `alpine:latest`: what people know it as. */
export const familiarName = (name: string): string => name.replace(/^docker\.io\/(?:library\/(?=[^/]*$))?/, '')

/** Docker speaks plain HTTP to these, and so do we. */
export const isLoopbackRegistry = (registry: string): boolean => {
  const host = registry.replace(/:\d+$/, '')
  return host === 'localhost' || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host)
}
