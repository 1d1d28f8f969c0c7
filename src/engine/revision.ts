/** What makes a running instance outdated: another revision of its workload. */
import { createHash } from 'node:crypto'
import type { EnvironmentSpec } from '../model/environment.ts'
import { canonicalJson } from '../model/record.ts'

/** `db before web` where web depends on db; names that depend on each other (refused elsewhere) come in the order of the spec. */
export const inOrder = (spec: EnvironmentSpec): string[] => {
  const ordered = new Set<string>()
  const visit = (name: string, path: ReadonlySet<string>): void => {
    const workload = spec.workloads[name]
    if (ordered.has(name) || path.has(name) || !workload) return
    for (const dependency of Object.keys(workload.deployment?.dependsOn ?? {})) visit(dependency, new Set([...path, name]))
    ordered.add(name)
  }
  for (const name of Object.keys(spec.workloads)) visit(name, new Set())
  return [...ordered]
}

/**
 * Short hash of everything that an instance of the workload is made from. How many there are, in which order they start, how they are checked, who may
 * reach them and their labels can change without it. A dependency that asks for its dependents' restart is part of theirs.
 */
export const revisionOf = (spec: EnvironmentSpec, name: string, seen: ReadonlySet<string> = new Set()): string => {
  const workload = spec.workloads[name]
  if (!workload) return ''
  const { deployment, labels: _labels, ...own } = workload
  const configs = (own.mounts ?? []).flatMap(mount => (mount.type === 'config' ? [[mount.config, spec.configs?.[mount.config] ?? '']] : []))
  const restarting = Object.entries(deployment?.dependsOn ?? {})
    .filter(([dependency, { restart }]) => restart && !seen.has(dependency))
    .map(([dependency]) => [dependency, revisionOf(spec, dependency, new Set([...seen, name]))])
  const secrets = spec.secretDigests?.[name]
  const whole = { own, networks: Object.keys(deployment?.networks ?? {}).toSorted(), configs, restarting, ...(secrets ? { secrets } : {}) }
  const text = canonicalJson(whole)
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}
