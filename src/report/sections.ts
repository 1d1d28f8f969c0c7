/** The parts of a report's page. */

import type { Html } from '../base/html.ts'
import { html } from '../base/html.ts'
import type { Report, ReportProcess } from '../model/report.ts'
import { charts, networkMap } from './drawings.ts'
import { badge, bytes, clockTime, digest, moment, money, more, none, number, shortened, span, table } from './words.ts'

export const facts = (pairs: readonly (readonly [string, Html | string])[]): Html =>
  html`<dl class="facts">${pairs.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`

export const overview = ({ environment, seal, cost, activity }: Report): Html => {
  const { createdBy, owner, lease, labels, cause } = environment
  const tags = Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ')
  const watched = activity.kept
    ? activity.lost > 0
      ? `watched; ${activity.lost} events were lost`
      : 'watched'
    : 'not watched: nobody saw what it did'
  const sealed = seal.sealed ? (seal.key === null ? 'sealed, not signed yet' : 'sealed and signed') : 'open: it lives'
  return facts([
    ['Asked for by', createdBy],
    ['Owner', owner],
    ['Created', moment(environment.createdAt)],
    [
      'Ended',
      environment.endedAt === null ? 'not yet' : `${moment(environment.endedAt)}, after ${span(environment.endedAt - environment.createdAt)}`,
    ],
    ['Why', `${cause === null ? '' : `${cause}: `}${environment.reason}`],
    ['Lease', `at most ${span(lease.ttl)}, ${span(lease.idle)} idle, then ${lease.onIdle}`],
    ['Labels', tags === '' ? '–' : tags],
    ['Network', environment.isolated ? 'isolated: nothing got out any more' : 'by policy'],
    ['What it did', watched],
    ['Cost', cost.measured === 0 ? 'not measured' : money(cost.cost.total, cost.currency)],
    ['Record', `${seal.entries} entries, ${sealed}`],
  ])
}

export const origins = ({ workloads, images, instances }: Report): Html => html`${table(
  'What ran, and from what',
  [
    { title: 'Workload' },
    { title: 'Image asked for' },
    { title: 'Digest' },
    { title: 'Command', kind: 'w' },
    { title: 'User' },
    { title: 'Runtime' },
    { title: 'Limits' },
    { title: 'Egress' },
    { title: 'Instances', kind: 'n' },
  ],
  workloads.map(({ name, kind, image, imageName, command, user, runtime, cpus, memory, egress }) => [
    html`${name}<br>${kind}`,
    imageName,
    digest(image),
    html`<code>${command.join(' ').slice(0, 400)}</code>`,
    user === '' ? 'root of its own namespace' : user,
    runtime,
    `${number(cpus)} cores, ${bytes(memory)}`,
    egress.length === 0 ? 'closed' : egress.slice(0, 20).join(', '),
    instances.items.filter(one => one.workload === name).length,
  ]),
)}
<h3>Images</h3>${table(
  'As far as they were looked at',
  [
    { title: 'Image' },
    { title: 'Digest' },
    { title: 'Distribution' },
    { title: 'Packages', kind: 'n' },
    { title: 'Known vulnerabilities' },
    { title: 'Looked at' },
  ],
  images.items.map(({ names, digest: id, distribution, packages, vulnerabilities, problems, scannedAt }) => [
    names.join(', '),
    digest(id),
    distribution ?? '–',
    packages,
    scannedAt === null
      ? 'not known'
      : Object.entries(vulnerabilities)
          .map(([severity, count]) => `${count} ${severity}`)
          .join(', ') || 'none',
    scannedAt === null ? 'nobody has' : html`${moment(scannedAt)}${problems.length > 0 ? html`<br>${problems.slice(0, 3).join('; ')}` : undefined}`,
  ]),
)}${more(images.more)}`

export const instances = ({ instances: all }: Report): Html =>
  html`${table(
    'Every life',
    [
      { title: 'Instance' },
      { title: 'Workload' },
      { title: 'State' },
      { title: 'Started' },
      { title: 'Ran', kind: 'n' },
      { title: 'Exit', kind: 'n' },
      { title: 'Output', kind: 'n' },
      { title: 'CPU', kind: 'n' },
      { title: 'Memory, peak', kind: 'n' },
      { title: 'Why' },
    ],
    all.items.map(({ id, workload, state, start, startedAt, endedAt, exit, log, usage, reason }) => [
      html`<code class="id">${id}</code>`,
      workload,
      badge(state),
      startedAt === null ? 'never' : html`<span class="mono">${clockTime(startedAt)}</span> ${start ?? ''}`,
      startedAt === null || endedAt === null ? '–' : span(endedAt - startedAt),
      exit === null ? '–' : `${exit.code}${exit.oom ? ', out of memory' : ''}`,
      `${bytes(log)}${exit !== null && exit.droppedBytes > 0 ? `, ${bytes(exit.droppedBytes)} dropped` : ''}`,
      usage === null ? '–' : `${number(usage.cpuSeconds)} s`,
      usage === null ? '–' : bytes(usage.peak),
      reason,
    ]),
  )}${more(all.more, 'more instances')}`

