/** The routing table: targets by id, and routes by host name. */
import type { Forward, Route, RouteChanges } from './gateway.ts'
import { routeName } from './head.ts'
import type { Problem } from './problem.ts'
import { badRequest, gone, misdirected, notHere } from './problem.ts'
import type { Hub } from './target.ts'
import { Target } from './target.ts'

export class Routes {
  readonly #hub: Hub
  readonly #domains: readonly string[]
  readonly #targets = new Map<string, Target>()
  readonly #byHost = new Map<string, Target>()
  /** Taken away, but something is in flight there still. */
  readonly #retired = new Set<Target>()

  constructor(hub: Hub, domains: readonly string[]) {
    this.#hub = hub
    this.#domains = domains.map(domain => domain.toLowerCase())
  }

  /** Those that requests may still come to. */
  current(): Iterable<Target> {
    return this.#targets.values()
  }

  /** With those that were taken away and are not empty yet. */
  *all(): Iterable<Target> {
    yield* this.#targets.values()
    yield* this.#retired
  }

  get(id: string): Target | undefined {
    return this.#targets.get(id)
  }

  /** The target of this id, made or changed. */
  set(spec: Route | Forward): Target {
    const known = this.#targets.get(spec.id)
    if (known !== undefined) {
      known.update(spec)
      return known
    }
    const target = new Target(spec, this.#hub)
    this.#targets.set(spec.id, target)
    return target
  }

  remove(id: string): void {
    const target = this.#targets.get(id)
    if (target === undefined) return
    this.#targets.delete(id)
    this.#retired.add(target)
    target.remove()
    this.#unname(target)
    this.prune()
  }

  change({ set = [], remove = [] }: RouteChanges): void {
    for (const id of remove) this.remove(id)
    for (const route of set) {
      const before = this.#targets.get(route.id)
      if (before !== undefined) this.#unname(before, route.hosts)
      const target = this.set(route.gone === undefined ? route : { ...route, endpoints: [] })
      for (const host of route.hosts) this.#byHost.set(routeName(host), target)
      if (route.gone !== undefined) target.turnAllAway(gone(route, route.gone))
    }
  }

  /** Where a request for `host` (as the client wrote it) goes, or what is said to it. */
  find(host: string): Target | Problem {
    const name = routeName(host)
    const target = this.#byHost.get(name)
    if (target !== undefined) {
      const { spec } = target
      return 'gone' in spec && spec.gone !== undefined ? gone(spec, spec.gone) : target
    }
    if (name === '') return badRequest('The request names no host.')
    const shown = name.slice(0, 255)
    return this.#domains.some(domain => name === domain || name.endsWith(`.${domain}`)) ? notHere(shown) : misdirected(shown)
  }

  /** Forgets those that were taken away and are empty now. */
  prune(): void {
    for (const target of this.#retired) if (target.inFlight === 0) this.#retired.delete(target)
  }

  /** Takes its names from it but `kept`; another route that has one of them gets it back. */
  #unname(target: Target, kept: readonly string[] = []): void {
    const { spec } = target
    if (!('hosts' in spec)) return
    for (const host of spec.hosts) {
      const name = routeName(host)
      if (this.#byHost.get(name) !== target || kept.includes(host)) continue
      this.#byHost.delete(name)
      const heir = [...this.#targets.values()].findLast(
        other => other !== target && 'hosts' in other.spec && other.spec.hosts.some(own => routeName(own) === name),
      )
      if (heir !== undefined) this.#byHost.set(name, heir)
    }
  }
}
