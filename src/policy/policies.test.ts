import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { AdmissionRequest } from './decision.ts'
import { explain } from './explain.ts'
import { loadPolicies } from './kubernetes/load.ts'
import type { PolicySet } from './kubernetes/schema.ts'
import { createPolicies } from './policies.ts'
import type { Exemptions, NativePolicy, Outcome } from './policy.ts'
import { createPolicyWorker } from './worker/worker.ts'

const request = (more: Partial<AdmissionRequest> = {}): AdmissionRequest => ({
  object: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec: { containers: [{ name: 'main', image: 'web:1', ports: [80, 443] }] } },
  operation: 'CREATE',
  namespace: 'default',
  namespaceLabels: {},
  userInfo: { username: 'ann', groups: [] },
  instance: undefined,
  environment: undefined,
  images: {},
  now: 1000,
  ...more,
})

const set = (validations: Readonly<Record<string, string>>, failurePolicy = 'Fail'): PolicySet =>
  loadPolicies(
    Object.entries(validations).map(([name, expression]) => ({
      path: `${name}.yaml`,
      text: JSON.stringify({
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingAdmissionPolicy',
        metadata: { name },
        spec: {
          failurePolicy,
          matchConstraints: { resourceRules: [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*'] }] },
          validations: [{ expression, message: `${name} says no` }],
        },
      }),
    })),
  ).set

const native = (name: string, evaluate: NativePolicy['evaluate'], identity: unknown = 1): NativePolicy => ({ name, rules: [], identity, evaluate })
const says = (name: string, action: 'deny' | 'warn' | 'audit', validUntil?: number): NativePolicy =>
  native(name, () => ({ rulings: [{ action, objection: { policy: name, rule: 'r', message: 'm' } }], validUntil }))

const digits = '[0,1,2,3,4,5,6,7,8,9]'
/** 10^8 rounds: minutes. */
const endless = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].reduceRight(
  (inner, name) => `${digits}.all(${name}, ${inner})`,
  'object.metadata.name != ""',
)
/** Cost is bounded too, and usually ends such a thing first. */
const unboundedCost = { expression: Number.MAX_SAFE_INTEGER, policy: Number.MAX_SAFE_INTEGER }

describe('policies', () => {
  it('are all asked, built in or not, and one denial denies', async () => {
    await using policies = createPolicies({
      documents: set({ name: "object.metadata.name == 'other'", image: "object.spec.containers.all(c, c.image == 'web:1')" }),
      builtIns: [says('warns', 'warn'), says('records', 'audit', 5000)],
    })
    const decision = await policies.decide(request())
    assert.equal(decision.verdict, 'denied')
    assert.deepEqual(decision.denials, [{ policy: 'name', rule: 'validations[0]', message: 'name says no' }])
    assert.deepEqual([decision.warnings.map(one => one.policy), decision.audits.map(one => one.policy)], [['warns'], ['records']])
    assert.equal(decision.validUntil, 5000)
    const other = await policies.decide(request({ object: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'other' }, spec: { containers: [] } } }))
    assert.equal(other.verdict, 'allowed')
    assert.notEqual(other.inputs, decision.inputs)
    assert.equal((await policies.decide(request({ now: 2000 }))).inputs, decision.inputs, 'time is no input: validUntil is for that')
  })

  it('have a version that changes with anything in force, and with nothing else', async () => {
    const versionOf = async (options: Parameters<typeof createPolicies>[0]): Promise<string> => {
      await using policies = createPolicies(options)
      return policies.version
    }
    const exemptions: Exemptions = { identity: 1, find: () => undefined }
    const versions = await Promise.all([
      versionOf({}),
      versionOf({ documents: set({ a: 'true' }) }),
      versionOf({ documents: set({ a: 'false' }) }),
      versionOf({ builtIns: [says('a', 'deny')] }),
      versionOf({ builtIns: [native('a', () => ({ rulings: [] }), 2)] }),
      versionOf({ exemptions }),
    ])
    assert.equal(new Set(versions).size, versions.length)
    assert.match(versions[0] ?? '', /^sha256:[0-9a-f]{64}$/)
    assert.equal(await versionOf({ documents: set({ a: 'true', b: 'true' }) }), await versionOf({ documents: set({ b: 'true', a: 'true' }) }))
    assert.throws(() => createPolicies({ builtIns: [says('a', 'deny'), says('a', 'deny')] }), /two policies called a/)
  })

  it('hold no longer than until an exemption begins', async () => {
    const exemptions: Exemptions = { identity: 1, find: () => undefined, nextStart: now => now + 500 }
    await using policies = createPolicies({ builtIns: [says('a', 'deny', 9000)], exemptions })
    assert.equal((await policies.decide(request())).validUntil, 1500)
  })

  it('let through what is exempted, until it ends', async () => {
    const exemptions: Exemptions = {
      identity: 1,
      find: (objection, { now }) => (objection.policy === 'a' && now < 3000 ? { name: 'e', until: 3000 } : undefined),
      nextStart: () => 9000,
    }
    await using policies = createPolicies({ builtIns: [says('a', 'deny')], exemptions })
    const decision = await policies.decide(request())
    assert.deepEqual([decision.verdict, decision.audits[0]?.exemption, decision.validUntil], ['allowed', 'e', 3000])
    assert.deepEqual([(await policies.decide(request({ now: 3000 }))).verdict], ['denied'])
  })
})

