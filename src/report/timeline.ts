/** Who lived when, as swim-lanes: drawings that stretch, with words that do not. */

import type { Html } from '../base/html.ts'
import { html } from '../base/html.ts'
import type { Report, ReportInstance } from '../model/report.ts'
import { clockTime, more, span } from './words.ts'

const width = 1000
/** Of what lived so shortly that it would not be seen. */
const least = 4
const mostLanes = 80

interface Scale {
  readonly from: number
  readonly to: number
}

const place = ({ from, to }: Scale, time: number): number => Math.min(width, Math.max(0, ((time - from) / Math.max(1e-6, to - from)) * width))

const bar = (scale: Scale, from: number, to: number, kind: string, title: string): Html => {
  const start = Math.min(place(scale, from), width - least)
  const wide = Math.max(least, place(scale, to) - start)
  return html`<rect class="${kind}" x="${Math.round(start * 100) / 100}" y="3" width="${Math.round(wide * 100) / 100}" height="14"><title>${title}</title></rect>`
}

const mark = (scale: Scale, time: number, kind: string, title: string): Html =>
  html`<rect class="${kind}" x="${Math.round(Math.min(place(scale, time), width - 3) * 100) / 100}" y="0" width="3" height="20"><title>${title}</title></rect>`

const lane = (label: string, title: string, content: readonly Html[]): Html =>
  html`<div class="label" title="${title}">${label}</div><svg viewBox="0 0 ${width} 20" preserveAspectRatio="none" role="img" aria-label="${title}">${content}</svg>\n`

/** The span that the drawing shows: of the environment, or to the last that is known of one that lives. */
export const scaleOf = ({ environment, events, instances }: Report): Scale => {
  const times = [...events.items.map(({ time }) => time), ...instances.items.flatMap(({ endedAt }) => endedAt ?? [])]
  const from = Math.min(environment.createdAt, ...times)
  return { from, to: Math.max(environment.endedAt ?? 0, ...times, from + 1) }
}

const instanceLane = (instance: ReportInstance, scale: Scale, found: Report['findings']['items']): Html => {
  const { id, workload, createdAt, startedAt, endedAt, exit, state } = instance
  const end = endedAt ?? scale.to
  const lived = startedAt === null ? '' : `, ran ${span(end - startedAt)}`
  const outcome = exit === null ? state : exit.oom ? 'out of memory' : `exit code ${exit.code}`
  const failed = state === 'failed' || state === 'lost' || (exit !== null && exit.code !== 0)
  const title = `${workload} ${id}${lived}, ${outcome}`
  return lane(`${workload} ${id.slice(0, 6)}`, title, [
    ...(startedAt === null || startedAt > createdAt ? [bar(scale, createdAt, startedAt ?? end, 'wait', `${title}: being made`)] : []),
    ...(startedAt === null ? [] : [bar(scale, startedAt, end, failed ? 'warn' : 'run', title)]),
    ...found.filter(one => one.instance === id).map(one => mark(scale, one.time, 'bad', `${clockTime(one.time)} ${one.id}: ${one.message}`)),
  ])
}

const key = (kind: string, text: string): Html =>
  html`<span><svg viewBox="0 0 12 12" aria-hidden="true"><rect class="${kind}" width="12" height="12"/></svg>${text}</span>`

export const timeline = (report: Report): Html => {
  const { environment, events, instances, findings } = report
  const scale = scaleOf(report)
  const shown = instances.items.slice(0, mostLanes)
  const ticks = Array.from({ length: 5 }, (_, index) => scale.from + ((scale.to - scale.from) * index) / 4)
  const asked = events.items.filter(({ type }) => /^(exec|attach)\.started$|^environment\.(updated|paused|resumed|extended|adopted)$/.test(type))
  const whole = environment.endedAt === null ? 'it lives' : `lived ${span(environment.endedAt - environment.createdAt)}`
  return html`<div class="lanes">
${lane('environment', `the environment ${whole}`, [
  bar(scale, environment.createdAt, environment.endedAt ?? scale.to, 'run', whole),
  ...asked.map(({ time, type, reason }) => mark(scale, time, 'info', `${clockTime(time)} ${type}: ${reason}`)),
  ...findings.items
    .filter(({ instance }) => instance === null)
    .map(one => mark(scale, one.time, 'bad', `${clockTime(one.time)} ${one.id}: ${one.message}`)),
])}
${shown.map(instance => instanceLane(instance, scale, findings.items))}
<div></div><div class="axis" aria-hidden="true">${ticks.map(time => html`<span>${clockTime(time)}</span>`)}</div>
</div>
<p class="legend">${key('run', 'ran')}${key('wait', 'being made')}${key('warn', 'ended otherwise than with success')}${key('info', 'somebody did something')}${key('bad', 'a finding, a detection or what was done about it')}</p>
${more(instances.items.length - shown.length + instances.more, 'more instances')}`
}
