/** The gate's decisions and how long they hold: everything that one depends on must make it another. */
import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { fakeWorkload } from '../../backends/fake/workload.ts'
import { DayflyError } from '../../base/errors.ts'
import type { AdmissionQuestion } from '../../engine/admission.ts'
import type { EnvironmentSpec } from '../../model/environment.ts'
import { defaultLease } from '../../model/lease.ts'
import type { WorkloadSpec } from '../../model/workload.ts'
import type { AdmissionRequest, ImageEvidence, Policies } from '../../policy/decision.ts'
import { createPolicies } from '../../policy/policies.ts'
import type { Exemptions } from '../../policy/policy.ts'
import { createAdmission } from './admission.ts'

const image = `sha256:${'a'.repeat(64)}`
const evidence = (given: Partial<ImageEvidence> = {}): ImageEvidence => ({
  ...{ name: 'web:1', digest: image, findings: [], problems: [], labels: {}, signatures: [], dataFrom: 0, ...given },
})
const spec = (given: Partial<EnvironmentSpec> = {}): EnvironmentSpec => ({
  ...{ name: 'shop', owner: 'ann', labels: {}, lease: defaultLease },
  workloads: { web: { ...fakeWorkload([]), image, imageName: 'web:1' } },
  ...given,
})
const question = (given: Partial<AdmissionQuestion> = {}): AdmissionQuestion => ({
  ...{ spec: spec(), workload: 'web', operation: 'CREATE', actor: { kind: 'user', name: 'ann' } },
  ...given,
})

/** Policies of one rule, which counts how often it is asked and keeps what it was shown. */
const policiesBy = (asked: AdmissionRequest[], denies: (request: AdmissionRequest) => boolean, exemptions?: Exemptions): Policies =>
  createPolicies({
    builtIns: [
      {
        ...{ name: 'one', rules: [], identity: denies.toString() },
        evaluate: request => {
          asked.push(request)
          return { rulings: denies(request) ? [{ action: 'deny', objection: { policy: 'one', rule: 'r', message: 'no' } }] : [] }
        },
      },
    ],
    ...(exemptions === undefined ? {} : { exemptions }),
  })