describe('what goes wrong denies', () => {
  const denied = async (options: Parameters<typeof createPolicies>[0], why: RegExp, asked = request()): Promise<void> => {
    await using policies = createPolicies(options)
    const { verdict, denials } = await policies.decide(asked)
    assert.equal(verdict, 'denied')
    assert.match(denials.map(({ policy, rule, message }) => `${policy} ${rule} ${message}`).join('\n'), why)
  }

  it('a built in policy that throws, or answers nonsense', async () => {
    await denied(
      {
        builtIns: [
          native('p', () => {
            throw new Error('broken')
          }),
        ],
      },
      /^p evaluation .*broken/,
    )
    await denied({ builtIns: [native('p', () => JSON.parse('{}'))] }, /^p evaluation /)
    await denied({ builtIns: [native('p', (): Outcome => JSON.parse('{"rulings":[{"action":"pass","objection":{}}]}'))] }, /^p evaluation /)
  })

  it('an exemption that fails exempts nothing', async () => {
    await denied(
      {
        builtIns: [says('p', 'deny')],
        exemptions: {
          identity: 1,
          find: () => {
            throw new Error('broken')
          },
        },
      },
      /^p r m/,
    )
    await denied({ builtIns: [says('p', 'deny')], exemptions: { identity: 1, find: () => ({ name: 'e', until: 1000 }) } }, /^p r m/)
  })

  it('what could not be decided is exempted by nothing', async () => {
    const exemptions: Exemptions = { identity: 1, find: () => ({ name: 'everything', until: 9e9 }) }
    const broken = native('p', () => {
      throw new Error('it is broken')
    })
    await denied({ builtIns: [broken], exemptions }, /^p evaluation .*it is broken/)
  })

  it('an expression that fails, gives something else or costs too much', async () => {
    await denied({ documents: set({ p: 'object.nope == 1' }) }, /^p validations\[0\] .*no such key: nope/)
    await denied({ documents: set({ p: 'object.metadata.name' }) }, /^p validations\[0\] .*not a bool/)
    await denied({ documents: set({ p: endless }) }, /^p validations\[0\] .*costs more than it may/)
  })

  it('a request that is nested without end, or cannot be handed over', async () => {
    let deep: unknown = 1
    for (let at = 0; at < 500; at++) deep = [deep]
    const object = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' }, spec: { deep } }
    await denied({ documents: set({ p: "object.metadata.name == 'x'" }) }, /nested deeper/, request({ object }))
    await denied(
      { documents: set({ p: 'true' }) },
      /cannot be given/,
      request({ object: { apiVersion: 'v1', kind: 'Pod', metadata: {}, spec: () => 1 } }),
    )
  })

  it('an expression that does not end: it is cut, its policy named, and those behind it are answered', async () => {
    const documents = set({ quick: "object.metadata.name != 'nobody'", slow: `object.metadata.name != 'slow' || ${endless}` })
    await using policies = createPolicies({ documents, limits: { milliseconds: 100, cost: unboundedCost } })
    const named = (name: string): AdmissionRequest => request({ object: { apiVersion: 'v1', kind: 'Pod', metadata: { name } } })
    const all = await Promise.all(['a', 'slow', 'b', 'slow', 'nobody'].map(name => policies.decide(named(name))))
    assert.deepEqual(
      all.map(({ verdict }) => verdict),
      ['allowed', 'denied', 'allowed', 'denied', 'denied'],
    )
    assert.match(all[1]?.denials[0]?.message ?? '', /not decided within 100 ms/)
    assert.equal(all[1]?.denials[0]?.policy, 'slow')
    assert.equal(all[4]?.denials[0]?.message, 'quick says no')
  })

  it('a thread that runs out of memory', async () => {
    const grow = `cel.bind(l, ${digits}, ${'l.map(a, l.map(b, l.map(c, l.map(d, l.map(e, l.map(f, l.map(g, [a, b, c, d, e, f, g])))))))'}.size() > 0)`
    await denied({ documents: set({ p: grow }), limits: { milliseconds: 60_000, memory: 16, cost: unboundedCost } }, /^p evaluation .*(memory|ended)/)
  })

  it('a thread that cannot start', async () => {
    const broken: PolicySet = { ...set({ p: 'true' }) }
    const [policy] = broken.policies
    assert.ok(policy)
    const documents = { ...broken, policies: [{ ...policy, spec: { ...policy.spec, validations: [{ expression: '1 +' }] } }] }
    await denied({ documents }, /cannot be started/)
  })

  it('what is asked after the end', async () => {
    const policies = createPolicies({ documents: set({ p: 'true' }) })
    const waiting = policies.decide(request())
    await policies[Symbol.asyncDispose]()
    assert.equal((await waiting).verdict, 'denied')
    assert.equal((await policies.decide(request())).verdict, 'denied')
  })
})

