import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { KernelEvent } from '../model/kernel-event.ts'
import { KernelEvent as EventSchema } from '../model/kernel-event.ts'
import { createDetector } from './create.ts'
import type { Detection, Subject } from './detector.ts'
import { emptyProfile } from './profile/profile.ts'
import { replay } from './replay.ts'
import { subjectFacts } from './subject.ts'

const first = Date.parse('2026-01-01T00:00:00Z')
const subject = (instance = 'i1', more: Partial<Subject> = {}): Subject => ({
  ...{ environment: 'e1', environmentName: 'shop', instance, workload: 'web', kind: 'service', image: 'sha256:0', imageName: 'web:1', owner: 'o' },
  ...{ labels: {}, startedAt: first, privileged: false, egress: [] },
  ...more,
})
const event = (type: KernelEvent['type'], more: Partial<KernelEvent> = {}): KernelEvent =>
  EventSchema.parse({
    ...{ type, time: first, environment: 'e1', instance: 'i1', pid: 10, tid: 10, vpid: 1, start: 10, parentPid: 2, parentStart: 1, parentVpid: 0 },
    ...{ uid: 0, euid: 0, gid: 0, name: 'web', parentName: 'x', result: 0 },
    ...more,
  })
const child = { pid: 20, tid: 20, vpid: 2, start: 20, parentPid: 10, parentStart: 10, parentVpid: 1 } as const
const connection = (address: string, port: number, more: Partial<KernelEvent> = {}): KernelEvent =>
  event('connect', { socket: { family: 'inet', protocol: 6, remoteAddress: address, remotePort: port }, ...more })
const names = (detections: readonly Detection[]): string[] => detections.map(({ rule }) => rule)
const own = { dayfly: true, files: [] } as const
const alone = (text: string) => ({ dayfly: false, files: [{ path: 'r.yaml', text }] })

const recorded: readonly KernelEvent[] = [
  event('exec', { exe: '/usr/sbin/nginx', args: ['nginx'], name: 'nginx' }),
  event('fork', { name: 'nginx', child: 20, childVpid: 2, childStart: 20 }),
  event('exec', { ...child, exe: '/bin/sh', args: ['sh', '-c', 'id'], name: 'sh', time: first + 1 }),
  event('dns', { ...child, path: 'api.example.org', detail: '192.0.2.7 192.0.2.8' }),
  connection('192.0.2.7', 443, child),
  connection('198.51.100.1', 443, child),
  ...Array.from({ length: 40 }, (_, index) => connection('192.0.2.8', 1000 + index, { ...child, time: first + 10 + index })),
  event('exec', { ...child, exe: '/usr/bin/curl', args: ['curl', 'http://x'], name: 'curl', time: first + 100 }),
  event('chmod', { ...child, name: 'curl', path: 'x', directory: '/srv', mode: 0o755, time: first + 200, syscall: 'chmod' }),
  event('exec', { ...child, exe: '/srv/x', args: ['/srv/x'], name: 'x', flags: ['upper'], time: first + 300 }),
  event('exit', { ...child, time: first + 400 }),
]

