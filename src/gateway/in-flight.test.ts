import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { InFlight } from './in-flight.ts'

test('who is in flight: like a set, however they come and go', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(9))), steps => {
      const all = Array.from({ length: 10 }, (_, name) => ({ name, place: -1 }))
      const [flight, set] = [new InFlight<(typeof all)[number]>(), new Set<(typeof all)[number]>()]
      for (const [comes, index] of steps) {
        const one = all[index]
        assert.ok(one)
        if (!comes || set.has(one)) {
          flight.delete(one)
          set.delete(one)
        } else {
          flight.add(one)
          set.add(one)
        }
        assert.equal(flight.size, set.size)
        assert.deepEqual(new Set(flight), set)
      }
    }),
  )
})

test('who leaves while all are looked at is looked at all the same', () => {
  const flight = new InFlight<{ place: number }>()
  const all = Array.from({ length: 5 }, () => ({ place: -1 }))
  for (const one of all) flight.add(one)
  const seen: unknown[] = []
  for (const one of flight) {
    seen.push(one)
    flight.delete(one)
  }
  assert.deepEqual([seen.length, flight.size], [5, 0])
})
