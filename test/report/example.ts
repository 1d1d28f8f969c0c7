/** A report with something of everything in it. `say` makes each text that comes from outside: a hostile one, for tests of escaping. */
import type { Report } from '../../src/model/report.ts'

export const exampleReport = (say: (place: string) => string = place => place): Report => {
  const start = 1_700_000_000_000
  const instance = say('i0123456789a')
  return {
    environment: {
      ...{ id: 'e0123456789a', name: say('name'), owner: say('owner'), labels: { [say('label')]: say('value') }, state: 'ended', reason: say('why') },
      ...{ cause: 'requested', createdBy: say('who'), createdAt: start, endedAt: start + 60_000, isolated: true },
      lease: { ttl: 3_600_000, idle: 1_800_000, retention: 1, onIdle: 'end' },
    },
    workloads: [
      {
        ...{
          name: say('web'),
          kind: 'service',
          image: say('sha256:ab'),
          imageName: say('image'),
          command: [say('argv0'), say('argv1')],
          user: say('user'),
        },
        ...{ runtime: 'crun', cpus: 0.5, memory: 1024 ** 2, egress: [say('egress')] },
      },
    ],
    images: {
      items: [
        {
          ...{ digest: say('sha256:ab'), names: [say('image')], distribution: say('debian 12'), packages: 3, vulnerabilities: { [say('high')]: 2 } },
          ...{ problems: [say('problem')], scannedAt: start },
        },
      ],
      more: 0,
    },
    instances: {
      items: [
        {
          ...{
            id: instance,
            workload: say('web'),
            image: null,
            replica: 1,
            state: 'removed',
            reason: say('reason'),
            start: 'cold',
            createdAt: start + 1000,
          },
          ...{ startedAt: start + 1010, endedAt: start + 1015, log: 10 },
          exit: { code: 3, oom: false, cause: 'exit', endedAt: start + 1015, droppedBytes: 5, droppedLines: 1 },
          usage: {
            ...{ cpuSeconds: 1.5, memoryGiBSeconds: 2, peak: 5, sent: 6, received: 7, lifetime: 5, samples: 2, idle: 1, idleGiBSeconds: 1 },
          },
        },
      ],
      more: 2,
    },
    verdicts: {
      items: [
        {
          ...{ time: start, workload: say('web'), allowed: false, actor: say('actor'), reason: say('verdict'), more: 1 },
          denials: [{ policy: say('policy'), rule: say('rule'), message: say('message'), exemption: null }],
          warnings: [{ policy: say('policy'), rule: say('rule'), message: say('message'), exemption: say('exemption') }],
          audits: [],
        },
      ],
      more: 1,
    },
    events: {
      items: [
        { sequence: 1, time: start, type: say('environment.creating'), instance: null, actor: say('actor'), reason: say('event') },
        { sequence: 2, time: start + 500, type: 'exec.started', instance, actor: say('actor'), reason: say('event') },
      ],
      more: 4,
    },
    activity: { kept: true, lost: 3, counts: { [say('exec')]: 5 }, complete: false },
    processes: {
      items: [
        {
          ...{
            instance,
            pid: 1,
            parent: null,
            name: say('sh'),
            exe: say('/bin/sh'),
            args: [say('sh'), say('-c')],
            argsMore: 2,
            sha256: say('abcdef'),
          },
          ...{ flags: [say('upper')], uid: 0, startedAt: start + 1010, endedAt: null, result: null },
        },
        {
          ...{ instance, pid: 2, parent: 0, name: say('ls'), exe: null, args: [], argsMore: 0, sha256: null, flags: [], uid: 0 },
          ...{ startedAt: start + 1011, endedAt: start + 1012, result: 9 },
        },
      ],
      more: 1,
    },
    network: {
      items: [
        {
          ...{ kind: 'out', instance, workload: say('web'), peer: say('192.0.2.1'), peerInstance: say('i9'), port: 443, protocol: say('tcp') },
          ...{ count: 3, failed: 3, first: start, last: start },
        },
        {
          ...{ kind: 'name', instance, workload: say('web'), peer: say('example.org'), peerInstance: null, port: null, protocol: 'dns' },
          ...{ count: 1, failed: 0, first: start, last: start },
        },
      ],
      more: 1,
    },
    findings: {
      items: [
        {
          ...{ time: start + 1012, kind: say('detection'), severity: say('critical'), id: say('rule'), instance, workload: say('web') },
          ...{ message: say('output'), tags: [say('tag')] },
        },
        { time: start + 1013, kind: 'response', severity: 'isolated', id: '', instance: null, workload: null, message: say('output'), tags: [] },
      ],
      more: 1,
    },
    resources: {
      items: [
        {
          instance,
          points: [
            [start + 1010, 0, 5],
            [start + 1012, 0.5, 10],
            [start + 1015, 0.1, 2],
          ],
        },
      ],
      more: 1,
    },
    cost: { currency: 'USD', measured: 1, cost: { cpu: 1, memory: 2, egress: 3, total: 6, idle: 1, saved: 0 } },
    seal: { sealed: true, entries: 20, head: say('head'), key: say('key'), signedAt: say('2023-11-14') },
  }
}
