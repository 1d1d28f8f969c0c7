import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { defaultNameLifetime, nftsetOf } from '../nft/names.ts'
import type { ResolverSpec } from './config.ts'
import { longestTtl, resolverFiles } from './config.ts'
import { planDomains } from './domains.ts'
import { hostsText, plainNames } from './hosts.ts'
import { placeOf } from './resolver.ts'
import { upstreamsIn } from './upstreams.ts'

const place = placeOf('/run/dayfly/names/dfy0-1')
const spec: ResolverSpec = { listen: '10.208.0.1', hosts: [], domains: [], upstreams: ['192.0.2.53', '2001:db8::53'], privateAnswers: false }
const files = (change: Partial<ResolverSpec>) => resolverFiles({ ...spec, ...change }, place, 'nobody')
const domains = (...names: readonly string[]) => planDomains(names.map(domain => ({ domain }))).map(each => ({ ...each, nftset: '4#inet#t#s' }))

describe('a resolver is told', () => {
  test('nothing of the host, and to forward nothing that is not allowed', () => {
    const { config, servers } = files({})
    for (const line of ['no-hosts', 'no-resolv', 'bind-interfaces', 'listen-address=10.208.0.1', 'stop-dns-rebind', 'filter-AAAA', 'user=nobody']) {
      assert.ok(config.split('\n').includes(line), line)
    }
    assert.doesNotMatch(config, /^(?:server=|nftset|conf-dir|dhcp)/m)
    assert.equal(servers, 'server=/state.dayfly.invalid/\n')
    assert.doesNotMatch(files({ privateAnswers: true }).config, /stop-dns-rebind/)
  })

  test('whom to ask for what, and what to keep from being asked', () => {
    const { servers, config } = files({ domains: domains('registry.example.org', '*.example.com'), upstreams: ['192.0.2.53'] })
    assert.deepEqual(servers.trim().split('\n'), [
      'server=/state.dayfly.invalid/',
      'server=/example.com/',
      'server=/*.example.com/192.0.2.53',
      'server=/registry.example.org/192.0.2.53',
      'server=/*.registry.example.org/',
    ])
    assert.match(config, /^nftset="\/example\.com\/4#inet#t#s"$/m)
    assert.equal(files({ domains: domains('registry.example.org'), upstreams: [] }).servers, 'server=/state.dayfly.invalid/\n')
  })

  test('names inside, which nobody else is asked for', () => {
    const hosts = [{ address: '10.208.0.2', names: ['Web-1', 'web', 'api.shop', 'web'] }, { address: '10.208.0.3', names: [] }] // biome-ignore format: a list
    assert.equal(hostsText(hosts), '10.208.0.2 web-1 web api.shop\n')
    assert.deepEqual(plainNames(hosts), ['web-1', 'web'])
    assert.match(files({ hosts }).servers, /^server=\/web\/$/m)
    for (const name of ['', 'a b', 'a\nb', 'a/b', '#a', '-a', '1.2.3.4', '7', 'x.state.dayfly.invalid', 'a'.repeat(64)]) {
      assert.throws(() => hostsText([{ address: '10.208.0.2', names: [name] }]), { code: 'invalid', field: 'name' }, name)
    }
    assert.throws(() => hostsText([{ address: '10.208.0.2 x', names: ['a'] }]), { code: 'invalid', field: 'address' })
    assert.throws(() => files({ listen: '::1' }), { code: 'invalid', field: 'listen' })
    assert.throws(() => files({ upstreams: ['192.0.2.53/x'] }), { code: 'invalid', field: 'upstreams' })
  })

  test('lines that it can read, also for the longest there may be', () => {
    const [domain] = planDomains(
      Array.from({ length: 16 }, (_, index) => ({ domain: `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.example`, port: 65_535 - index })),
    )
    assert.ok(domain !== undefined && domain.ports !== 'all')
    const nftset = nftsetOf('inet dayfly_15', 'dfy15-1023', domain.ports.join('_'))
    assert.equal(files({ domains: [{ ...domain, nftset }] }).config.includes(nftset), true)
  })

  test('to keep answers, and to let them be kept, for less than what they open stays open', () => {
    assert.ok(2 * longestTtl < defaultNameLifetime)
  })
})

test("name servers are those of the host, systemd-resolved's stub too", () => {
  assert.deepEqual(
    upstreamsIn('# nameserver 1.1.1.1\nsearch a\n nameserver 127.0.0.53\nnameserver\t2001:db8::1 # x\nnameserver none\noptions edns0'),
    ['127.0.0.53', '2001:db8::1'],
  )
  assert.deepEqual(upstreamsIn(Array.from({ length: 5 }, (_, index) => `nameserver 192.0.2.${index}`).join('\n')).length, 3)
  assert.deepEqual(upstreamsIn(''), [])
})