describe("the policies' thread", () => {
  it('stops waiting for what nobody waits for', async () => {
    await using worker = createPolicyWorker(set({ p: endless }), { milliseconds: 150, memory: 64, cost: unboundedCost })
    const first = worker.evaluate(request())
    const controller = new AbortController()
    const second = worker.evaluate(request(), controller.signal)
    await setImmediate()
    controller.abort()
    await assert.rejects(second, { code: 'aborted' })
    assert.ok('failure' in (await first))
    assert.equal(worker.starts, 1, 'nothing is left that a new thread would be for')
  })
})

describe('explain', () => {
  it('shows the clause that decided and what it saw', () => {
    const documents = set({ ports: 'object.spec.containers.all(c, c.ports.all(p, p < 100)) && object.metadata.name != ""' })
    const [only, ...others] = explain({ documents, builtIns: [says('built-in', 'warn')] }, request()).toReversed()
    assert.equal(others.length, 1)
    assert.deepEqual([only?.action, only?.objection.rule, only?.binding], ['deny', 'validations[0]', 'ports'])
    const seen = new Map(only?.seen.map(({ expression, value }) => [expression, value]))
    assert.equal(seen.get('c.ports'), '[80, 443]')
    assert.equal(seen.get('p'), '443')
    assert.equal(seen.get('p < 100'), 'false')
    assert.equal(seen.has('object.metadata.name'), false, 'what was not looked at is not shown')
  })

  it('shows failures and exemptions', () => {
    const [only] = explain(
      { documents: set({ p: 'object.spec.nope.deeper == 1' }), exemptions: { identity: 1, find: () => ({ name: 'e', until: 9e9 }) } },
      request(),
    )
    assert.equal(only?.objection.exemption, 'e')
    assert.ok(only?.seen.some(({ expression, value }) => expression === 'object.spec.nope' && value === 'error: no such key: nope'))
  })
})