const objections = (list: Report['verdicts']['items'][number]['denials'], what: string): Html | undefined =>
  list.length === 0
    ? undefined
    : html`<div><strong>${what}</strong><ul>${list.map(({ policy, rule, message, exemption }) => html`<li>${message} <code>${policy}/${rule}</code>${exemption === null ? undefined : html` (exempt: ${exemption})`}</li>`)}</ul></div>`

export const verdicts = ({ verdicts: all }: Report): Html =>
  all.items.length === 0
    ? none('No verdict is in the record.')
    : html`${table(
        'What policy said of each start',
        [{ title: 'Time', kind: 't' }, { title: 'Workload' }, { title: 'Verdict' }, { title: 'Asked by' }, { title: 'Reasons', kind: 'w' }],
        all.items.map(({ time, workload, allowed, actor, reason, denials, warnings, audits, more: left }) => [
          clockTime(time),
          workload,
          badge(allowed ? 'allowed' : 'denied'),
          actor,
          html`${reason}${objections(denials, 'Denied')}${objections(warnings, 'Warned')}${objections(audits, 'Audited or exempt')}${more(left, 'more reasons')}`,
        ]),
      )}${more(all.more, 'more verdicts')}`

export const findings = ({ findings: all }: Report): Html =>
  all.items.length === 0
    ? none('None.')
    : html`${table(
        'Findings, detections, and what was done about them',
        [
          { title: 'Time', kind: 't' },
          { title: 'Kind' },
          { title: 'Severity or action' },
          { title: 'Rule or name' },
          { title: 'Where' },
          { title: 'What', kind: 'w' },
        ],
        all.items.map(({ time, kind, severity, id, workload, instance, message, tags }) => [
          clockTime(time),
          kind,
          badge(severity),
          html`${id}${tags.length > 0 ? html`<br><small>${tags.slice(0, 8).join(', ')}</small>` : undefined}`,
          html`${workload ?? 'environment'}${instance === null ? undefined : html`<br><code class="id">${instance}</code>`}`,
          shortened(message),
        ]),
      )}${more(all.more)}`

/** Depth first, parents before their children, each once. */
const ordered = (all: readonly ReportProcess[]): { process: ReportProcess; depth: number }[] => {
  const children = new Map<number | null, number[]>()
  for (const [index, { parent }] of all.entries()) {
    const those = children.get(parent)
    if (those === undefined) children.set(parent, [index])
    else those.push(index)
  }
  const found: { process: ReportProcess; depth: number }[] = []
  const seen = new Set<number>()
  const stack = (children.get(null) ?? []).toReversed().map(index => ({ index, depth: 0 }))
  const drain = (): void => {
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      const { index, depth } = next
      const process = all[index]
      if (process === undefined || seen.has(index)) continue
      seen.add(index)
      found.push({ process, depth })
      for (const child of (children.get(index) ?? []).toReversed()) stack.push({ index: child, depth: depth + 1 })
    }
  }
  drain()
  // Whatever the numbers say: nothing is left out.
  for (const index of all.keys()) {
    if (seen.has(index)) continue
    stack.push({ index, depth: 0 })
    drain()
  }
  return found
}

const statusOf = (result: number | null): string => {
  if (result === null) return '–'
  const signal = result & 127
  return signal === 0 ? String((result >> 8) & 255) : `signal ${signal}`
}

