import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { oneLine, severityOfWord } from './advisory.ts'
import { advisoryOf } from './osv.ts'
import { affectedBody, affectedOf, recordBody, recordOf } from './rows.ts'

const least = { id: 'X-1', modified: '2024-01-01T00:00:00Z' }
const affecting = (ecosystem: string, more: object = {}): object => ({
  package: { ecosystem, name: 'x' },
  ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }] }],
  ...more,
})

describe('an OSV record', () => {
  it('is read with what is unknown left out', () => {
    const advisory = advisoryOf({
      ...least,
      schema_version: '9.9',
      published: '2023-01-01T00:00:00Z',
      aliases: ['CVE-2024-1', 'X-1', 'CVE-2024-1'],
      summary: 'one\n\u001b[31mtwo\u2028three',
      severity: [
        { type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' },
        { type: 'CVSS_V3', score: 'rubbish' },
        { type: 'NEW', score: {} },
      ],
      references: [
        { type: 'WEB', url: 'https://b.example' },
        { type: 'ADVISORY', url: 'https://a.example' },
        { type: 'WEB', url: 'javascript:alert(1)' },
      ],
      database_specific: { severity: 'MODERATE', deep: [[[{}]]] },
      affected: [affecting('npm', { surprise: true }), { ranges: [{ type: 'GIT', events: [{ introduced: '0' }] }] }],
      future: 1,
    })
    assert.equal(advisory.summary, 'one [31mtwo three')
    assert.deepEqual(advisory.aliases, ['CVE-2024-1'])
    assert.deepEqual(advisory.references, ['https://a.example', 'https://b.example'])
    assert.deepEqual(advisory.ratings, [{ version: '3.1', vector: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H', score: 9.8 }])
    assert.equal(advisory.severity, 'medium')
    assert.equal(advisory.published, Date.UTC(2023))
    assert.equal(advisory.affected.length, 1)
    const { affected: _affected, withdrawn: _withdrawn, ...facts } = advisory
    assert.deepEqual(recordOf(advisory.id, advisory.modified, recordBody(advisory)), facts, 'written and read')
  })

  it('written and read again says the same of what is affected', () => {
    const [affected] = advisoryOf({
      ...least,
      affected: [
        {
          package: { ecosystem: 'npm', name: 'x' },
          ranges: [
            { type: 'SEMVER', events: [{ introduced: '0' }, { fixed: '1.0.0' }, { limit: '*' }] },
            { type: 'ECOSYSTEM', events: [{ introduced: '2' }, { last_affected: '3' }] },
          ],
          versions: ['5.0.0', '0.5.0'],
          severity: [{ type: 'CVSS_V2', score: 'AV:N/AC:L/Au:N/C:C/I:C/A:C' }],
          ecosystem_specific: { severity: 'low' },
        },
      ],
    }).affected
    assert.ok(affected)
    const { ecosystem: _ecosystem, name: _name, ...facts } = affected
    assert.deepEqual(facts.versions, ['5.0.0'], 'what a range holds is not kept twice')
    assert.deepEqual(affectedOf(affectedBody(affected)), facts)
  })

  it('of a distribution says which vulnerabilities it is about', () => {
    const covers = (id: string, ecosystem: string, more: object): readonly string[] =>
      advisoryOf({ ...least, id, affected: [affecting(ecosystem)], ...more }).covers
    assert.deepEqual(covers('DSA-1-1', 'Debian:12', { upstream: ['CVE-2024-1', 'CVE-2024-2'] }), ['CVE-2024-1', 'CVE-2024-2'])
    assert.deepEqual(covers('DLA-1-1', 'Debian:10', { aliases: ['CVE-2024-1', 'CVE-2024-2'] }), ['CVE-2024-1', 'CVE-2024-2'])
    assert.deepEqual(covers('RLSA-2024:1', 'Rocky Linux:9', { related: ['CVE-2024-3', 'RHSA-1'] }), ['CVE-2024-3'])
    assert.deepEqual(covers('DEBIAN-CVE-2024-7', 'Debian:12', { upstream: ['CVE-2024-7'] }), ['CVE-2024-7'])
    assert.deepEqual(covers('UBUNTU-CVE-2024-7', 'Ubuntu:22.04:LTS', {}), ['CVE-2024-7'])
    assert.deepEqual(covers('GHSA-1', 'npm', { aliases: ['CVE-2024-1'] }), [], 'an alias is the same, not upstream')
  })

  it('is rated by words where there is no score', () => {
    const severity = (more: object, id = 'X-1'): unknown => advisoryOf({ ...least, id, ...more }).severity
    assert.equal(severity({ database_specific: { severity: 'CRITICAL' } }), 'critical')
    assert.equal(severity({ severity: [{ type: 'Ubuntu', score: 'negligible' }] }), 'negligible')
    assert.equal(severity({ summary: 'Important: openssl security update' }), 'high')
    assert.equal(severity({ summary: 'Nothing: of the kind' }), undefined)
    assert.equal(severity({}, 'MAL-2024-1'), 'critical')
    assert.equal(
      advisoryOf({ ...least, affected: [affecting('Debian:12', { ecosystem_specific: { urgency: 'low**' } })] }).affected[0]?.severity,
      'low',
    )
    assert.equal(severityOfWord('not yet assigned'), undefined)
    assert.equal(severityOfWord('constructor'), undefined)
  })

  it('that is none says why', () => {
    const bad: readonly (readonly [unknown, RegExp])[] = [
      [null, /no OSV record/],
      [[], /no OSV record/],
      [{ id: 'X-1' }, /modified/],
      [{ ...least, modified: 'yesterday' }, /modified is no time/],
      [{ ...least, id: '' }, /id/],
      [{ ...least, affected: {} }, /affected/],
      [{ ...least, affected: [affecting('npm', { ranges: [{ type: 'SEMVER', events: [{ fixed: '1' }] }] })] }, /where it begins/],
      [{ ...least, affected: [affecting('npm', { ranges: [{ type: 'SEMVER', events: [{ introduced: 'x'.repeat(2_000) }] }] })] }, /introduced/],
      [
        {
          ...least,
          affected: [affecting('npm', { ranges: [{ type: 'SEMVER', events: Array.from({ length: 10_001 }, () => ({ introduced: '0' })) }] })],
        },
        /events/,
      ],
      [{ ...least, affected: [affecting('npm', { versions: Array.from({ length: 200_001 }, () => '1') })] }, /versions/],
    ]
    for (const [json, why] of bad) assert.throws(() => advisoryOf(json), why)
  })

  it('that is absurd costs little: thousands of events against as many versions, brackets without end', () => {
    const events = Array.from({ length: 10_000 }, (_, at) => (at % 2 === 0 ? { introduced: `1.${at}.0` } : { fixed: `1.${at}.0` }))
    const versions = Array.from({ length: 200_000 }, (_, at) => `1.${at}.5`)
    const [affected] = advisoryOf({ ...least, affected: [affecting('Maven', { ranges: [{ type: 'ECOSYSTEM', events }], versions })] }).affected
    assert.equal(affected?.versions.length, 200_000)
    const deep = `{"id":"X-1","modified":"2024-01-01T00:00:00Z","database_specific":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
    assert.equal(advisoryOf(JSON.parse(deep)).id, 'X-1')
  })

  it('never throws anything but an Error that says why', () => {
    fc.assert(
      fc.property(
        fc.record({
          id: fc.string(),
          modified: fc.oneof(fc.constant(least.modified), fc.string()),
          affected: fc.jsonValue(),
          aliases: fc.jsonValue(),
          severity: fc.jsonValue(),
        }),
        json => {
          try {
            advisoryOf(json)
          } catch (error) {
            assert.ok(error instanceof Error && error.message.length < 2_000)
          }
        },
      ),
    )
  })

  it('text is cut to one line', () => {
    assert.equal(oneLine(` a\u0000b\r\n\tc\u202e${'d'.repeat(1e6)}`, 10), 'a b c ddd…')
  })
})
