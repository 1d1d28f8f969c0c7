/** What is known of who speaks with whom, as a graph of services. Pure. */
import type { EnvironmentView } from '../../../../api/schemas/environments.ts'
import type { Report } from '../../../../model/report.ts'

export interface Node {
  readonly key: string
  readonly kind: 'gateway' | 'workload' | 'outside'
  readonly title: string
  /** From the left, 0 being where requests come in. */
  readonly column: number
  readonly row: number
}

export interface Edge {
  readonly from: string
  readonly to: string
  /** `depends`: only said, nothing has been seen. */
  readonly kind: 'traffic' | 'denied' | 'depends'
  /** Connections or requests so far. */
  readonly count: number
  readonly last: number
}

const gateway = 'gateway'
const outside = 'outside'

/** How far a workload is from one that nothing depends on: who serves others stands to the right of them. */
const depths = (environment: EnvironmentView): Map<string, number> => {
  const found = new Map<string, number>()
  const visit = (name: string, depth: number, above: ReadonlySet<string>): void => {
    if (above.has(name) || (found.get(name) ?? -1) >= depth) return
    found.set(name, depth)
    for (const dependency of Object.keys(environment.workloads[name]?.deployment?.dependsOn ?? {}))
      visit(dependency, depth + 1, new Set([...above, name]))
  }
  const needed = new Set(Object.values(environment.workloads).flatMap(({ deployment }) => Object.keys(deployment?.dependsOn ?? {})))
  for (const name of Object.keys(environment.workloads)) if (!needed.has(name)) visit(name, 1, new Set())
  for (const name of Object.keys(environment.workloads)) if (!found.has(name)) visit(name, 1, new Set())
  return found
}

export const graphOf = (environment: EnvironmentView, report: Report | undefined): { nodes: Node[]; edges: Edge[] } => {
  const workloadOf = new Map(environment.instances.map(({ id, workload }) => [id, workload]))
  const edges = new Map<string, Edge>()
  const add = (from: string, to: string, kind: Edge['kind'], count: number, last: number): void => {
    const key = `${from}\0${to}\0${kind}`
    const before = edges.get(key)
    edges.set(key, { from, to, kind, count: (before?.count ?? 0) + count, last: Math.max(before?.last ?? 0, last) })
  }
  for (const { kind, workload, peerInstance, count, failed, last } of report?.network.items ?? []) {
    if (workload === null || environment.workloads[workload] === undefined) continue
    const peer = peerInstance === null ? undefined : workloadOf.get(peerInstance)
    if (kind === 'gateway') add(gateway, workload, 'traffic', count, last)
    else if (kind === 'denied') add(workload, outside, 'denied', count, last)
    else if (kind === 'out' && peer !== undefined && peer !== workload) add(workload, peer, 'traffic', count, last)
    // What failed has not gone out.
    else if (kind === 'out' && peerInstance === null && count > failed) add(workload, outside, 'traffic', count - failed, last)
  }
  for (const [name, { deployment }] of Object.entries(environment.workloads)) {
    for (const dependency of Object.keys(deployment?.dependsOn ?? {})) {
      if (environment.workloads[dependency] !== undefined && !edges.has(`${name}\0${dependency}\0traffic`)) add(name, dependency, 'depends', 0, 0)
    }
    if ((deployment?.expose.length ?? 0) > 0 && !edges.has(`${gateway}\0${name}\0traffic`)) add(gateway, name, 'depends', 0, 0)
  }
  const all = [...edges.values()]
  const depth = depths(environment)
  const rows = new Map<number, number>()
  const place = (column: number): number => {
    const row = rows.get(column) ?? 0
    rows.set(column, row + 1)
    return row
  }
  const workloads = Object.keys(environment.workloads).map((name): Node => {
    const column = depth.get(name) ?? 1
    return { key: name, kind: 'workload', title: name, column, row: place(column) }
  })
  const furthest = Math.max(1, ...workloads.map(({ column }) => column))
  const nodes: Node[] = [
    ...(all.some(({ from }) => from === gateway) ? [{ key: gateway, kind: 'gateway' as const, title: 'Gateway', column: 0, row: 0 }] : []),
    ...workloads,
    ...(all.some(({ to }) => to === outside) ? [{ key: outside, kind: 'outside' as const, title: 'Outside', column: furthest + 1, row: 0 }] : []),
  ]
  const first = Math.min(...nodes.map(({ column }) => column))
  return { nodes: nodes.map(node => ({ ...node, column: node.column - first })), edges: all }
}
