/**
 * What rules cost: events of a busy shop through all rules of Dayfly and of Falco's file, on one core, as the detector asks them. Two figures: the rules alone, and
 * the whole detector with its processes, sequences and thresholds.
 *
 *     node bench/rules.ts [--quick]
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { createDetector } from '../src/detect/create.ts'
import type { Subject } from '../src/detect/detector.ts'
import type { EventContext } from '../src/detect/fields/context.ts'
import { loadRules } from '../src/detect/language/load.ts'
import { compileRules } from '../src/detect/language/rule-set.ts'
import { createProcessTable } from '../src/detect/processes/table.ts'
import { ownRules } from '../src/detect/rules/own.ts'
import type { KernelEvent } from '../src/model/kernel-event.ts'
import { readFacts } from './facts.ts'
import { median } from './measure.ts'

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } })
const root = resolve(import.meta.dirname, '..')
const fixtures = process.env['DAYFLY_FIXTURES'] ?? resolve(root, '../shared/fixtures')
const falcoPath = join(fixtures, 'falco/falco_rules.yaml')
const falco = existsSync(falcoPath) ? [{ name: 'falco_rules.yaml', text: readFileSync(falcoPath, 'utf8') }] : []

const subject: Subject = {
  ...{
    environment: 'e1',
    environmentName: 'shop',
    instance: 'i1',
    workload: 'web',
    kind: 'service',
    image: 'sha256:00',
    imageName: 'web:1',
    owner: 'ann',
  },
  ...{ labels: {}, startedAt: 0, privileged: false, egress: ['10.0.0.0/8'] },
}

/** A script's life: fork, exec, files, connections, names, exit; one in ten a shell, which most rules look at longest. */
const makeEvents = (count: number): readonly KernelEvent[] => {
  const programs = ['node', 'sh', 'python3', 'nginx', 'curl', 'cat', 'redis-server', 'ls', 'worker', 'java']
  const base = { environment: 'e1', instance: 'i1', uid: 1000, euid: 1000, gid: 1000, parentName: 'init' }
  const events: KernelEvent[] = []
  for (let life = 0; events.length < count; life++) {
    const pid = 1000 + (life % 30_000)
    const start = 1_000_000 + life * 100
    const name = programs[life % programs.length] ?? 'sh'
    const who = { ...base, pid, tid: pid, vpid: pid, start, parentPid: 2, parentStart: 1, name }
    const at = (offset: number): number => 1_000_000 + life + offset / 100
    const socket = {
      family: 'inet',
      protocol: 6,
      localAddress: '10.1.0.2',
      localPort: 40_000,
      remoteAddress: `10.2.${life % 250}.7`,
      remotePort: 5432,
    } as const
    events.push(
      {
        ...who,
        pid: 2,
        tid: 2,
        vpid: 1,
        start: 1,
        parentPid: 1,
        parentStart: 0,
        name: 'init',
        time: at(0),
        type: 'fork',
        result: pid,
        child: pid,
        childVpid: pid,
        childStart: start,
      },
      {
        ...who,
        time: at(1),
        type: 'exec',
        result: 0,
        exe: `/usr/bin/${name}`,
        path: `/usr/bin/${name}`,
        args: [name, '-c', `/srv/app/job-${life % 50}.sh`],
        cwd: '/srv',
        tty: 0,
      },
      { ...who, time: at(2), type: 'open', syscall: 'openat', result: 3, path: '/etc/passwd', openFlags: 0o2000000 },
      { ...who, time: at(3), type: 'open', syscall: 'openat', result: 4, path: `/srv/data/${life % 100}.json`, openFlags: 0o1101, mode: 0o644 },
      { ...who, time: at(4), type: 'connect', syscall: 'connect', result: -115, fd: 5, socket },
      { ...who, time: at(5), type: 'connect', syscall: 'connect', result: 0, fd: 5, socket },
      { ...who, time: at(6), type: 'dns', result: 0, path: 'db.shop', detail: '10.2.0.7' },
      { ...who, time: at(7), type: 'unlink', syscall: 'unlinkat', result: 0, path: `/tmp/${life}`, directory: '/tmp' },
      { ...who, time: at(8), type: 'rename', syscall: 'rename', result: 0, path: '/srv/a', target: '/srv/b' },
      { ...who, time: at(9), type: 'exit', result: 0 },
    )
  }
  return events
}

const events = makeEvents(values.quick ? 20_000 : 200_000)
const rounds = values.quick ? 3 : 7

const contexts = (): readonly EventContext[] => {
  const processes = createProcessTable()
  return events.map((event, index) => ({ event, process: processes.apply(event), subject, number: index + 1 }))
}

/** Events in a second of processor time, and how many of them matched something. */
const measure = (work: () => number): readonly [rate: number, matched: number] => {
  const rates: number[] = []
  let matched = 0
  work()
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage()
    matched = work()
    const { user, system } = process.cpuUsage(before)
    rates.push(events.length / ((user + system) / 1e6))
  }
  return [median(rates), matched]
}

const ofRules = (sources: typeof falco): readonly [number, number, number] => {
  const set = compileRules(loadRules(sources).rules)
  const known = contexts()
  const [rate, matched] = measure(() => known.reduce((sum, context) => sum + set.match(context).length, 0))
  return [set.rules.length, rate, matched]
}

const rows: (readonly [string, number, number, number])[] = [["Dayfly's rules", ...ofRules([...ownRules()])]]
if (falco.length > 0) rows.push(["Falco's file", ...ofRules(falco)], ['both', ...ofRules([...ownRules(), ...falco])])
{
  const files = falco.map(({ name, text }) => ({ path: name, text }))
  const [rate, matched] = measure(() => {
    const detector = createDetector({ dayfly: true, files })
    detector.introduce(subject)
    return events.reduce((sum, event) => sum + detector.observe(event).length, 0)
  })
  rows.push([
    'both, with processes, sequences and thresholds',
    createDetector({ dayfly: true, files }).setRules({ dayfly: true, files }),
    rate,
    matched,
  ])
}

const facts = readFacts()
const text = [
  `${facts.date.slice(0, 10)} · ${facts.system} · ${facts.processor}, one of ${facts.cores} cores · ${events.length} events of a busy service${falco.length > 0 ? '' : " · Falco's file was not there"}`,
  '',
  '|  | rules | events/s | µs an event | detections |',
  '|---|---:|---:|---:|---:|',
  ...rows.map(
    ([name, rules, rate, matched]) => `| ${name} | ${rules} | ${Math.round(rate).toLocaleString('en')} | ${(1e6 / rate).toFixed(2)} | ${matched} |`,
  ),
  '',
].join('\n')
console.log(text)
mkdirSync(join(root, 'bench/results'), { recursive: true })
if (!values.quick) writeFileSync(join(root, 'bench/results/rules.md'), text)
