/** The map of a network, and what was used over time. */

import type { Html } from '../base/html.ts'
import { html } from '../base/html.ts'
import type { Report } from '../model/report.ts'
import { bytes, more, number } from './words.ts'

const mostPeers = 28
const row = 30
const short = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text)

/** Workloads on the left, whom they talked to on the right. */
export const networkMap = ({ network }: Report): Html | undefined => {
  const sums = new Map<string, { from: string; to: string; count: number; failed: number; incoming: boolean }>()
  for (const { kind, workload, peer, peerInstance, port, protocol, count, failed } of network.items) {
    const to = `${peerInstance === null ? '' : '⇄ '}${peer}${port === null || kind === 'in' ? '' : `:${port}`}${protocol === 'tcp' || kind === 'gateway' ? '' : ` ${protocol}`}`
    const from = workload ?? 'environment'
    const known = sums.get(`${from} ${to}`) ?? { from, to, count: 0, failed: 0, incoming: kind === 'in' || kind === 'gateway' }
    sums.set(`${from} ${to}`, known)
    known.count += count
    known.failed += failed
  }
  if (sums.size === 0) return undefined
  const edges = [...sums.values()].sort((left, right) => right.count - left.count).slice(0, mostPeers)
  const left = [...new Set(edges.map(({ from }) => from))]
  const right = [...new Set(edges.map(({ to }) => to))]
  const height = Math.max(left.length, right.length) * row + 10
  const y = (index: number, count: number): number => Math.round(((index + 0.5) * height) / count)
  const most = Math.max(...edges.map(({ count }) => count))
  return html`<div class="scroll"><svg class="map" viewBox="0 0 900 ${height}" role="img" aria-label="Who talked to whom; the table below says the same">
${edges.map(({ from, to, count, failed, incoming }) => {
  const [y1, y2] = [y(left.indexOf(from), left.length), y(right.indexOf(to), right.length)]
  const weight = Math.round((1 + (3 * Math.log1p(count)) / Math.log1p(most)) * 10) / 10
  return html`<line class="${failed >= count ? 'bad' : ''}" x1="250" y1="${y1}" x2="520" y2="${y2}" stroke-width="${weight}"><title>${from} ${incoming ? '←' : '→'} ${to}: ${count}${failed > 0 ? `, ${failed} failed` : ''}</title></line>\n`
})}
${left.map((name, index) => html`<rect x="10" y="${y(index, left.length) - 12}" width="240" height="24" rx="5"/><text x="20" y="${y(index, left.length) + 4}">${short(name, 28)}</text>\n`)}
${right.map((name, index) => html`<rect x="520" y="${y(index, right.length) - 12}" width="370" height="24" rx="5"/><text x="530" y="${y(index, right.length) + 4}">${short(name, 44)}</text>\n`)}
</svg></div>${more(sums.size - edges.length, 'more pairs are in the table only')}`
}

/** Processor and memory of each instance that was measured more than once. */
export const charts = ({ resources, instances }: Report): Html | undefined => {
  const drawn = resources.items.filter(({ points }) => points.length > 1)
  if (drawn.length === 0) return undefined
  const workloads = new Map(instances.items.map(({ id, workload }) => [id, workload]))
  return html`<div class="charts">${drawn.map(({ instance, points }) => {
    const [first, last] = [points[0]?.[0] ?? 0, points.at(-1)?.[0] ?? 1]
    const mostCores = Math.max(0.01, ...points.map(([, cores]) => cores))
    const mostMemory = Math.max(1, ...points.map(([, , memory]) => memory))
    const x = (time: number): number => Math.round(((time - first) / Math.max(1, last - first)) * 10_000) / 10
    const y = (part: number): number => Math.round((62 - part * 58) * 10) / 10
    const memory = points.map(([time, , held]) => `${x(time)},${y(held / mostMemory)}`).join(' ')
    const cores = points.map(([time, used]) => `${x(time)},${y(used / mostCores)}`).join(' ')
    const words = `${workloads.get(instance) ?? ''} ${instance}: at most ${number(mostCores)} cores (line) and ${bytes(mostMemory)} (area)`
    return html`<figure><svg viewBox="0 0 1000 64" preserveAspectRatio="none" role="img" aria-label="${words}"><polygon class="mem" points="0,64 ${memory} 1000,64"/><polyline class="cpu" vector-effect="non-scaling-stroke" points="${cores}"/></svg><figcaption>${words}</figcaption></figure>`
  })}</div>${more(resources.more, 'more instances')}`
}
