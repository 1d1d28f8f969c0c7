import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reachesPrivate } from './nameservers.ts'
import { resourceLimits, splitSysctls } from './settings.ts'

const split = (sysctls: Record<string, string>, runtime: 'crun' | 'runsc' = 'crun') => splitSysctls({ sysctls, runtime })

test('sysctls of the network are the monitor’s to set, those of IPC the runtime’s', () => {
  assert.deepEqual(split({ 'net.core.somaxconn': '1', 'kernel.msgmax': '2', 'net.ipv4.conf.eth0/1.forwarding': '0' }), {
    network: [
      { name: 'net.core.somaxconn', path: 'core/somaxconn', value: '1' },
      { name: 'net.ipv4.conf.eth0/1.forwarding', path: 'ipv4/conf/eth0.1/forwarding', value: '0' },
    ],
    ipc: { 'kernel.msgmax': '2' },
  })
  assert.deepEqual(splitSysctls({ runtime: 'runsc' }), { network: [], ipc: {} })
})

test('what would have no effect, or open IPv6, is refused by name', () => {
  assert.deepEqual(split({ 'net.ipv6.conf.all.disable_ipv6': '1' }), { network: [], ipc: {} })
  for (const [name, value] of [
    ['net.ipv6.conf.all.disable_ipv6', '0'],
    ['net.ipv6.conf.all.forwarding', '1'],
  ] as const) {
    assert.throws(() => split({ [name]: value }), { code: 'invalid', field: `sysctls.${name}` })
  }
  assert.throws(() => split({ 'net.core.somaxconn': '1' }, 'runsc'), { code: 'invalid', field: 'sysctls.net.core.somaxconn' })
})

test('limits of resources: none, and the impossible', () => {
  assert.deepEqual(resourceLimits({ ulimits: { nofile: { soft: 1, hard: -1 }, core: { soft: -1, hard: -1 } } }), [
    { name: 'nofile', soft: 1, hard: undefined },
    { name: 'core', soft: undefined, hard: undefined },
  ])
  assert.throws(() => resourceLimits({ ulimits: { nofile: { soft: -1, hard: 5 } } }), { field: 'ulimits.nofile' })
  assert.throws(() => resourceLimits({ ulimits: { nofiles: { soft: 1, hard: 5 } } }), { field: 'ulimits.nofiles' })
})

test('whether what is open reaches private addresses', () => {
  const reaches = (...cidrs: string[]) => reachesPrivate(cidrs.map(cidr => ({ cidr })))
  for (const cidr of ['10.1.2.3/32', '10.0.0.0/8', '0.0.0.0/0', '172.16.0.0/12', '172.20.0.0/16', '192.0.0.0/8']) assert.ok(reaches(cidr), cidr)
  assert.ok(!reaches('192.0.2.0/24', '172.32.0.0/16', '11.0.0.0/8'))
  assert.ok(!reaches())
})
