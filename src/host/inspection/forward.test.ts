/** Firewalls as docker, ufw, firewalld and administrators leave them: what nft 1.0.6 and iptables 1.8.9 print of them, recorded. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Check } from './check.ts'
import { checkForward } from './forward.ts'

const listing = (...objects: readonly object[]): string => JSON.stringify({ nftables: [{ metainfo: { version: '1.0.6' } }, ...objects] })
const rule = (...expr: readonly object[]): object => ({ rule: { family: 'ip', table: 'filter', chain: 'x', handle: 1, expr } })
const base = (family: string, table: string, name: string, policy: string): object => ({
  chain: { family, table, name, handle: 1, type: 'filter', hook: 'forward', prio: 0, policy },
})
const device = (key: 'iifname' | 'oifname', right: string, op = '=='): object => ({ match: { op, left: { meta: { key } }, right } })
const counter = { counter: { packets: 0, bytes: 0 } }
const conntrack = { xt: { type: 'match', name: 'conntrack' } }
const accept = { accept: null }
const jump = (target: string): object => ({ jump: { target } })

/** By chain; of what is not there nft says so. */
const check = (chains: Readonly<Record<string, readonly object[]>>, bases: readonly object[], legacy?: string | null): Promise<Check> =>
  checkForward({
    nft: async command => {
      if (command === 'list chains') return listing(...bases, { chain: { family: 'inet', table: 'dayfly_0', name: 'refuse', handle: 4 } })
      const rules = chains[command.replace('list chain ', '')]
      if (rules === undefined) throw new Error('No such file or directory')
      return listing(...rules)
    },
    legacy: async () => legacy,
    outside: 'eth0',
  })

const docker = {
  'ip filter FORWARD': [
    rule(counter, jump('DOCKER-USER')),
    rule(device('oifname', 'docker0'), conntrack, counter, accept),
    rule(device('iifname', 'docker0'), device('oifname', 'docker0', '!='), counter, accept),
  ],
  'ip filter DOCKER-USER': [rule(counter, { return: null })],
}

test('docker: FORWARD drops, and the remedy goes into its own chain', async () => {
  const { state, found, remedy } = await check(docker, [base('ip', 'filter', 'FORWARD', 'drop')])
  assert.equal(state, 'warn')
  assert.equal(found, 'chain FORWARD of table ip filter drops what instances send and the answers to instances: --allow opens nothing')
  assert.match(
    remedy ?? '',
    /^iptables -I DOCKER-USER -i dfy\+ -j ACCEPT && iptables -I DOCKER-USER -o dfy\+ -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\./,
  )
})

test('docker with the remedy applied, in whole and in half', async () => {
  const out = rule(device('iifname', 'dfy*'), counter, accept)
  const back = rule(device('oifname', 'dfy*'), conntrack, counter, accept)
  const bases = [base('ip', 'filter', 'FORWARD', 'drop')]
  const applied = await check({ ...docker, 'ip filter DOCKER-USER': [back, out, rule(counter, { return: null })] }, bases)
  assert.deepEqual(applied, { name: 'other firewalls', state: 'ok', found: 'none that drops what instances send', remedy: null })
  const half = await check({ ...docker, 'ip filter DOCKER-USER': [out] }, bases)
  assert.match(half.found, /^chain FORWARD of table ip filter drops the answers to instances:/)
})

test('ufw: answers pass, what is new does not', async () => {
  const { found, remedy } = await check(
    {
      'ip filter FORWARD': [rule(counter, jump('ufw-before-forward')), rule(counter, jump('ufw-reject-forward'))],
      'ip filter ufw-before-forward': [rule(conntrack, counter, accept), rule({ xt: { type: 'match', name: 'icmp' } }, counter, accept)],
      'ip filter ufw-reject-forward': [],
    },
    [base('ip', 'filter', 'FORWARD', 'drop')],
  )
  assert.match(found, /drops what instances send: /)
  assert.match(remedy ?? '', /^iptables -I FORWARD -i dfy\+ -j ACCEPT && /)
})

