/** The networks of a project as those of an environment, and the names that services have there. */
import type { Project, Service } from './project.ts'

export interface DraftNetworks {
  readonly networks: Readonly<Record<string, { internal: boolean }>>
  /** By service. */
  readonly memberships: Readonly<Record<string, Readonly<Record<string, { aliases: string[] }>>>>
}

/** Names that others have given a service by `links: [SERVICE:ALIAS]`; also those that are not brought up now, for they may live already. */
const linkNames = (project: Project, name: string): string[] =>
  Object.values({ ...project.disabled, ...project.services }).flatMap(({ links = [] }) =>
    links.flatMap(link => {
      const [target, alias] = link.split(':')
      return target === name && alias !== undefined && alias !== name ? [alias] : []
    }),
  )

const namesOf = (project: Project, name: string, service: Service, own: readonly string[]): string[] => {
  const others = [service.container_name, service.hostname, ...linkNames(project, name), ...own].filter(alias => alias !== undefined)
  return [...new Set(others)].filter(alias => alias !== name)
}

/** A network that nobody else is on stands for `network_mode: none`. */
const loneName = (project: Project, name: string): string => {
  let network = `none.${name}`
  while (Object.hasOwn(project.networks, network)) network += '.'
  return network
}

export const networksOf = (project: Project): DraftNetworks => {
  const networks: Record<string, { internal: boolean }> = {}
  const memberships: Record<string, Record<string, { aliases: string[] }>> = {}
  const join = (name: string, network: string, internal: boolean, aliases: string[]): void => {
    networks[network] = { internal }
    memberships[name] = { ...memberships[name], [network]: { aliases } }
  }
  for (const [name, service] of Object.entries(project.services)) {
    if (service.network_mode === 'none') {
      join(name, loneName(project, name), true, [])
      continue
    }
    const wanted = Object.entries(service.networks ?? { default: null })
    for (const [network, membership] of wanted.length === 0 ? ([['default', null]] as const) : wanted) {
      const declared = project.networks[network]
      join(name, network, declared?.internal === true, namesOf(project, name, service, membership?.aliases ?? []))
    }
  }
  return { networks, memberships }
}
