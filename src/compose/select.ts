/** Which services of a project are meant: those that its profiles enable; of them, where some are named, only these and what they depend on. */
import type { Problems } from './problems.ts'
import { suggest } from './suggest.ts'

type Named<T> = Readonly<Record<string, T>>

/** What of a service decides. */
export interface Selectable {
  readonly profiles?: readonly string[] | undefined
  readonly depends_on?: Readonly<Record<string, unknown>> | undefined
}

export interface Choice {
  /** Services that are named; none: all. */
  readonly names: readonly string[]
  /** Beside those that are named also what they depend on. */
  readonly dependencies: boolean
}

export const pick = <T>(record: Named<T>, wanted: (name: string, value: T) => boolean): Record<string, T> =>
  Object.fromEntries(Object.entries(record).filter(([name, value]) => wanted(name, value)))

/** Tells of names that no service has. */
export const checkNames = (names: readonly string[], services: Named<unknown>, problems: Problems): void => {
  const known = Object.keys(services)
  for (const name of names) {
    if (Object.hasOwn(services, name)) continue
    const close = suggest(name, known)
    problems.error(undefined, [], `there is no service ${name}${close === undefined ? '' : `; did you mean ${close}?`}`, {
      remedy: known.length === 0 ? 'The files have no services.' : `There are ${known.join(', ')}. Name a file with -f.`,
    })
  }
}

/** Profiles of services that are named are enabled with them: so is what of the same profile they depend on. */
export const profilesWith = (profiles: readonly string[], names: readonly string[], services: Named<Selectable>): string[] => [
  ...new Set([...profiles, ...names.flatMap(name => (Object.hasOwn(services, name) ? (services[name]?.profiles ?? []) : []))]),
]

export const isEnabled = ({ profiles: own = [] }: Selectable, profiles: readonly string[]): boolean =>
  own.length === 0 || profiles.includes('*') || own.some(profile => profiles.includes(profile))

/** The names of those that are chosen. */
export const chosen = (enabled: Named<Selectable>, { names, dependencies }: Choice): ReadonlySet<string> => {
  if (names.length === 0) return new Set(Object.keys(enabled))
  const found = new Set<string>()
  const visit = (name: string): void => {
    const service = Object.hasOwn(enabled, name) ? enabled[name] : undefined
    if (service === undefined || found.has(name)) return
    found.add(name)
    if (dependencies) for (const other of Object.keys(service.depends_on ?? {})) visit(other)
  }
  for (const name of names) visit(name)
  return found
}
