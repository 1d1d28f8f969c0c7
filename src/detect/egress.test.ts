import assert from 'node:assert/strict'
import { it } from 'node:test'
import { KernelEvent } from '../model/kernel-event.ts'
import { anywhere, createEgress } from './egress.ts'
import { createNames } from './profile/names.ts'

const event = (type: KernelEvent['type'], more: Partial<KernelEvent>): KernelEvent =>
  KernelEvent.parse({
    ...{ type, time: 1, environment: 'e', instance: 'i', pid: 1, tid: 1, vpid: 1, start: 1, parentPid: 1, parentStart: 1 },
    ...{ uid: 0, euid: 0, gid: 0, name: 'x', parentName: 'x', result: 0 },
    ...more,
  })

it('egress is opened by networks, ports and names, and what stays near needs no opening', () => {
  const names = createNames()
  names.see(event('dns', { path: 'API.example.org', detail: '192.0.2.1' }))
  names.see(event('dns', { path: 'shared.example.net', detail: '192.0.2.1' }))
  names.see(event('dns', { path: 'a.cdn.example.org', detail: '192.0.2.2' }))
  names.see(event('dns', { path: 'cdn.example.org', detail: '192.0.2.3' }))
  const egress = createEgress(['198.51.100.0/24', '203.0.113.5/32:443', 'api.example.org:443', '*.cdn.example.org'], names)
  const to = (remoteAddress: string, remotePort = 443, family: 'inet' | 'inet6' | 'unix' = 'inet') =>
    egress(event('connect', { socket: { family, protocol: 6, remoteAddress, remotePort } }))
  for (const [address, port, expected] of [
    ...[['198.51.100.7', 1, 'listed'] as const, ['198.51.101.7', 1, 'unlisted'] as const, ['203.0.113.5', 443, 'listed'] as const],
    ...[['203.0.113.5', 80, 'unlisted'] as const, ['192.0.2.1', 443, 'listed'] as const, ['192.0.2.1', 80, 'unlisted'] as const],
    ...[['192.0.2.2', 80, 'listed'] as const, ['192.0.2.3', 80, 'unlisted'] as const, ['::ffff:198.51.100.7', 1, 'listed'] as const],
    ...[['127.0.0.1', 80, undefined] as const, ['10.209.1.2', 80, undefined] as const, ['10.1.2.3', 80, 'unlisted'] as const],
    ...[['169.254.169.254', 80, 'unlisted'] as const, ['no address', 80, undefined] as const],
  ]) {
    assert.equal(to(address, port), expected, `${address}:${port}`)
  }
  assert.equal(to('2001:db8::1', 443, 'inet6'), 'unlisted')
  assert.equal(to('::1', 443, 'inet6'), undefined)
  assert.equal(to('/run/x.sock', 0, 'unix'), undefined)
  assert.equal(egress(event('open', { path: '/x' })), undefined)
})

it('without a policy, nothing is listed or unlisted', () => {
  const egress = createEgress([anywhere], createNames())
  assert.equal(egress(event('connect', { socket: { family: 'inet', protocol: 6, remoteAddress: '203.0.113.5', remotePort: 443 } })), undefined)
})
