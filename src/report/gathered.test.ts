import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Sample } from '../model/activity.ts'
import type { Event } from '../model/event.ts'
import { dayfly } from '../model/event.ts'
import type { KernelEvent } from '../model/kernel-event.ts'
import { createRecordFindings } from './findings.ts'
import { createPeerList } from './network.ts'
import { createProcessList } from './processes.ts'
import { seriesOf } from './series.ts'

const event = (type: KernelEvent['type'], pid: number, more: Partial<KernelEvent> = {}): KernelEvent => ({
  ...{ type, time: pid, environment: 'e', instance: 'i', pid, tid: pid, vpid: pid - 100, start: pid * 10, parentPid: 1, parentStart: 1 },
  ...{ uid: 0, euid: 0, gid: 0, name: `p${pid}`, parentName: 'x', result: 0 },
  ...more,
})

describe('processes', () => {
  test('are those that were started, below who started them, with file and end', () => {
    const list = createProcessList(10)
    list.see(event('exec', 101, { exe: '/bin/sh', args: ['sh', '-c', 'ls'], argsCount: 3, sha256: 'ab', flags: ['upper', 'compat'] }))
    list.see(event('fork', 101, { child: 102, childStart: 1020, childVpid: 2, time: 150 }))
    list.see(
      event('exec', 102, {
        exe: '/bin/ls',
        args: Array.from({ length: 40 }, () => 'a'.repeat(500)),
        argsCount: 60,
        time: 160,
        parentPid: 101,
        parentStart: 1010,
      }),
    )
    list.see(event('exit', 102, { result: 256, time: 170 }))
    list.see(event('exit', 999, { result: 0 }))
    const { items, more } = list.list()
    assert.equal(more, 0)
    const [shell, ls] = items
    assert.deepEqual([shell?.name, shell?.parent, shell?.flags, shell?.args, shell?.endedAt], ['p101', null, ['upper'], ['sh', '-c', 'ls'], null])
    assert.deepEqual([ls?.parent, ls?.pid, ls?.startedAt, ls?.endedAt, ls?.result, ls?.exe], [0, 2, 150, 170, 256, '/bin/ls'])
    assert.deepEqual([ls?.args.length, ls?.args[0]?.length, ls?.argsMore], [24, 257, 36])
    assert.equal(items.length, 2)
  })

  test('are told apart by their beginning, for numbers come again; and are no more than asked for', () => {
    const list = createProcessList(2)
    for (const start of [1, 2, 3]) list.see(event('exec', 101, { start }))
    const { items, more } = list.list()
    assert.deepEqual([items.length, more], [2, 1])
  })
})

describe('a network', () => {
  const places = new Map([['10.0.0.3', { instance: 'j', workload: 'db' }]])
  const list = () => createPeerList(10, instance => (instance === 'i' ? 'web' : null), places)
  const socket = { family: 'inet' as const, protocol: 6, remoteAddress: '10.0.0.3', remotePort: 5432, localAddress: '10.0.0.2', localPort: 40_000 }

  test('is who talked to whom, counted, with what failed', () => {
    const peers = list()
    peers.seeKernel(event('connect', 101, { socket, result: -115 }))
    peers.seeKernel(event('connect', 101, { socket: { ...socket, localPort: 40_001 }, count: 3, result: -111, time: 500 }))
    peers.seeKernel(event('accept', 101, { socket: { ...socket, localPort: 80, remoteAddress: '10.0.0.9', remotePort: 51_000 } }))
    peers.seeKernel(event('dns', 101, { path: 'example.org', detail: 'NXDOMAIN' }))
    peers.seeKernel(event('connect', 101, { socket: { family: 'unix', protocol: 0, remoteAddress: '/run/x' } }))
    const [db, client, name, ...none] = peers.list().items
    assert.deepEqual(
      [db?.kind, db?.peer, db?.peerInstance, db?.port, db?.protocol, db?.count, db?.failed, db?.first, db?.last],
      ['out', '10.0.0.3', 'j', 5432, 'tcp', 4, 3, 101, 500],
    )
    assert.deepEqual([client?.kind, client?.peer, client?.port], ['in', '10.0.0.9', 80])
    assert.deepEqual([name?.kind, name?.peer, name?.failed], ['name', 'example.org', 1])
    assert.deepEqual(none, [])
  })

  test('is what the record says of closed egress and of the gateway, too', () => {
    const peers = list()
    peers.seeRecord({ type: 'egress.denied', instance: 'i', time: 5, data: { destination: '192.0.2.1', port: 80, protocol: 'tcp', count: 7 } })
    peers.seeRecord({ type: 'gateway.traffic', time: 6, data: { workload: 'web', requests: 10, failed: 2, bytesIn: 1, bytesOut: 1 } })
    peers.seeRecord({ type: 'egress.denied', time: 6, data: { destination: 5 } })
    assert.deepEqual(
      peers.list().items.map(({ kind, workload, peer, count, failed }) => [kind, workload, peer, count, failed]),
      [
        ['denied', 'web', '192.0.2.1', 7, 7],
        ['gateway', 'web', 'gateway', 10, 2],
      ],
    )
  })
})

