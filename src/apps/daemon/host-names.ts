/** Names by which what environments expose is asked for. */
import { DayflyError } from '../../base/errors.ts'
import type { Exposure } from '../../model/deployment.ts'
import type { Environment } from '../../model/environment.ts'
import { defaultTeam, teamOf } from '../../model/principal.ts'

/** `Web_1` → `web-1`: what is a workload's name may be no host name. */
export const hostLabel = (workload: string): string => workload.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')

/** An exposure that is told apart by host name. */
export interface NamedExposure {
  readonly workload: string
  readonly exposure: Exposure
  /** Full names in lower case, under each domain; `exposure.host` is one of them. */
  readonly hosts: readonly string[]
}

/**
 * What names of an environment's workloads go on with: `shop.localhost`; of a team that is not the default one `shop.blue.localhost`, which no environment of another
 * team can be called. Where the operator has made `blue.localhost` a domain, that is the default team's.
 */
export const environmentDomains = ({ spec }: Pick<Environment, 'spec'>, domains: readonly string[]): string[] => {
  const team = teamOf(spec)
  if (team === defaultTeam) return domains.map(domain => `${spec.name}.${domain}`)
  return domains.filter(domain => !domains.includes(`${team}.${domain}`)).map(domain => `${spec.name}.${team}.${domain}`)
}

/** A workload's first one has the workload's name alone, each one that with its port. */
export const namedExposures = (environment: Environment, domains: readonly string[]): NamedExposure[] =>
  Object.entries(environment.spec.workloads).flatMap(([workload, { deployment }]) =>
    (deployment?.expose ?? [])
      .filter(({ protocol }) => protocol !== 'tcp')
      .map((exposure, index) => {
        const label = hostLabel(workload)
        const labels = index === 0 ? [label, `${label}-${exposure.port}`] : [`${label}-${exposure.port}`]
        const hosts = environmentDomains(environment, domains).flatMap(domain => labels.map(name => `${name}.${domain}`))
        return { workload, exposure, hosts: exposure.host === undefined ? hosts : [...hosts, exposure.host] }
      }),
  )

/** Labels of `host` below `domain`: 1 for `shop.example.org` below `example.org`; undefined when it is not below it. */
const depthBelow = (host: string, domain: string): number | undefined =>
  host.endsWith(`.${domain}`) ? host.slice(0, -domain.length - 1).split('.').length : undefined

/**
 * Why an environment may not have this name, with what to do about it. One label below a domain is free for them; two are WORKLOAD.ENVIRONMENT, which
 * would be another environment's.
 */
export const hostFault = (host: string, domains: readonly string[]): { readonly message: string; readonly remedy: string } | undefined => {
  const depths = domains.map(domain => depthBelow(host, domain))
  const named = domains.map(domain => `NAME.${domain}`).join(' or ')
  const remedy = `Write it like ${named}; \`dayfly serve --gateway-domain\` adds a domain.`
  if (depths.every(depth => depth === undefined)) return { message: `${host} is below none of the gateway's domains`, remedy }
  if (depths.includes(2)) return { message: `${host} has the form WORKLOAD.ENVIRONMENT.DOMAIN, whose names are given by the gateway`, remedy }
  if (!depths.includes(1)) return { message: `${host} is too deep below the gateway's domains: no certificate for *.DOMAIN has it`, remedy }
  return undefined
}

export interface HostClaims {
  /**
   * The names that an environment asks for are its own until it is released, whatever it asks for later. Throws `conflict` naming one that another has; then
   * it has got none of them. The outcome gives back those that it did not have before.
   */
  claim(environment: Environment): () => void
  release(environment: string): void
}

/** Of what each environment chose itself: the names that the gateway gives are no other's. */
export const createHostClaims = (): HostClaims => {
  const owners = new Map<string, { readonly id: string; readonly name: string; readonly team: string }>()
  return {
    claim: ({ id, spec }) => {
      const wanted = Object.entries(spec.workloads).flatMap(([workload, { deployment }]) =>
        (deployment?.expose ?? []).flatMap(({ host }) => (host === undefined ? [] : [{ workload, host }])),
      )
      for (const { workload, host } of wanted) {
        const owner = owners.get(host)
        if (owner === undefined || owner.id === id) continue
        if (owner.team !== teamOf(spec)) {
          throw new DayflyError('conflict', `workloads.${workload}.deployment.expose: the name ${host} is taken`, {
            ...{ field: `workloads.${workload}.deployment.expose`, remedy: 'Choose another name.' },
          })
        }
        throw new DayflyError('conflict', `workloads.${workload}.deployment.expose: the environment ${owner.name} has the name ${host}`, {
          field: `workloads.${workload}.deployment.expose`,
          remedy: `Choose another name, or end that environment first: dayfly down ${owner.name}`,
        })
      }
      const fresh = wanted.filter(({ host }) => !owners.has(host))
      for (const { host } of fresh) owners.set(host, { id, name: spec.name, team: teamOf(spec) })
      return () => {
        for (const { host } of fresh) owners.delete(host)
      }
    },
    release: environment => {
      for (const [host, { id }] of owners) if (id === environment) owners.delete(host)
    },
  }
}
