/** All resolvers of one daemon: which there are, and the end of those that nobody explains. */
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DayflyError } from '../../base/errors.ts'
import { resolverProcesses } from './processes.ts'
import type { Resolver, ResolverHost } from './resolver.ts'
import { openResolver } from './resolver.ts'

export interface Resolvers extends AsyncDisposable {
  /** That of a name, mostly a bridge's; it need not run. The same one for the same name until it has ended. */
  of(name: string): Resolver
  /** Ends it, if there is one. Nothing is left. Idempotent. */
  end(name: string): Promise<void>
  /** Ends all but these. To be called before the first answer of a daemon. Resolves to the names of those that were ended. */
  sweep(keep: ReadonlySet<string>): Promise<readonly string[]>
  /** What there is, from the kernel and the disk: for the leak check. */
  owned(): readonly OwnedPart[]
}

export interface OwnedPart {
  readonly kind: 'process' | 'directory'
  /** As a person would look for it: `4711 dnsmasq`, or a path. */
  readonly label: string
  /** The resolver's. */
  readonly name: string
}

/** What exists of the resolvers of a folder; it may be one that no daemon has any more. */
export const ownedParts = (root: string, uid: number): OwnedPart[] => [
  ...resolverProcesses(root, uid).map(({ pid, name }) => ({ kind: 'process' as const, label: `${pid} dnsmasq`, name })),
  ...readdirSync(root).map(name => ({ kind: 'directory' as const, label: join(root, name), name })),
]

/** `root`: a folder below the run folder, made when it is not there. Throws `invalid` for one that a configuration cannot name. */
export const openResolvers = (root: string, host: ResolverHost): Resolvers => {
  if (!/^[\w./+@:-]{1,800}$/.test(root)) {
    throw new DayflyError('invalid', `--run-dir: names cannot be resolved from ${root}`, {
      field: '--run-dir',
      remedy: 'Use a folder whose name has only letters, digits, and any of . / _ - + @ :',
    })
  }
  mkdirSync(root, { recursive: true, mode: 0o711 })
  const known = new Map<string, Resolver>()
  const of = (name: string): Resolver => {
    const before = known.get(name)
    if (before !== undefined) return before
    const made = openResolver(root, name, host)
    known.set(name, made)
    return made
  }
  const end = async (name: string): Promise<void> => {
    await of(name).end()
    known.delete(name)
  }
  return {
    of,
    end,
    sweep: async keep => {
      const names = new Set(ownedParts(root, host.uid).map(({ name }) => name))
      const unexplained = [...names].filter(name => !keep.has(name))
      await Promise.all(unexplained.map(end))
      return unexplained
    },
    owned: () => ownedParts(root, host.uid),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...known.values()].map(resolver => resolver[Symbol.asyncDispose]()))
      known.clear()
    },
  }
}