describe('the detector', () => {
  it('puts processes, rules, sequences and thresholds together', () => {
    const detector = createDetector(own)
    detector.introduce(subject('i1', { egress: ['api.example.org'] }))
    const found = recorded.flatMap(each => detector.observe(each))
    assert.deepEqual(
      [...new Set(names(found))],
      [
        ...['Shell spawned by a server', 'Egress outside of the list', 'Port scan', 'Port scan by many processes', 'Downloader in a service'],
        ...['Dropped binary in a service', 'Downloaded, made executable, run'],
      ],
    )
    assert.equal(found[0]?.fields['proc.pcmdline'], 'nginx')
    const last = found.at(-1)
    assert.deepEqual([last?.source, last?.fields['download']], ['sequence', 'curl http://x'])
    assert.match(last?.output ?? '', /download: curl http:\/\/x; executable: curl http:\/\/x; run: x\)$/)
  })

  it('judges nothing against half an identity', () => {
    const detector = createDetector(own)
    assert.throws(() => detector.observe(event('exec')), { code: 'internal' })
    detector.introduce(subject())
    assert.throws(() => detector.observe(event('exec', { instance: 'i2' })), { code: 'internal' })
    assert.throws(() => detector.observe(event('exec', { environment: 'e2' })), { code: 'internal' })
    detector.observe(event('exec'))
    detector.forget('i1')
    assert.throws(() => detector.observe(event('exec')), { code: 'internal' })
  })

  it('takes other rules from one event to the next and still knows who is who; faulty ones change nothing', () => {
    const detector = createDetector({ dayfly: false, files: [] })
    detector.introduce(subject())
    const [exec, fork, shell] = recorded.slice(0, 3)
    assert.ok(exec && fork && shell)
    assert.deepEqual([...detector.observe(exec), ...detector.observe(fork)], [])
    const rule = `- rule: mine
  desc: d
  condition: evt.type = execve and proc.pname = nginx
  output: "%proc.name"
  priority: error
`
    assert.equal(detector.setRules(alone(rule)), 1)
    assert.throws(
      () => detector.setRules(alone(rule.replace('proc.pname', 'proc.nope'))),
      (error: unknown) => error instanceof Error && /^r\.yaml:3:\d+: rule "mine": there is no field proc\.nope/.test(error.message),
    )
    assert.deepEqual(names(detector.observe(shell)), ['mine'])
  })

  it('keeps instances apart', () => {
    const detector = createDetector(own)
    detector.introduce(subject('i1', { kind: 'job' }))
    detector.introduce(subject('i2', { kind: 'job' }))
    const steps = recorded.slice(-4, -1)
    const found = steps.flatMap((each, index) => detector.observe({ ...each, instance: index === 1 ? 'i2' : 'i1' }))
    assert.deepEqual(names(found), ['Dropped binary'])
  })

  it('has profiles among its files', () => {
    const profile = emptyProfile('web', { workloads: ['web'] }, 1)
    const text = JSON.stringify({ ...profile, spec: { ...profile.spec, runs: 1, programs: ['/usr/sbin/nginx'] } })
    const detector = createDetector({ dayfly: false, files: [{ path: 'p.json', text }] })
    detector.introduce(subject())
    const found = recorded.slice(0, 3).flatMap(each => detector.observe(each))
    assert.deepEqual(
      found.map(({ rule, source, fields }) => [rule, source, fields['value']]),
      [['Outside of profile web', 'profile', '/bin/sh']],
    )
    assert.throws(
      () => createDetector({ dayfly: false, files: [{ path: 'p.json', text: text.replace('"runs":1', '"runs":-1') }] }),
      /p\.json: .*spec\.runs/,
    )
  })

  it('says in a replay what it said live, however the instances were mixed', async () => {
    const mixed = fc.array(fc.tuple(fc.constantFrom('i1', 'i2', 'i3'), fc.nat(recorded.length - 1)), { maxLength: 80 })
    await fc.assert(
      fc.asyncProperty(mixed, async picks => {
        const subjects = ['i1', 'i2', 'i3'].map(instance => subject(instance))
        const events = picks.flatMap(([instance, index]) => recorded.slice(index, index + 1).map(each => ({ ...each, instance })))
        const live = createDetector(own)
        // As the daemon does: each is introduced when it comes, and forgotten when all of it is over.
        const said: Detection[] = []
        const met = new Set<string>()
        for (const each of events) {
          const of = subjects.find(({ instance }) => instance === each.instance)
          if (of !== undefined && !met.has(each.instance)) live.introduce(of)
          met.add(each.instance)
          said.push(...live.observe(each))
        }
        const again: Detection[] = []
        const copies = JSON.parse(JSON.stringify(events)) as KernelEvent[]
        const result = await replay(own, subjects.map(subjectFacts), copies, ({ detection }) => again.push(detection))
        assert.deepEqual(JSON.parse(JSON.stringify(again)), JSON.parse(JSON.stringify(said)))
        assert.deepEqual(result, { events: events.length, unknown: 0 })
      }),
      { numRuns: 12 },
    )
  })

  it('does not judge in a replay what nobody knows any more', async () => {
    assert.deepEqual(await replay(own, [], recorded, () => assert.fail()), { events: 0, unknown: recorded.length })
  })

  it('bears hostile names', () => {
    const name = fc.string({ unit: 'binary', maxLength: 60 })
    const detector = createDetector(own)
    detector.introduce(subject())
    fc.assert(
      fc.property(name, name, fc.array(name, { maxLength: 4 }), (exe, path, args) => {
        for (const type of ['exec', 'open', 'dns', 'chmod', 'unlink'] as const) {
          for (const found of detector.observe(event(type, { exe, path, args, name: exe.slice(0, 15), detail: path })))
            assert.equal(typeof found.output, 'string')
        }
      }),
    )
  })
})
