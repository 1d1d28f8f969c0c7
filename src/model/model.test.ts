import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { DayflyError } from '../base/errors.ts'
import { assertEnvironmentTransition, EnvironmentSpec, EnvironmentState } from './environment.ts'
import { assertInstanceTransition, ExitStatus, InstanceState, isLive } from './instance.ts'
import { defaultLease, Lease, maximumTtl } from './lease.ts'
import { parseNetwork } from './network.ts'
import { parse } from './parse.ts'
import { canonicalJson, entryText, genesisText } from './record.ts'
import { defaultLimits, WorkloadSpec } from './workload.ts'

const workload = {
  ...{ kind: 'job', image: `sha256:${'a'.repeat(64)}`, imageName: 'x', command: ['true'], env: {}, user: '', workdir: '/', readOnly: false },
  ...{ capabilities: [], limits: defaultLimits, egress: [], runtime: 'crun', tty: false, stdin: false, stopSignal: 'SIGTERM', grace: 1000 },
  ...{ logLimit: 65_536, secrets: [] },
}
const environment = { name: 'x', owner: 'me', labels: {}, lease: defaultLease, workloads: { main: workload } }

describe('the state diagrams', () => {
  const allowed = <S extends string>(states: readonly S[], assertTransition: (from: S, to: S) => void): string[] =>
    states.flatMap(from =>
      states.flatMap(to => {
        try {
          assertTransition(from, to)
          return [`${from} → ${to}`]
        } catch (error) {
          assert.ok(error instanceof DayflyError && error.code === 'wrong_state')
          return []
        }
      }),
    )

  it('allow what is drawn for environments', () => {
    assert.deepEqual(allowed(EnvironmentState.options, assertEnvironmentTransition), [
      ...['creating → running', 'creating → ending', 'running → ending', 'ending → ended'],
    ])
  })

  it('allow what is drawn for instances', () => {
    assert.deepEqual(allowed(InstanceState.options, assertInstanceTransition), [
      ...['pending → created', 'pending → failed', 'created → running', 'created → failed', 'running → exited', 'running → lost'],
      ...['exited → removed', 'failed → removed', 'lost → removed'],
    ])
    assert.deepEqual(InstanceState.options.filter(isLive), ['pending', 'created', 'running'])
  })
})

describe('a spec', () => {
  const refused = (schema: Parameters<typeof parse>[0], value: unknown, field: string): void => {
    assert.throws(
      () => parse(schema, value),
      (error: unknown) => error instanceof DayflyError && error.code === 'invalid' && error.field === field && error.message.includes(field),
      `${field}: ${JSON.stringify(value)}`,
    )
  }

  it('that is right is taken as it is', () => {
    assert.deepEqual(parse(EnvironmentSpec, environment), environment)
    const full = {
      ...workload,
      ...{ user: 'www-data:1000', capabilities: ['NET_BIND_SERVICE'], egress: [{ cidr: '0.0.0.0/0' }, { cidr: '192.0.2.7/32', port: 443 }] },
      ...{ secrets: ['db_password', 'tls.key'], stopSignal: 'SIGRTMIN+3', env: { A: '', LC_ALL: 'C.UTF-8', 'with.dot': 'ü=\n' } },
    }
    assert.deepEqual(parse(WorkloadSpec, full), full)
  })

  it('names the field that is wrong', () => {
    for (const [change, field] of [
      [{ kind: 'batch' }, 'kind'],
      [{ image: 'debian:12' }, 'image'],
      [{ command: [] }, 'command'],
      [{ command: [''] }, 'command'],
      [{ command: ['a', 'b\0c'] }, 'command[1]'],
      [{ env: { 'A=B': 'x' } }, 'env["A=B"]'],
      [{ env: { A: 'x\0' } }, 'env.A'],
      [{ user: 'a b' }, 'user'],
      [{ workdir: 'relative' }, 'workdir'],
      [{ capabilities: ['CAP_SYS_ADMIN'] }, 'capabilities[0]'],
      [{ capabilities: ['sys_admin'] }, 'capabilities[0]'],
      [{ limits: { ...defaultLimits, cpus: 0 } }, 'limits.cpus'],
      [{ limits: { ...defaultLimits, memory: 1000 } }, 'limits.memory'],
      [{ limits: { ...defaultLimits, pids: 0 } }, 'limits.pids'],
      [{ limits: { ...defaultLimits, io: 1 } }, 'limits.io'],
      [{ limits: { cpus: 1, memory: 1e9, pids: 5 } }, 'limits.io'],
      [{ egress: [{ cidr: '10.0.0.0/33' }] }, 'egress[0].cidr'],
      [{ egress: [{ cidr: '10.0.0.0/8', port: 0 }] }, 'egress[0].port'],
      [{ runtime: 'runc' }, 'runtime'],
      [{ stopSignal: 'TERM' }, 'stopSignal'],
      [{ grace: -1 }, 'grace'],
      [{ logLimit: 1 }, 'logLimit'],
      [{ secrets: ['a/b'] }, 'secrets[0]'],
      [{ secrets: ['..'] }, 'secrets[0]'],
      [{ secrets: ['a', 'a'] }, 'secrets'],
    ] as const) {
      refused(WorkloadSpec, { ...workload, ...change }, field)
    }
    for (const [change, field] of [
      [{ name: 'Upper' }, 'name'],
      [{ name: '-x' }, 'name'],
      [{ name: 'x'.repeat(64) }, 'name'],
      [{ owner: '' }, 'owner'],
      [{ labels: { 'bad key': 'x' } }, 'labels["bad key"]'],
      [{ labels: { key: 'x'.repeat(2000) } }, 'labels.key'],
      [{ workloads: {} }, 'workloads'],
      [{ workloads: { '-main': workload } }, 'workloads.-main'],
      [{ lease: { ...defaultLease, ttl: 0 } }, 'lease.ttl'],
      [{ lease: { ...defaultLease, ttl: maximumTtl + 1 } }, 'lease.ttl'],
      [{ lease: { ...defaultLease, idle: Number.POSITIVE_INFINITY } }, 'lease.idle'],
      [{ lease: { ...defaultLease, retention: -1 } }, 'lease.retention'],
    ] as const) {
      refused(EnvironmentSpec, { ...environment, ...change }, field)
    }
  })

  it('names every field that is wrong, the first as the field', () => {
    assert.throws(
      () => parse(Lease, { ttl: 0, idle: 'x', retention: 1 }, '--lease'),
      (error: unknown) => error instanceof DayflyError && error.field === '--lease.ttl' && /--lease\.ttl: .*; --lease\.idle: /.test(error.message),
    )
    assert.throws(
      () => parse(ExitStatus, 5),
      (error: unknown) => error instanceof DayflyError && error.field === undefined,
    )
  })
})

