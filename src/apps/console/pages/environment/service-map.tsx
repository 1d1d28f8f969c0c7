/** Services and who speaks with whom. What has spoken in the last seconds is drawn strong. The same is told as a list below. */
import { useEffect, useRef, useState } from 'react'
import type { EnvironmentView } from '../../../../api/schemas/environments.ts'
import type { WorkloadView } from '../../../../api/schemas/workloads.ts'
import type { Report } from '../../../../model/report.ts'
import { toneOf } from '../../components/badge.tsx'
import { number, plural } from '../../format.ts'
import type { Edge, Node } from './traffic.ts'
import { graphOf } from './traffic.ts'

const box = { width: 148, height: 54, gapX: 96, gapY: 26, pad: 14 } as const
/** ms: seen within it is now. */
const fresh = 15_000

const placeOf = ({ column, row }: Node): { x: number; y: number } => ({
  x: box.pad + column * (box.width + box.gapX),
  y: box.pad + row * (box.height + box.gapY),
})

const keyOf = ({ from, to, kind }: Edge): string => `${from}\0${to}\0${kind}`

/** How many each edge has got more since the answer before. */
const useGrowth = (edges: readonly Edge[], at: number): ReadonlyMap<string, number> => {
  const before = useRef<{ at: number; counts: Map<string, number> }>(undefined)
  const [growth, setGrowth] = useState<ReadonlyMap<string, number>>(new Map())
  useEffect(() => {
    const last = before.current
    if (last?.at === at) return
    before.current = { at, counts: new Map(edges.map(edge => [keyOf(edge), edge.count])) }
    if (last === undefined) return
    const seconds = Math.max(1, (at - last.at) / 1000)
    setGrowth(new Map(edges.map(edge => [keyOf(edge), (edge.count - (last.counts.get(keyOf(edge)) ?? 0)) / seconds])))
  }, [edges, at])
  return growth
}

const sentence = ({ from, to, kind, count }: Edge): string => {
  const who = from === 'gateway' ? 'The gateway' : from
  const whom = to === 'outside' ? 'outside addresses' : to
  if (kind === 'depends')
    return from === 'gateway' ? `${who} leads to ${whom}; nothing came in yet.` : `${who} depends on ${whom}; no traffic was seen.`
  if (kind === 'denied') return `${who} tried to reach ${whom} ${plural(count, 'time')}, and was denied.`
  return `${who} to ${whom}: ${plural(count, from === 'gateway' ? 'request' : 'connection')}.`
}

/** What stands at an edge: how often a second, once that is known. */
const labelOf = ({ kind, count }: Edge, rate: number): string => {
  if (kind === 'depends') return ''
  if (kind === 'denied') return `${number(count)} denied`
  const rounded = Math.round(rate * 10) / 10
  return rounded > 0 ? `${number(rounded)}/s` : number(count)
}

/** Neighbours are joined directly; what is further apart goes below all others (`below`, px), each `parallel` one lower than the one before. */
const pathOf = (from: Node, to: Node, below: number, parallel: number): { path: string; labelX: number; labelY: number } => {
  const start = placeOf(from)
  const end = placeOf(to)
  const back = end.x < start.x
  const x1 = back ? start.x : start.x + box.width
  const x2 = back ? end.x + box.width : end.x
  const y1 = start.y + box.height / 2
  const y2 = end.y + box.height / 2
  if (from.column === to.column) {
    const left = start.x - 44
    return { path: `M${start.x} ${y1}C${left} ${y1} ${left} ${y2} ${start.x} ${y2}`, labelX: left + 8, labelY: (y1 + y2) / 2 }
  }
  const middle = (x1 + x2) / 2
  if (Math.abs(from.column - to.column) === 1) {
    const bow = parallel * 16
    return { path: `M${x1} ${y1}C${middle} ${y1 + bow} ${middle} ${y2 + bow} ${x2} ${y2}`, labelX: middle, labelY: (y1 + y2) / 2 - 6 + bow * 1.6 }
  }
  const low = below + parallel * 20
  return {
    path: `M${x1} ${y1}C${x1 + 60} ${y1} ${x1 + 20} ${low} ${x1 + 90} ${low}L${x2 - 90} ${low}C${x2 - 20} ${low} ${x2 - 60} ${y2} ${x2} ${y2}`,
    labelX: middle,
    labelY: low - 5,
  }
}

