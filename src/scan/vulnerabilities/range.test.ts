import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fixture } from '../../../test/fixtures.ts'
import { orderOf } from '../versions/order.ts'
import type { RangeEvent } from './advisory.ts'
import { advisoryOf } from './osv.ts'
import { fixesAfter, isInRange, isListed, orderOfRange, sortEvents } from './range.ts'

type Events = readonly Readonly<Record<string, string>>[]

/** Through a whole record, as it is imported. */
const affects = (ecosystem: string, type: string, events: Events, versions: readonly string[] = []): ((version: string) => boolean) => {
  const record = {
    id: 'X-1',
    modified: '2024-01-01T00:00:00Z',
    affected: [{ package: { ecosystem, name: 'x' }, ranges: [{ type, events }], versions }],
  }
  const [affected] = advisoryOf(record).affected
  return version =>
    affected !== undefined &&
    (affected.ranges.some(range => isInRange(version, range, orderOfRange(ecosystem, range))) ||
      isListed(ecosystem, version, affected.versions, affected.ranges.length > 0))
}

const holds = (is: (version: string) => boolean, inside: readonly string[], outside: readonly string[]): void => {
  assert.deepEqual(
    inside.filter(version => !is(version)),
    [],
  )
  assert.deepEqual(outside.filter(is), [])
}

describe("OSV's evaluation, the specification's examples", () => {
  it('unfixed: every version', () => {
    holds(affects('Go', 'SEMVER', [{ introduced: '0' }]), ['0.0.0-0', '0.0.1', '1.0.0', 'v99.0.0'], [])
  })

  it('fixed: all before it, its own pre-releases too', () => {
    holds(affects('npm', 'SEMVER', [{ introduced: '0' }, { fixed: '1.0.2' }]), ['0.1.0', '1.0.1', '1.0.2-rc.1'], ['1.0.2', '1.0.3', '2.0.0'])
  })

  it('several ranges in one, whatever the order of the events', () => {
    const events = [{ fixed: '3.2.5' }, { introduced: '3.0.0' }, { fixed: '1.0.2' }, { introduced: '1.0.0' }]
    const inside = ['1.0.0', '1.0.1', '3.0.0', '3.2.4']
    const outside = ['0.9.9', '1.0.2', '2.9.9', '3.2.5', '4.0.0', '1.0.0-rc1']
    holds(affects('npm', 'SEMVER', events), inside, outside)
    holds(affects('npm', 'SEMVER', events.toReversed()), inside, outside)
  })

  it('last affected is affected, fixed is not', () => {
    holds(affects('Maven', 'ECOSYSTEM', [{ introduced: '0' }, { last_affected: '2.1.214' }]), ['1.0', '2.1.214', '2.1.214.Final'], ['2.1.215', '2.2'])
    holds(affects('npm', 'SEMVER', [{ introduced: '0' }, { fixed: '2.1.214' }]), ['2.1.213'], ['2.1.214', '2.1.215'])
    holds(affects('npm', 'SEMVER', [{ last_affected: '1.2.0' }, { introduced: '1.2.0' }]), ['1.2.0'], ['1.1.9', '1.2.1'])
  })

  it('limits: before any of them, and * is none', () => {
    const events = [{ introduced: '1.0.0' }, { limit: '2.0.0' }, { limit: '1.5.0' }]
    holds(affects('npm', 'SEMVER', events), ['1.0.0', '1.9.9'], ['0.9.0', '2.0.0', '3.0.0'])
    holds(affects('npm', 'SEMVER', [{ introduced: '1.0.0' }, { limit: '*' }]), ['1.0.0', '9.0.0'], ['0.9.0'])
  })

  it('ranges of git match nothing; a list of versions does', () => {
    const commit = '6879efc2c1596d11a6a6ad296f80063b558d5e0f'
    holds(affects('PyPI', 'GIT', [{ introduced: '0' }, { fixed: commit }], ['1.0', '1.1']), ['1.0', '1.1', '1.1.0'], ['1.2', commit, '0'])
  })

  it('a list adds to the ranges, letter by letter', () => {
    holds(
      affects('npm', 'SEMVER', [{ introduced: '1.0.0' }, { fixed: '1.1.0' }], ['1.0.5', '3.0.0']),
      ['1.0.5', '1.0.9', '3.0.0'],
      ['1.1.0', '2.0.0', '3.0.1'],
    )
  })

  it("ecosystems have their own orders, and SEMVER has SemVer's", () => {
    holds(affects('Debian:12', 'ECOSYSTEM', [{ introduced: '0' }, { fixed: '1:2.0-1' }]), ['9.0-1', '1:2.0-1~deb12u1'], ['1:2.0-1', '2:0.1-1'])
    holds(affects('Alpine:v3.19', 'ECOSYSTEM', [{ introduced: '0' }, { fixed: '3.1.4-r1' }]), ['3.1.4-r0', '3.1.4_rc1-r5'], ['3.1.4-r1', '3.1.10-r0'])
    holds(affects('PyPI', 'ECOSYSTEM', [{ introduced: '2.0a1' }, { fixed: '2.0' }]), ['2.0a1', '2.0rc3', '2.0.dev1'].slice(0, 2), [
      '2.0.dev1',
      '2.0',
      '2.0.post1',
    ])
    holds(affects('PyPI', 'SEMVER', [{ introduced: '2.0.0-a' }, { fixed: '2.0.0' }]), ['2.0.0-rc'], ['2.0.0'])
  })

  it('names the fixes that come later than what is installed', () => {
    const order = orderOf('npm')
    const events: RangeEvent[] = sortEvents(
      [
        ['introduced', '0'],
        ['fixed', '1.2.0'],
        ['introduced', '2.0.0'],
        ['fixed', '2.1.0'],
      ],
      order,
    )
    assert.deepEqual(fixesAfter('1.0.0', { semver: false, events, limits: [] }, order), ['1.2.0', '2.1.0'])
    assert.deepEqual(fixesAfter('2.0.5', { semver: false, events, limits: [] }, order), ['2.1.0'])
  })
})