describe('a network', () => {
  it('is an address and a prefix', () => {
    assert.deepEqual(parseNetwork('192.0.2.0/24'), { address: 0xc0000200, prefix: 24 })
    assert.deepEqual(parseNetwork('0.0.0.0/0'), { address: 0, prefix: 0 })
    assert.deepEqual(parseNetwork('255.255.255.255/32'), { address: 0xffffffff, prefix: 32 })
  })

  it('is nothing else', () => {
    for (const text of [
      '',
      '192.0.2.0',
      '192.0.2.1/24',
      '256.0.0.0/8',
      '1.2.3/8',
      '01.2.3.4/32',
      '1.2.3.4/33',
      '1.2.3.4/-1',
      '::/0',
      '1.2.3.4/032',
      ' 1.2.3.4/32',
    ]) {
      assert.equal(parseNetwork(text), undefined, text)
    }
  })
})

describe('the text that is hashed', () => {
  it('does not depend on the order of members', () => {
    assert.equal(canonicalJson({ b: [{ d: 1, c: null }], a: 'ü"\n', e: undefined }), '{"a":"ü\\"\\n","b":[{"c":null,"d":1}]}')
    const shuffled = fc.dictionary(fc.string(), fc.jsonValue()).map(value => [value, Object.fromEntries(Object.entries(value).reverse())] as const)
    fc.assert(fc.property(shuffled, ([one, other]) => canonicalJson(one) === canonicalJson(other)))
  })

  it('is the same after a way through JSON', () => {
    fc.assert(fc.property(fc.jsonValue(), value => canonicalJson(JSON.parse(JSON.stringify(value))) === canonicalJson(value)))
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), value => canonicalJson(JSON.parse(canonicalJson(value))) === canonicalJson(value)),
    )
  })

  it('covers everything but the place in the store and the hash itself', () => {
    const entry = { sequence: 1, environment: 'e', time: 5, type: 't', actor: { kind: 'user' as const, name: 'n' }, reason: 'r', data: { x: 1 } }
    const text = '{"actor":{"kind":"user","name":"n"},"data":{"x":1},"environment":"e","reason":"r","sequence":1,"time":5,"type":"t"}'
    assert.equal(entryText(entry), text)
    assert.notEqual(entryText({ ...entry, instance: 'i' }), text)
    assert.equal(genesisText('e1'), 'dayfly record of e1')
  })
})

it('an argument that is no text is refused where it is given: nobody could write it down, or strike it out, as it is', () => {
  const faultOf = (command: string[]): string[] =>
    WorkloadSpec.safeParse({ command }).error?.issues.flatMap(({ path, message }) => (path[0] === 'command' ? [message] : [])) ?? []
  assert.deepEqual(faultOf(['echo', 'half \ud83d of it']), ['half of a surrogate pair cannot be passed to a process'])
  assert.deepEqual(faultOf(['echo', 'all \u{1f600} of it']), [])
})