test('firewalld: the policy accepts, but the last rule rejects', async () => {
  const established = {
    vmap: {
      key: { ct: { key: 'state' } },
      data: {
        set: [
          [1, { drop: null }],
          [2, { accept: null }],
        ],
      },
    },
  }
  const { found, remedy } = await check(
    {
      'inet firewalld filter_FORWARD': [
        rule(established),
        rule({ match: { op: 'in', left: { ct: { key: 'status' } }, right: 'dnat' } }, accept),
        rule(device('iifname', 'lo'), accept),
        rule(jump('filter_FORWARD_ZONES')),
        rule({ match: { op: 'in', left: { ct: { key: 'state' } }, right: 'invalid' } }, { drop: null }),
        rule({ reject: { type: 'icmpx', expr: 'admin-prohibited' } }),
      ],
      'inet firewalld filter_FORWARD_ZONES': [rule(device('iifname', 'eth0'), { goto: { target: 'zone' } }), rule({ goto: { target: 'zone' } })],
      'inet firewalld zone': [],
    },
    [base('inet', 'firewalld', 'filter_FORWARD', 'accept')],
  )
  assert.match(found, /^chain filter_FORWARD of table inet firewalld drops what instances send:/)
  assert.match(remedy ?? '', /^nft insert rule inet firewalld filter_FORWARD iifname '"dfy\*"' accept && /)
})

test('states are understood by name and by number', async () => {
  const bases = [base('inet', 'guard', 'forward', 'drop')]
  for (const right of ['established', 2, ['established', 'related'], [2, 4], { set: ['established', 'related'] }, { set: [4, 2] }]) {
    const state = { match: { op: 'in', left: { ct: { key: 'state' } }, right } }
    const { found } = await check({ 'inet guard forward': [rule(state, accept)] }, bases)
    assert.match(found, /^chain forward of table inet guard drops what instances send:/, JSON.stringify(right))
  }
})

test('iptables-legacy: its own policy, and an accept that is there', async () => {
  const text = [
    '-P INPUT ACCEPT',
    '-P FORWARD DROP',
    '-N DOCKER-USER',
    '-A FORWARD -m comment --comment "for -i everything" -j DOCKER-USER',
    '-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
    '-A FORWARD ! -i docker0 -o docker0 -j DROP',
    '-A DOCKER-USER -s 10.0.0.0/8 -j ACCEPT',
  ]
  const blocked = await check({}, [], text.join('\n'))
  assert.match(blocked.found, /^chain FORWARD of iptables-legacy drops what instances send and the answers to instances/)
  assert.match(blocked.remedy ?? '', /^iptables-legacy -I DOCKER-USER /)
  const applied = [...text, '-A DOCKER-USER -i dfy+ -j ACCEPT', '-A DOCKER-USER -o dfy+ -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT']
  assert.equal((await check({}, [], applied.join('\n'))).state, 'ok')
  assert.equal((await check({}, [], '-P FORWARD ACCEPT\n-A FORWARD -j REJECT --reject-with icmp-port-unreachable')).state, 'warn')
  assert.match((await check({}, [], null)).found, /cannot be read/)
})

test('what decides nothing, and what cannot be read', async () => {
  assert.equal((await check({}, [])).state, 'ok')
  assert.equal((await check({ 'ip filter FORWARD': [] }, [base('ip', 'filter', 'FORWARD', 'accept')])).state, 'ok')
  assert.equal((await check({}, [base('inet', 'dayfly_3', 'forward', 'drop'), base('bridge', 'x', 'forward', 'drop')])).state, 'ok')
  const broken = await check({}, [base('ip', 'filter', 'FORWARD', 'drop')])
  assert.deepEqual([broken.state, broken.found], ['warn', 'their rules cannot be read: No such file or directory'])
})
