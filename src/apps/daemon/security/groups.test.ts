import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Occurrence } from './groups.ts'
import { createGroups } from './groups.ts'
import { riskOf } from './risk.ts'

const place = (name: string, running: number, from: number, until: number | null): Occurrence['where'][number] => ({
  environment: { id: `e-${name}`, name, owner: 'ada' },
  workload: 'main',
  image: { digest: `sha256:${name}`, name },
  ...{ running, from, until },
})

const occurrence = (image: string, more: Partial<Occurrence> = {}): Occurrence => ({
  ...{ key: 'vulnerability CVE-1 openssl', kind: 'vulnerability', id: 'CVE-1', title: 'a fault', severity: 'high', exploited: false, epss: null },
  ...{ settled: false, aliases: ['CVE-1', 'GHSA-1'], package: { name: 'openssl', version: '1' }, fixed: undefined, image, where: [] },
  ...more,
})

test('the same finding of two images is one, with the worse of what is known and all of its places', () => {
  const groups = createGroups()
  groups.add(occurrence('a', { settled: true, where: [place('old', 0, 10, 20)] }))
  groups.add(
    occurrence('b', {
      severity: 'critical',
      exploited: true,
      epss: 0.5,
      fixed: '2',
      package: { name: 'openssl', version: '1.1' },
      where: [place('new', 2, 30, null)],
    }),
  )
  const [one, ...others] = groups.list(100)
  assert.ok(one)
  assert.deepEqual(others, [])
  assert.deepEqual([one.severity, one.exploited, one.epss, one.settled, one.fixed], ['critical', true, 0.5, false, '2'])
  assert.deepEqual([one.images, one.environments, one.running, one.count], [2, 2, 1, 2])
  assert.deepEqual(one.package, { name: 'openssl', versions: ['1', '1.1'] })
  assert.deepEqual(one.aliases, ['GHSA-1'])
  assert.deepEqual([one.since, one.last], [10, 100])
  assert.deepEqual(
    one.where.map(({ environment }) => environment.name),
    ['new', 'old'],
  )
})

test('what runs and what is exploited comes first; what is settled is no risk, and comes last', () => {
  const groups = createGroups()
  const add = (id: string, more: Partial<Occurrence>): void => groups.add(occurrence('i', { key: id, id, ...more }))
  add('critical-ended', { severity: 'critical', where: [place('x', 0, 1, 2)] })
  add('high-exploited-running', { exploited: true, where: [place('x', 1, 1, null)] })
  add('critical-settled', { severity: 'critical', settled: true, where: [place('x', 1, 1, null)] })
  add('high-running', { where: [place('x', 1, 1, null)] })
  assert.deepEqual(
    groups.list(9).map(({ id }) => id),
    ['high-exploited-running', 'critical-ended', 'high-running', 'critical-settled'],
  )
  assert.equal(riskOf({ severity: 'critical', exploited: true, epss: 1, settled: true, running: 3 }), 0)
})

test('places are bounded, and the rest is counted', () => {
  const groups = createGroups()
  groups.add(occurrence('a', { where: Array.from({ length: 25 }, (_, index) => place(`n${index}`, 0, index, index + 1)) }))
  const [one] = groups.list(100)
  assert.deepEqual([one?.where.length, one?.more, one?.environments], [20, 5, 25])
  assert.equal(one?.where[0]?.environment.name, 'n24')
})
