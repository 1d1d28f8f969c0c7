import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { planDomains } from './domains.ts'

const plan = (...entries: readonly string[]) =>
  planDomains(
    entries.map(entry => {
      const [domain = '', port] = entry.split(':')
      return { domain, port: port === undefined ? undefined : Number(port) }
    }),
  )

describe('a plan of domains', () => {
  test('tells names from what is below them, and adds ports up', () => {
    assert.deepEqual(plan('registry.example.org', '*.Example.com:443', '*.example.com.:80', 'b.example.net:22', 'b.example.net'), [
      { domain: 'b.example.net', self: true, below: false, ports: 'all' },
      { domain: 'example.com', self: false, below: true, ports: [80, 443] },
      { domain: 'registry.example.org', self: true, below: false, ports: 'all' },
    ])
    assert.deepEqual(plan(), [])
  })

  test('lets a name and what is below it be open on the same ports', () => {
    assert.deepEqual(plan('example.com:443', '*.example.com:443'), [{ domain: 'example.com', self: true, below: true, ports: [443] }])
    assert.deepEqual(plan('*.example.com', 'a.example.com'), [
      { domain: 'a.example.com', self: true, below: true, ports: 'all' },
      { domain: 'example.com', self: false, below: true, ports: 'all' },
    ])
  })

  test('refuses what cannot be told apart, and never widens it', () => {
    for (const entries of [
      ['example.com', '*.example.com:443'],
      ['example.com:22', '*.example.com:443'],
      ['a.example.com:22', '*.example.com:443'],
      ['*.a.example.com:22', '*.example.com:443'],
    ]) {
      assert.throws(() => plan(...entries), { code: 'invalid', field: 'domain', message: /cannot be told apart/ }, entries.join())
    }
    assert.equal(plan('*.example.com:443', 'b.example.org:22').length, 2)
  })

  test('takes names as people write them, and nothing else', () => {
    assert.equal(plan('Bücher.example')[0]?.domain, 'xn--bcher-kva.example')
    assert.equal(plan('_dmarc.example.org')[0]?.domain, '_dmarc.example.org')
    for (const domain of [
      '',
      '*',
      '*.',
      'localhost',
      '#',
      'a..b',
      '-a.example',
      'a b.example',
      'a/b.example',
      'a.example\nserver=1.2.3.4',
      '192.0.2.1',
      '*.*.example',
      'a*.example.com',
      'x.state.dayfly.invalid',
      `${'a'.repeat(64)}.example`,
      `${'a.'.repeat(130)}example`,
    ]) {
      // biome-ignore format: a list
      assert.throws(() => planDomains([{ domain }]), { code: 'invalid', field: 'domain' }, domain)
    }
    for (const port of [0, 65_536, 1.5, Number.NaN])
      assert.throws(() => planDomains([{ domain: 'a.example', port }]), { code: 'invalid', field: 'port' })
    assert.throws(() => planDomains(Array.from({ length: 17 }, (_, index) => ({ domain: 'a.example', port: index + 1 }))), {
      code: 'invalid',
      field: 'port',
    })
  })
})
