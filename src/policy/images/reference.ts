/** Names of images as policies compare them: docker's shorthand written out. */

export interface ImageName {
  /** `docker.io`, `registry.example.org:5000`. */
  readonly registry: string
  /** `library/alpine`, `team/web`. */
  readonly repository: string
  /** `latest` where it names neither tag nor digest. */
  readonly tag: string | undefined
  readonly digest: string | undefined
}

export const imageName = (text: string): ImageName => {
  const [named = '', digest] = text.split('@', 2)
  const slash = named.indexOf('/')
  const first = slash < 0 ? '' : named.slice(0, slash)
  const hasRegistry = first.includes('.') || first.includes(':') || first === 'localhost'
  const rest = hasRegistry ? named.slice(slash + 1) : named
  const colon = rest.lastIndexOf(':')
  const repository = colon > rest.lastIndexOf('/') ? rest.slice(0, colon) : rest
  const tag = colon > rest.lastIndexOf('/') ? rest.slice(colon + 1) : undefined
  return {
    registry: hasRegistry ? first : 'docker.io',
    repository: hasRegistry || repository.includes('/') ? repository : `library/${repository}`,
    tag: tag ?? (digest === undefined ? 'latest' : undefined),
    digest,
  }
}

/** `registry.example.org` and `registry.example.org/team` allow what is in them, `docker.io/library/alpine` that repository; at part boundaries only. */
export const isWithin = (name: ImageName, allowed: string): boolean => {
  const full = `${name.registry}/${name.repository}`
  const prefix = allowed.replace(/\/+\*?$/, '')
  return full === prefix || full.startsWith(`${prefix}/`)
}