export const processes = ({ processes: all, activity, instances: { items } }: Report): Html => {
  const counts = Object.entries(activity.counts).sort(([, left], [, right]) => right - left)
  const seen =
    counts.length === 0 ? undefined : html`<p class="more">Events seen: ${counts.map(([type, count]) => `${count} ${type}`).join(', ')}.</p>`
  if (all.items.length === 0) return html`${none(activity.kept ? 'No process was seen.' : 'Nobody watched what it did.')}${seen}`
  const workloads = new Map(items.map(({ id, workload }) => [id, workload]))
  const of = Map.groupBy(ordered(all.items), ({ process }) => process.instance)
  return html`${[...of].map(
    ([instance, those]) =>
      html`<h3>${workloads.get(instance) ?? ''} <code class="id">${instance}</code></h3>${table(
        `${those.length} processes`,
        [
          { title: 'Process' },
          { title: 'Pid', kind: 'n' },
          { title: 'Command', kind: 'w' },
          { title: 'File and its SHA-256' },
          { title: 'Began', kind: 't' },
          { title: 'Ran', kind: 'n' },
          { title: 'End', kind: 'n' },
        ],
        those.map(({ process: one, depth }) => [
          html`<div class="${depth === 0 ? '' : `d${Math.min(depth, 16)}`}">${depth === 0 ? '' : '└ '}${one.name}${one.flags.map(flag => html` ${badge(flag)}`)}</div>`,
          one.pid,
          html`<code>${one.args.join(' ')}</code>${one.argsMore > 0 ? ` and ${one.argsMore} more arguments` : ''}`,
          html`<code>${one.exe ?? '–'}</code>${one.sha256 === null ? undefined : html`<br>${digest(one.sha256)}`}`,
          clockTime(one.startedAt),
          one.endedAt === null ? '–' : span(one.endedAt - one.startedAt),
          statusOf(one.result),
        ]),
      )}`,
  )}${more(all.more, 'more processes')}${activity.complete ? undefined : none('There is more of it than a report looks at: an export has all.')}${seen}`
}

const kinds = { out: 'connects to', in: 'is reached by', name: 'asks for', denied: 'was kept from', gateway: 'got requests by' } as const

export const network = (report: Report): Html => {
  const { network: all, activity } = report
  if (all.items.length === 0) return none(activity.kept ? 'It talked to nobody.' : 'Nothing is known of it.')
  return html`${networkMap(report)}${table(
    'The same in words',
    [
      { title: 'Workload' },
      { title: '' },
      { title: 'Peer' },
      { title: 'Port', kind: 'n' },
      { title: 'Protocol' },
      { title: 'Times', kind: 'n' },
      { title: 'Failed', kind: 'n' },
      { title: 'First', kind: 't' },
    ],
    all.items.map(({ kind, workload, instance, peer, peerInstance, port, protocol, count, failed, first }) => [
      html`${workload ?? 'environment'}${instance === null ? undefined : html`<br><code class="id">${instance}</code>`}`,
      kinds[kind],
      html`<code>${peer}</code>${peerInstance === null ? undefined : html`<br>instance <code>${peerInstance}</code>`}`,
      port ?? '–',
      protocol,
      count,
      failed === 0 ? '–' : failed,
      clockTime(first),
    ]),
  )}${more(all.more)}`
}

export const resources = (report: Report): Html => {
  const { cost, instances: all } = report
  const used = all.items.flatMap(({ usage }) => usage ?? [])
  const sum = (of: (one: (typeof used)[number]) => number): number => used.reduce((total, one) => total + of(one), 0)
  const { currency, cost: amounts, measured } = cost
  return html`${charts(report)}${
    measured === 0
      ? none('What it used was not measured, or is not summed up before its end.')
      : facts([
          ['Processor', `${number(sum(one => one.cpuSeconds))} s, ${money(amounts.cpu, currency)}`],
          ['Memory over time', `${number(sum(one => one.memoryGiBSeconds))} GiB × s, ${money(amounts.memory, currency)}`],
          ['Sent', `${bytes(sum(one => one.sent))}, ${money(amounts.egress, currency)}`],
          ['Received', bytes(sum(one => one.received))],
          ['Without activity', `${span(sum(one => one.idle))}, ${money(amounts.idle, currency)}`],
          ['Together', money(amounts.total, currency)],
        ])
  }`
}

export const events = ({ events: all }: Report): Html =>
  html`<details><summary>${all.items.length} entries of the record</summary>${table(
    'In their order; marks that only programs read are left out',
    [{ title: '#', kind: 'n' }, { title: 'Time', kind: 't' }, { title: 'What' }, { title: 'Instance' }, { title: 'By' }, { title: 'Why' }],
    all.items.map(({ sequence, time, type, instance, actor, reason }) => [
      sequence,
      clockTime(time),
      html`<code>${type}</code>`,
      instance === null ? '' : html`<code class="id">${instance}</code>`,
      actor,
      shortened(reason),
    ]),
  )}${more(all.more)}</details>`

export const seal = ({ seal: { sealed, entries, head, key, signedAt } }: Report): Html =>
  html`${facts([
    ['State', sealed ? (key === null ? 'sealed, not signed yet' : 'sealed and signed') : 'open: it lives, and its record grows'],
    ['Entries', String(entries)],
    ['Hash of the last entry', html`<code>${head}</code>`],
    ...(key === null ? [] : [['Key', html`<code>${key}</code>`] as const]),
    ...(signedAt === null ? [] : [['Signed', signedAt] as const]),
  ])}<p class="more">This page is a view. The proof is the record: <code>dayfly verify</code> holds it, its logs and what was seen against the signature.</p>`
