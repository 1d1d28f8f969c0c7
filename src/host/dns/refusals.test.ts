import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { resolverBuild, resolverUser } from './build.ts'
import { createRefusals } from './refusals.ts'

const asked = (serial: number, name: string, type = 'A', source = '10.208.0.2'): string =>
  `dnsmasq[9]: ${serial} ${source}/4000 query[${type}] ${name} from ${source}`
const refused = (serial: number, source = '10.208.0.2'): string => `dnsmasq[9]: ${serial} ${source}/4000 config error is REFUSED (EDE: not ready)`
const unknown = (serial: number, name: string): string => `dnsmasq[9]: ${serial} 10.208.0.2/4000 config ${name} is NXDOMAIN`

describe('refusals in a log', () => {
  test('are told once for each kind, and only they', () => {
    const refusals = createRefusals('10.208.0.1')
    for (const line of [
      'dnsmasq[9]: started, version 2.90 cachesize 300',
      ...[asked(1, 'evil.test'), refused(1), asked(2, 'evil.test'), refused(2)],
      ...[asked(3, 'x.registry.example.org'), unknown(3, 'x.registry.example.org')],
      ...[asked(4, 'typo'), unknown(4, 'typo'), asked(5, '9.0.208.10.in-addr.arpa', 'PTR'), unknown(5, '10.208.0.9')],
      ...[asked(6, 'state.test', 'A', '10.208.0.1'), refused(6, '10.208.0.1')],
      ...[asked(7, 'web'), 'dnsmasq[9]: 7 10.208.0.2/4000 /run/hosts web is 10.208.0.3'],
      refused(8), // Its question was lost.
      'dnsmasq[9]: possible DNS-rebind attack detected: n.example.com',
      'dnsmasq[9]: overflow: 12 log entries lost',
    ]) {
      refusals.add(line)
    }
    assert.deepEqual(refusals.take(), {
      names: [
        { source: '10.208.0.2', name: 'evil.test', type: 'A', reason: 'closed', count: 2 },
        { source: '10.208.0.2', name: 'x.registry.example.org', type: 'A', reason: 'closed', count: 1 },
        { source: undefined, name: 'n.example.com', type: 'A', reason: 'private', count: 1 },
      ],
      lost: 12,
    })
    assert.deepEqual(refusals.take(), { names: [], lost: 0 })
  })

  test('are bounded, and what finds no place is counted', () => {
    const refusals = createRefusals('10.208.0.1')
    for (let serial = 0; serial < 1000; serial++) for (const line of [asked(serial, `n${serial}.test`), refused(serial)]) refusals.add(line)
    const { names, lost } = refusals.take()
    assert.deepEqual([names.length, lost], [256, 744])
  })
})

test('what dnsmasq can do is read from its version', () => {
  const printed = 'Dnsmasq version 2.90  Copyright (c) 2000-2024 Simon Kelley\nCompile time options: IPv6 ipset nftset auth inotify dumpfile\n'
  assert.deepEqual(resolverBuild(printed), { version: '2.90', nftset: true, sufficient: true })
  assert.deepEqual(resolverBuild(printed.replace(' nftset', ' no-nftset').replaceAll('2.90', '2.86')), {
    version: '2.86',
    nftset: false,
    sufficient: false,
  })
  assert.equal(resolverBuild('command not found'), undefined)
})

test('its user is its own where there is one, else nobody', () => {
  assert.deepEqual(resolverUser('root:x:0:0::\nnobody:x:65534:65534::\ndnsmasq:x:999:65534::\n'), { user: 'dnsmasq', uid: 999 })
  assert.deepEqual(resolverUser('root:x:0:0::\nnobody:x:65534:65534::\n'), { user: 'nobody', uid: 65_534 })
})
