import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cidrFault, parseEgress } from './cidr.ts'

test('networks, hosts and ports', () => {
  assert.deepEqual(parseEgress('10.0.0.0/8', '--allow'), { cidr: '10.0.0.0/8' })
  assert.deepEqual(parseEgress('192.0.2.7', '--allow'), { cidr: '192.0.2.7/32' })
  assert.deepEqual(parseEgress('192.0.2.0/24:443', '--allow'), { cidr: '192.0.2.0/24', port: 443 })
  assert.deepEqual(parseEgress('0.0.0.0/0:53', '--allow'), { cidr: '0.0.0.0/0', port: 53 })
})

test('what is none is told with what is wrong', () => {
  for (const text of [
    '',
    'example.com',
    '10.0.0.256',
    '10.0.0',
    '10.0.0.0/33',
    '10.0.0.0/',
    '::1',
    '10.0.0.0/8:',
    '10.0.0.0/8:0',
    '10.0.0.0/8:65536',
    '10.0.0.0/8:x',
  ]) {
    assert.throws(() => parseEgress(text, '--allow'), { code: 'invalid', field: '--allow' }, text)
  }
  assert.equal(cidrFault('10.1.2.3/8'), 'has address bits beyond its prefix: the network is 10.0.0.0/8')
  assert.equal(cidrFault('255.255.255.255/1'), 'has address bits beyond its prefix: the network is 128.0.0.0/1')
  assert.equal(cidrFault('1.2.3.4/0'), 'has address bits beyond its prefix: the network is 0.0.0.0/0')
})