const [go, pypi] = [fixture('osv/go'), fixture('osv/pypi')]
const recordsIn = (path: string): { readonly name: string; readonly json: unknown }[] =>
  readdirSync(path).map(name => ({ name, json: JSON.parse(readFileSync(join(path, name), 'utf8')) }))

describe('real records', () => {
  it('of PyPI: the versions that a record lists are in its ranges, by our order', { skip: pypi.skip }, () => {
    let [versions, outside] = [0, 0]
    for (const { json } of recordsIn(pypi.path)) {
      assert.ok(typeof json === 'object' && json !== null && 'affected' in json && Array.isArray(json.affected))
      for (const [index, affected] of advisoryOf(json).affected.entries()) {
        const listed: unknown = json.affected[index]?.versions
        if (affected.ranges.length === 0 || !Array.isArray(listed)) continue
        versions += listed.length
        outside += affected.versions.length
      }
    }
    assert.ok(versions > 3_000, `${versions}`)
    assert.ok(outside / versions < 0.01, `${outside} of ${versions} listed versions are in no range`)
  })

  it('of Go: just before a fix is affected, the fix is not', { skip: go.skip }, () => {
    let fixes = 0
    for (const { name, json } of recordsIn(go.path)) {
      for (const affected of advisoryOf(json).affected) {
        for (const range of affected.ranges) {
          const order = orderOfRange(affected.ecosystem, range)
          for (const [at, [kind, version]] of range.events.entries()) {
            const [before] = range.events.slice(0, at).toReversed()
            if (kind !== 'fixed' || before?.[0] !== 'introduced') continue
            fixes++
            assert.ok(!isInRange(version, range, order), `${name}: ${version} is fixed`)
            assert.ok(isInRange(before[1] === '0' ? '0.0.0-0' : before[1], range, order), `${name}: ${before[1]} is affected`)
          }
        }
      }
    }
    assert.ok(fixes > 200, `${fixes}`)
  })
})