interface MapProps {
  readonly environment: EnvironmentView
  readonly workloads: readonly WorkloadView[] | undefined
  readonly report: Report | undefined
  /** Wall ms of the report. */
  readonly at: number
}

export const ServiceMap = ({ environment, workloads, report, at }: MapProps) => {
  const { nodes, edges } = graphOf(environment, report)
  const growth = useGrowth(edges, at)
  const byKey = new Map(nodes.map(node => [node.key, node]))
  const width = Math.max(...nodes.map(node => placeOf(node).x)) + box.width + box.pad
  const below = Math.max(...nodes.map(node => placeOf(node).y)) + box.height + 24
  const far = edges.filter(({ from, to }) => Math.abs((byKey.get(from)?.column ?? 0) - (byKey.get(to)?.column ?? 0)) > 1)
  const near = edges.filter(edge => !far.includes(edge))
  /** Which of those that go the same way it is. */
  const parallel = (edge: Edge): number =>
    far.includes(edge) ? far.indexOf(edge) : near.filter(({ from, to }) => from === edge.from && to === edge.to).indexOf(edge)
  const height = far.length === 0 ? below - 24 + box.pad : below + far.length * 20
  return (
    <div className="stack">
      {/* What scrolls must be reachable by the keyboard. */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: see above */}
      <section className="map-scroll" aria-label="Map of services" tabIndex={0}>
        <svg className="map" viewBox={`0 0 ${width} ${height}`} width={width} height={height} aria-hidden="true" focusable="false">
          {edges.map(edge => {
            const from = byKey.get(edge.from)
            const to = byKey.get(edge.to)
            if (from === undefined || to === undefined) return null
            const { path, labelX, labelY } = pathOf(from, to, below, parallel(edge))
            const live = environment.state !== 'ended' && at - edge.last < fresh
            return (
              <g key={keyOf(edge)} className={`edge edge-${edge.kind}${live ? ' edge-live' : ''}`}>
                <path d={path} />
                <text x={labelX} y={labelY}>
                  {labelOf(edge, growth.get(keyOf(edge)) ?? 0)}
                </text>
              </g>
            )
          })}
          {nodes.map(node => {
            const { x, y } = placeOf(node)
            const standing = workloads?.find(({ name }) => name === node.key)
            const instances = environment.instances.filter(({ workload }) => workload === node.key)
            const word =
              node.kind === 'workload' ? (standing?.state ?? (environment.state === 'ended' ? plural(instances.length, 'instance') : '')) : ''
            return (
              <g key={node.key} transform={`translate(${x} ${y})`} className={`node node-${node.kind}`}>
                <rect width={box.width} height={box.height} rx="8" />
                <circle
                  cx="16"
                  cy={word === '' ? box.height / 2 : 20}
                  r="4.5"
                  className={`mark mark-${standing === undefined ? 'quiet' : toneOf(standing.state)}`}
                />
                <text x="28" y={word === '' ? box.height / 2 + 4.5 : 24}>
                  {node.title.length > 16 ? `${node.title.slice(0, 15)}…` : node.title}
                </text>
                {word === '' ? null : (
                  <text x="28" y="42" className="node-sub">
                    {word}
                    {standing === undefined ? '' : ` · ${standing.ready} of ${standing.wanted}`}
                  </text>
                )}
              </g>
            )
          })}
        </svg>
      </section>
      <ul className={edges.length > 6 ? 'hidden' : 'map-words'}>
        {edges.map(edge => (
          <li key={keyOf(edge)}>{sentence(edge)}</li>
        ))}
      </ul>
    </div>
  )
}