describe('a decision', () => {
  let asked: AdmissionRequest[] = []
  let now = 1_000_000
  let known = evidence()
  let inForce = policiesBy(asked, () => false)
  let uid = 0
  const signal = new AbortController().signal
  const gate = () =>
    createAdmission({
      policies: () => inForce,
      evidenceOf: async () => known,
      uidOf: async () => uid,
      given: () => ({ findings: [], problems: [] }),
      clock: { wall: () => now, boot: () => 0, bootId: 'b' },
    })

  beforeEach(() => {
    asked = []
    now = 1_000_000
    known = evidence()
    uid = 0
    inForce = policiesBy(asked, () => false)
  })

  test('is made once for the same question, and again for every other', async () => {
    const { admit } = gate()
    const web = { ...fakeWorkload([]), image, imageName: 'web:1' }
    const changes: Partial<WorkloadSpec>[] = [
      { env: { A: 'B' } },
      { user: '1000' },
      { command: ['other'] },
      { image: `sha256:${'b'.repeat(64)}` },
      { imageName: 'web:2' },
      { readOnly: !web.readOnly },
      { capabilities: ['SYS_PTRACE'] },
      { runtime: 'runsc' },
      { tty: !web.tty },
      { hostname: 'h' },
      { groups: ['0'] },
      { mounts: [] },
      { sysctls: { 'net.core.somaxconn': '1' } },
      { limits: { ...web.limits, memory: web.limits.memory * 2 } },
      { egress: [{ cidr: '192.0.2.0/24' }] },
    ]
    const others: Partial<AdmissionQuestion>[] = [
      {},
      { operation: 'UPDATE' },
      { actor: { kind: 'user', name: 'eve' } },
      { workload: 'api', spec: spec({ workloads: { web, api: web } }) },
      { spec: spec({ name: 'other' }) },
      { spec: spec({ owner: 'eve' }) },
      { spec: spec({ labels: { a: 'b' } }) },
      { spec: spec({ labels: { 'a":"b","c': 'd' } }) },
      { spec: spec({ lease: { ...defaultLease, ttl: 1 } }) },
      ...changes.map(change => ({ spec: spec({ workloads: { web: { ...web, ...change } } }) })),
    ]
    for (const [index, other] of others.entries()) {
      assert.equal((await admit(question(other), signal)).cached, false, `${index}: ${JSON.stringify(other)}`)
      assert.equal(asked.length, index + 1)
    }
    for (const other of others) assert.equal((await admit(question(other), signal)).cached, true, JSON.stringify(other))
    assert.equal(asked.length, others.length)
  })

  test('does not hold for other knowledge of the image, nor for other policies', async () => {
    const { admit } = gate()
    await admit(question(), signal)
    known = evidence({ problems: ['a file could not be read'] })
    assert.equal((await admit(question(), signal)).cached, false)
    inForce = policiesBy(asked, () => true)
    assert.equal((await admit(question(), signal)).decision.verdict, 'denied')
  })

  test('holds until what it rests on ends, and not before it began', async () => {
    const exemptions: Exemptions = { identity: 1, find: (_, { now: at }) => (at < 2_000_000 ? { name: 'e', until: 2_000_000 } : undefined) }
    inForce = policiesBy(asked, () => true, exemptions)
    const { admit } = gate()
    assert.equal((await admit(question(), signal)).decision.verdict, 'allowed')
    now = 1_999_999
    assert.equal((await admit(question(), signal)).cached, true)
    now = 2_000_000
    assert.equal((await admit(question(), signal)).decision.verdict, 'denied')
    // The clock is set back to before it was made: then it was not made for that time.
    now = 1_500_000
    assert.equal((await admit(question(), signal)).decision.verdict, 'allowed')
    now = 900_000
    assert.equal((await admit(question(), signal)).cached, false)
  })

  test('by policies that went out of force while it was made is made again by those in force', async () => {
    const next = policiesBy(asked, () => true)
    const old = inForce
    inForce = {
      version: old.version,
      decide: async (request, at) => {
        const decision = await old.decide(request, at)
        inForce = next
        return decision
      },
      [Symbol.asyncDispose]: async () => {},
    }
    const { decision } = await gate().admit(question(), signal)
    assert.equal(decision.verdict, 'denied')
    assert.equal(decision.policies, next.version)
  })

  test('that cannot be made is a denial: without evidence, without a user, without policies, without a workload', async () => {
    const failing = (part: object) =>
      createAdmission({
        policies: () => inForce,
        evidenceOf: async () => known,
        uidOf: async () => uid,
        given: () => ({ findings: [], problems: [] }),
        clock: { wall: () => now, boot: () => 0, bootId: 'b' },
        ...part,
      })
    const fail = async (): Promise<never> => {
      throw new Error('it is broken')
    }
    for (const part of [{ evidenceOf: fail }, { uidOf: fail }, { policies: () => ({ ...inForce, decide: fail }) }]) {
      const { decision } = await failing(part).admit(question(), signal)
      assert.equal(decision.verdict, 'denied')
      assert.match(decision.denials[0]?.message ?? '', /it is broken/)
    }
    const full = async (): Promise<never> => {
      throw new DayflyError('host', 'the disk is full')
    }
    await assert.rejects(failing({ evidenceOf: full }).admit(question(), signal), { code: 'host' }, 'which says nothing about the workload')
    for (const workload of ['nobody', 'constructor', '__proto__', 'toString']) {
      assert.equal((await gate().admit(question({ workload }), signal)).decision.verdict, 'denied', workload)
    }
    assert.equal(asked.length, 0)
    await assert.rejects(failing({ evidenceOf: fail }).admit(question(), AbortSignal.abort()), 'but who has gone needs no decision')
  })

  test('is about the pod that the workload is: its own number in the image, its image by its own name', async () => {
    uid = 4711
    await gate().admit(question({ spec: spec({ workloads: { web: { ...fakeWorkload([]), image, imageName: 'web:1', user: 'app' } } }) }), signal)
    const [request] = asked
    assert.ok(request)
    assert.deepEqual(Object.keys(request.images), ['web'])
    assert.equal(request.instance?.['uid'], 4711)
    assert.equal(request.now, now)
    assert.equal(request.namespace, 'shop')
  })
})
