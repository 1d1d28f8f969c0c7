import assert from 'node:assert/strict'
import { test } from 'node:test'
import { devicesTowards } from './forwarding.ts'

const hex = (address: string): string => Buffer.from(address.split('.').map(Number).reverse()).toString('hex').toUpperCase()
const line = (device: string, destination: string, mask: string, flags = '0001'): string =>
  `${device}\t${hex(destination)}\t00000000\t${flags}\t0\t0\t100\t${hex(mask)}\t0\t0\t0`

const routes = [
  'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
  line('eth0', '0.0.0.0', '0.0.0.0', '0003'),
  line('wlan0', '0.0.0.0', '0.0.0.0', '0003'),
  line('tun0', '172.16.0.0', '255.240.0.0'),
  line('docker0', '172.17.0.0', '255.255.0.0'),
  line('dfy0-1', '10.208.0.0', '255.255.255.192'),
  line('*', '203.0.113.0', '255.255.255.0', '0200'),
  '',
].join('\n')

const cases: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['only the default routes', ['192.0.2.0/24'], ['eth0', 'wlan0']],
  ['the nearest route around, not those around it', ['172.18.0.0/16'], ['tun0']],
  ['the nearest around and all within', ['172.16.0.0/12'], ['docker0', 'tun0']],
  ['everything but bridges of ours and routes that reject', ['0.0.0.0/0'], ['docker0', 'eth0', 'tun0', 'wlan0']],
  ['one half of all addresses', ['128.0.0.0/1'], ['docker0', 'eth0', 'tun0', 'wlan0']],
  ['a single address', ['172.17.0.2/32'], ['docker0']],
  ['several networks', ['172.17.0.2/32', '172.31.0.0/16'], ['docker0', 'tun0']],
  ['none', [], []],
]
for (const [what, networks, expected] of cases) {
  test(`the interfaces towards ${networks.join(' and ') || 'nothing'}: ${what}`, () => {
    assert.deepEqual([...devicesTowards(routes, networks, '10.208.0.0/12')].sort(), expected)
  })
}

test('without any route there is no interface', () => {
  assert.deepEqual([...devicesTowards('Iface\n', ['192.0.2.0/24'], '10.208.0.0/12')], [])
})
