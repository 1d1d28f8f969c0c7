import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressKey, callerBurst, callerRate, createLimits, TooManyCalls } from './limits.ts'

test('an address is one whatever it is written like; of IPv6 a /64 is one', () => {
  assert.equal(addressKey('::ffff:192.0.2.1'), '192.0.2.1')
  assert.equal(addressKey('2001:db8:1:2::1'), addressKey('2001:db8:1:2:ffff::9'))
  assert.equal(addressKey('fe80::1%eth0'), addressKey('fe80::2'))
  assert.notEqual(addressKey('2001:db8:1:2::1'), addressKey('2001:db8:1:3::1'))
})

test('a bucket empties with its calls and fills with time, for each by itself', () => {
  let now = 0
  const limits = createLimits({ boot: () => now })
  for (let call = 0; call < callerBurst; call++) limits.take('caller', 'a')
  assert.throws(
    () => limits.take('caller', 'a'),
    (error: unknown) => error instanceof TooManyCalls && error.code === 'exhausted' && error.retryAfter === 1,
  )
  limits.take('caller', 'b')
  limits.take('address', 'a')
  now = 1_000
  for (let call = 0; call < callerRate; call++) limits.take('caller', 'a')
  assert.throws(() => limits.take('caller', 'a'), TooManyCalls)
})

test('waits grow to a bound, and mistakes are forgotten', () => {
  let now = 0
  const limits = createLimits({ boot: () => now })
  const wait = (): number => {
    try {
      limits.mayTry('a')
      return 0
    } catch (error) {
      assert.ok(error instanceof TooManyCalls)
      return error.retryAfter
    }
  }
  const waits = Array.from({ length: 20 }, () => {
    limits.failed('a')
    return wait()
  })
  assert.deepEqual(waits, [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900, 900])
  now = 60 * 60_000
  assert.equal(wait(), 0)
  limits.failed('a')
  assert.equal(wait(), 0)
})

test('what is remembered is bounded', () => {
  const limits = createLimits({ boot: () => 0 })
  for (let failure = 0; failure < 7; failure++) limits.failed('first')
  assert.throws(() => limits.mayTry('first'), TooManyCalls)
  for (let index = 0; index < 20_000; index++) limits.failed(`other ${index}`)
  limits.mayTry('first')
})