test('verdicts and findings are what the record says of them, whatever it says', () => {
  const found = createRecordFindings(() => 'web', { verdicts: 10, findings: 10 })
  const entry = (type: string, data: Event['data'], instance?: string): Event => ({
    ...{ sequence: 1, cursor: 1, environment: 'e', time: 5, type, actor: dayfly, reason: 'because', data, hash: '' },
    ...(instance === undefined ? {} : { instance }),
  })
  found.see(entry('admission.denied', { workload: 'web', denials: [{ policy: 'p', rule: 'r', message: 'm' }], left: 2 }))
  found.see(entry('admission.allowed', { denials: 'nonsense' }))
  found.see(entry('detection.raised', { rule: 'shell', priority: 'critical', output: 'a shell', tags: ['T1059', 5] }, 'i'))
  found.see(entry('response.taken', { action: 'kill-process', rule: 'shell' }, 'i'))
  found.see(entry('exec.started', {}))
  const { verdicts, found: all } = found.list()
  assert.deepEqual(
    verdicts.items.map(({ workload, allowed, denials, more }) => [workload, allowed, denials.length, more]),
    [
      ['web', false, 1, 2],
      ['', true, 0, 0],
    ],
  )
  assert.deepEqual(
    all.items.map(({ kind, severity, id, workload, message, tags }) => [kind, severity, id, workload, message, tags]),
    [
      ['detection', 'critical', 'shell', 'web', 'a shell', ['T1059']],
      ['response', 'kill-process', 'shell', 'web', 'because', []],
    ],
  )
})

test('of very many findings the most severe are kept, and refusals of verdicts; the others are counted', () => {
  const found = createRecordFindings(() => 'web', { verdicts: 2, findings: 3 })
  const see = (type: string, data: Event['data']): void =>
    found.see({ sequence: 1, cursor: 1, environment: 'e', time: 5, type, actor: dayfly, reason: 'because', data, hash: '' })
  for (let one = 0; one < 1000; one++) {
    see('detection.raised', { rule: `noise ${one}`, priority: 'debug' })
    see('admission.allowed', {})
    if (one === 500) see('detection.raised', { rule: 'escape', priority: 'critical' })
    if (one === 600) see('finding.raised', { id: 'CVE-1', severity: 'high' })
    if (one === 700) see('admission.denied', {})
  }
  const { verdicts, found: all } = found.list()
  assert.deepEqual([all.items.map(({ id }) => id), all.more], [['escape', 'CVE-1', 'noise 0'], 999])
  assert.deepEqual([verdicts.items.map(({ allowed }) => allowed), verdicts.more], [[false, true], 999])
})

test('a series has few points, in order, and the most memory there was', () => {
  const sample = (time: number, cpu: number, memory: number): Sample => ({ type: 'sample', environment: 'e', instance: 'i', time, cpu, memory })
  fc.assert(
    fc.property(
      fc.array(fc.record({ step: fc.nat(5000), cpu: fc.nat(2_000_000), memory: fc.nat(1e9) }), { maxLength: 400 }),
      fc.integer({ min: 1, max: 50 }),
      (steps, most) => {
        let [time, cpu] = [0, 0]
        const samples = steps.map(({ step, cpu: used, memory }) => {
          time += step
          cpu += used
          return sample(time, cpu, memory)
        })
        const points = seriesOf(samples, most)
        assert.ok(points.length <= most + 1)
        assert.deepEqual(
          points.map(([at]) => at),
          points.map(([at]) => at).sort((left, right) => left - right),
        )
        if (samples.length > 0) assert.equal(Math.max(...points.map(([, , memory]) => memory)), Math.max(...samples.map(({ memory }) => memory)))
        for (const [, cores] of points) assert.ok(Number.isFinite(cores) && cores >= 0)
      },
    ),
  )
  assert.deepEqual(seriesOf([sample(0, 0, 1), sample(1000, 500_000, 2), sample(2000, 1_500_000, 3)], 10), [
    [0, 0, 1],
    [1000, 0.5, 2],
    [2000, 1, 3],
  ])
})
