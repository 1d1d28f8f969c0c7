import assert from 'node:assert/strict'
import { isIPv4 } from 'node:net'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Slot } from './slots.ts'
import {
  allSlices,
  idsPerSlot,
  instanceAddress,
  instancesPerSlot,
  interfacePrefix,
  sliceCount,
  sliceNetwork,
  slotCount,
  slotIds,
  slotNetwork,
  slotOfInterface,
} from './slots.ts'

const anySlot = fc.record({ slice: fc.nat(sliceCount - 1), slot: fc.nat(slotCount - 1) }, { noNullPrototype: true })
const anyIndex = fc.nat(instancesPerSlot - 1)
const same = (a: Slot, b: Slot): boolean => a.slice === b.slice && a.slot === b.slot

const toNumber = (address: string): number => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
const range = (cidr: string): { first: number; last: number } => {
  const [base = '', length = ''] = cidr.split('/')
  const size = 2 ** (32 - Number(length))
  const first = toNumber(base)
  assert.equal(first % size, 0, `${cidr} has bits below its prefix`)
  return { first, last: first + size - 1 }
}

describe('slots', () => {
  it('starts where the design says', () => {
    assert.deepEqual(slotNetwork({ slice: 0, slot: 0 }), { bridge: 'dfy0-0', subnet: '10.208.0.0/26', gateway: '10.208.0.1', prefixLength: 26 })
    assert.deepEqual(slotNetwork({ slice: 15, slot: 1023 }), {
      bridge: 'dfy15-1023',
      subnet: '10.223.255.192/26',
      gateway: '10.223.255.193',
      prefixLength: 26,
    })
    assert.deepEqual(instanceAddress({ slice: 1, slot: 5 }, 0), { address: '10.209.1.66', mac: '02:df:0a:d1:01:42', hostInterface: 'dfy1-5.0' })
    assert.deepEqual(slotIds({ slice: 0, slot: 1 }), { first: 0x2001_0000, count: 65_536 })
    assert.equal(slotIds({ slice: 15, slot: 1023 }).first + idsPerSlot - 1, 0x5fff_ffff)
  })

  it('never gives two slots the same address', () => {
    fc.assert(
      fc.property(anySlot, anySlot, (a, b) => {
        fc.pre(!same(a, b))
        const one = range(slotNetwork(a).subnet)
        const other = range(slotNetwork(b).subnet)
        assert.ok(one.last < other.first || other.last < one.first)
      }),
    )
  })

  it('never gives two slots the same user id, and none below the first or above 32 bits', () => {
    fc.assert(
      fc.property(anySlot, anySlot, (a, b) => {
        fc.pre(!same(a, b))
        const one = slotIds(a)
        const other = slotIds(b)
        assert.ok(one.first + one.count <= other.first || other.first + other.count <= one.first)
        assert.ok(one.first >= 0x2000_0000 && one.first + one.count <= 0x6000_0000)
      }),
    )
  })

  it('covers the ranges of a slice without gap: 1024 neighbouring networks and id ranges', () => {
    for (let slice = 0; slice < sliceCount; slice++) {
      const whole = range(sliceNetwork(slice))
      for (let slot = 0; slot < slotCount; slot++) {
        const { first, last } = range(slotNetwork({ slice, slot }).subnet)
        assert.equal(first, whole.first + slot * 64)
        assert.ok(last <= whole.last)
      }
      const all = range(allSlices)
      assert.ok(whole.first >= all.first && whole.last <= all.last)
    }
  })

  it('keeps every instance inside its subnet, off the gateway and the broadcast address, with a name the kernel takes', () => {
    fc.assert(
      fc.property(anySlot, anyIndex, (of, index) => {
        const { address, mac, hostInterface } = instanceAddress(of, index)
        const { subnet, gateway, bridge } = slotNetwork(of)
        assert.ok(isIPv4(address))
        assert.ok(toNumber(address) > toNumber(gateway) && toNumber(address) < range(subnet).last)
        assert.match(mac, /^02(:[0-9a-f]{2}){5}$/)
        assert.ok(hostInterface.length <= 15 && bridge.length <= 15)
        assert.ok(hostInterface.startsWith(interfacePrefix(of.slice)))
      }),
    )
  })

  it('gives every instance of the host its own address, MAC and interface name', () => {
    fc.assert(
      fc.property(anySlot, anyIndex, anySlot, anyIndex, (a, i, b, j) => {
        fc.pre(!same(a, b) || i !== j)
        const one = instanceAddress(a, i)
        const other = instanceAddress(b, j)
        assert.notEqual(one.address, other.address)
        assert.notEqual(one.mac, other.mac)
        assert.notEqual(one.hostInterface, other.hostInterface)
      }),
    )
  })

  it('finds the slot from an interface name, and only from names of ours', () => {
    fc.assert(
      fc.property(anySlot, anyIndex, (of, index) => {
        assert.deepEqual(slotOfInterface(slotNetwork(of).bridge), of)
        assert.deepEqual(slotOfInterface(instanceAddress(of, index).hostInterface), of)
      }),
    )
    for (const name of ['eth0', 'dfy', 'dfy0', 'dfy0-', 'dfy16-0', 'dfy0-1024', 'dfy00-1', 'dfy0-01', 'xdfy0-0', 'dfy0-0.', 'dfy0-0.x', 'dfy0-0x']) {
      assert.equal(slotOfInterface(name), undefined, name)
    }
  })

  it('refuses what is out of range, naming the field', () => {
    assert.throws(() => slotNetwork({ slice: 16, slot: 0 }), { code: 'invalid', field: 'slice' })
    assert.throws(() => slotIds({ slice: 0, slot: 1024 }), { code: 'invalid', field: 'slot' })
    assert.throws(() => instanceAddress({ slice: 0, slot: 0 }, instancesPerSlot), { code: 'invalid', field: 'index' })
    assert.throws(() => slotNetwork({ slice: 0.5, slot: 0 }), { code: 'invalid', field: 'slice' })
    assert.throws(() => slotNetwork({ slice: 0, slot: -1 }), { code: 'invalid', field: 'slot' })
  })
})
