import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { SocketFacts } from '../../model/kernel-event.ts'
import { KernelEvent } from '../../model/kernel-event.ts'
import type { Subject } from '../detector.ts'
import { createProcessTable } from '../processes/table.ts'
import { generalPath } from './behaviour.ts'
import { capabilityNames } from './capabilities.ts'
import { createProfileJudge } from './judge.ts'
import { createLearner } from './learn.ts'
import type { Profile } from './profile.ts'
import { emptyProfile, mergeRun, mostValues, parseProfile, profileFits } from './profile.ts'

const event = (type: KernelEvent['type'], more: Partial<KernelEvent> = {}): KernelEvent =>
  KernelEvent.parse({
    ...{
      type,
      time: 1_767_225_600_000,
      environment: 'e',
      instance: 'i',
      pid: 10,
      tid: 10,
      vpid: 1,
      start: 10,
      parentPid: 2,
      parentStart: 1,
      parentVpid: 0,
    },
    ...{ uid: 0, euid: 0, gid: 0, name: 'web', parentName: 'x', result: 0 },
    ...more,
  })
const socket = (more: Partial<SocketFacts>): Partial<KernelEvent> => ({ socket: { family: 'inet', protocol: 6, ...more } })

const run = (pid: number): KernelEvent[] => [
  event('exec', { exe: '/usr/sbin/web', args: ['web'], capabilities: '400' }),
  event('listen', socket({ localPort: 80 })),
  event('dns', { path: 'DB', detail: `10.0.0.${pid} 10.0.1.${pid}` }),
  event('connect', socket({ remoteAddress: `10.0.0.${pid}`, remotePort: 5432 })),
  event('open', { path: `/var/run/${pid}/web.pid`, flags: ['write'] }),
  event('open', { path: '/etc/shadow', flags: ['sensitive'] }),
  event('rename', { path: 'a', target: `b-2026110${pid}`, directory: '/var/log' }),
]
const learn = (profile: Profile, events: readonly KernelEvent[]): Profile => {
  const learner = createLearner()
  const table = createProcessTable()
  for (const each of events) learner.observe(each, table.apply(each))
  return mergeRun(profile, learner.run)
}
const judge = (profile: Profile, events: readonly KernelEvent[]): string[] => {
  const told = createProfileJudge(profile)
  const table = createProcessTable()
  return events.flatMap(each => told(each, table.apply(each))).map(({ fields }) => `${fields['kind']} ${fields['value']}`)
}

describe('a profile', () => {
  const empty = emptyProfile('web', { workloads: ['web'] })
  const learnt = [1, 2, 3].reduce((profile, pid) => learn(profile, run(pid)), empty)

  it('learns over runs, by names and generalised paths', () => {
    assert.deepEqual(learnt.spec, {
      ...{ match: { workloads: ['web'] }, runs: 3, minimumRuns: 3, priority: 'warning', open: [] },
      ...{ programs: ['/usr/sbin/web'], listens: ['tcp/80'], connects: ['tcp/db:5432'] },
      ...{ writes: ['/var/log/b-*', '/var/run/*/web.pid'], capabilities: ['NET_BIND_SERVICE'] },
    })
    assert.deepEqual(parseProfile(JSON.parse(JSON.stringify(learnt))), learnt)
  })

  it('says nothing before it has enough runs, nothing of what it knows, and each new thing once', () => {
    const strange = [
      event('exec', { exe: '/bin/sh', args: ['sh'] }),
      event('exec', { exe: '/usr/sbin/web', args: ['web'], flags: ['upper'] }),
      event('connect', socket({ remoteAddress: '192.0.2.1', remotePort: 4444 })),
      event('connect', socket({ remoteAddress: '192.0.2.1', remotePort: 4444 })),
      event('capset', { capabilities: '200400' }),
    ]
    assert.deepEqual(judge(learn(learn(empty, run(1)), run(2)), strange), [])
    assert.deepEqual(judge(learnt, run(9)), [])
    assert.deepEqual(judge(learnt, [...run(9), ...strange]), [
      ...['programs /bin/sh', 'programs written:/usr/sbin/web', 'connects tcp/192.0.2.1:4444', 'capabilities SYS_ADMIN'],
    ])
  })

  it('neither learns from an operator nor judges one', () => {
    const operator = [...run(1), event('exec', { pid: 50, start: 50, vpid: 7, exe: '/bin/sh', args: ['sh'] })]
    assert.deepEqual(learn(empty, operator).spec.programs, ['/usr/sbin/web'])
    assert.deepEqual(judge(learnt, operator), [])
  })

  it('leaves open what is too varied', () => {
    const many = Array.from({ length: mostValues + 1 }, (_, index) =>
      event('exec', { exe: `/bin/${String.fromCharCode(97 + (index % 26))}${'x'.repeat(index)}`, args: ['x'] }),
    )
    const wide = learn(learn(learn(empty, many), many), run(1))
    assert.deepEqual([wide.spec.open, wide.spec.programs], [['programs'], []])
    assert.deepEqual(judge(wide, [event('exec', { exe: '/bin/sh', args: [] })]), [])
  })

  it('is of whom it names', () => {
    const subject = { workload: 'web', imageName: 'shop/web:1', image: 'sha256:1', environmentName: 'e' } as Subject
    assert.equal(profileFits(empty, subject), true)
    assert.equal(profileFits(emptyProfile('x', { images: ['shop/*'] }), subject), true)
    assert.equal(profileFits(emptyProfile('x', { images: ['shop/*'], workloads: ['db'] }), subject), false)
    assert.throws(() => emptyProfile('x', {}), /say whose it is/)
    assert.throws(() => parseProfile({ ...empty, spec: { ...empty.spec, runs: -1 } }), /spec\.runs/)
  })

  it('merges runs in any order to the same', () => {
    const events = fc.array(fc.constantFrom(...run(1), ...run(2), event('exec', { exe: '/bin/a' }), event('listen', socket({ localPort: 81 }))))
    fc.assert(
      fc.property(events, events, (one, two) => {
        assert.deepEqual(learn(learn(empty, one), two), learn(learn(empty, two), one))
      }),
    )
  })

  it('generalises what chance and clocks name, and nothing else', () => {
    for (const [path, general] of [
      ...[
        ['/proc/812/comm', '/proc/*/comm'] as const,
        ['/tmp/tmp.XyZ/a', '/tmp/*'] as const,
        ['/etc/nginx/nginx.conf', '/etc/nginx/nginx.conf'] as const,
      ],
      ...[['/data/0f8fad5b-d9cb-469f-a165-70867728950e/x', '/data/*/x'] as const, ['/log/app-20260101.log', '/log/app-*.log'] as const],
      ...[['/tmpfoo/x1', '/tmpfoo/x1'] as const, ['', ''] as const],
    ]) {
      assert.equal(generalPath(path), general)
    }
  })

  it('names capabilities by their bits', () => {
    assert.deepEqual(capabilityNames('2000'), ['NET_RAW'])
    assert.deepEqual(capabilityNames('8000000000000001'), ['CHOWN', '63'])
    assert.deepEqual(capabilityNames('x'), [])
  })
})
