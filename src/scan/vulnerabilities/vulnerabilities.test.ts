import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { VulnerabilityFinding } from '../../model/finding.ts'
import type { Distribution, Package } from '../../model/package.ts'
import { importVulnerabilities } from './import.ts'
import type { MatchOptions, Vulnerabilities } from './vulnerabilities.ts'
import { openVulnerabilities } from './vulnerabilities.ts'

const now = Date.UTC(2026, 0, 15)
const day = 86_400_000
const root = mkdtempSync('/tmp/dayfly-vulnerabilities-')
after(() => rmSync(root, { recursive: true, force: true }))

let count = 0
/** Data of these records, each its own file. */
const dataOf = async (...documents: readonly object[]): Promise<Vulnerabilities> => {
  const folder = join(root, String(count++))
  const sources = documents.map((document, at) => {
    const location = join(root, `${folder.split('/').at(-1)}-${at}.json`)
    writeFileSync(location, JSON.stringify(document))
    return { location }
  })
  await importVulnerabilities(folder, sources, { now, signal: new AbortController().signal })
  return openVulnerabilities(folder)
}

type Events = readonly Readonly<Record<string, string>>[]
const affected = (ecosystem: string, name: string, events: Events, more: object = {}): object => ({
  package: { ecosystem, name },
  ranges: [{ type: 'ECOSYSTEM', events }],
  ...more,
})
const before = (fixed: string): Events => [{ introduced: '0' }, { fixed }]
const record = (id: string, places: readonly object[], more: object = {}): object => ({
  id,
  modified: '2026-01-10T00:00:00Z',
  affected: places,
  ...more,
})
const vector = (text: string): object => ({ severity: [{ type: text.startsWith('CVSS:4') ? 'CVSS_V4' : 'CVSS_V3', score: text }] })
const high = 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N'
const critical4 = 'CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N'

const pkg = (type: Package['type'], name: string, version: string, source?: Package['source']): Package => ({
  type,
  name,
  version,
  purl: `pkg:${type}/${encodeURI(name)}@${version}`,
  licenses: [],
  paths: [`usr/${name}`],
  ...(source ? { source } : {}),
})
const distribution = (id: string, version: string, codename?: string): Distribution => ({ id, version, like: [], ...(codename ? { codename } : {}) })

const ids = (data: Vulnerabilities, packages: readonly Package[], of?: Distribution, options?: MatchOptions): string[] =>
  data.match(packages, of, now, options).findings.map(({ id }) => id)

describe('records that name each other', () => {
  it('are one finding, by its CVE, with what all of them say', async () => {
    using data = await dataOf(
      record('GHSA-aaaa', [affected('PyPI', 'Flask_Thing', before('2.0'))], {
        ...{ aliases: ['CVE-2026-1'], summary: 'A hole', published: '2026-01-02T00:00:00Z', ...vector(high) },
        references: [{ type: 'ADVISORY', url: 'https://a.example' }],
      }),
      record('PYSEC-1', [affected('PyPI', 'flask-thing', before('2.1'))], {
        aliases: ['CVE-2026-1'],
        published: '2026-01-01T00:00:00Z',
        references: [{ type: 'WEB', url: 'https://b.example' }],
      }),
      record('CVE-2026-1', [affected('PyPI', 'flask.thing', before('2.0'))], vector(critical4)),
      record('PYSEC-2', [affected('PyPI', 'flask-thing', before('1.0'))], { aliases: ['CVE-2026-2'] }),
      record('PYSEC-3', [affected('PyPI', 'other', before('9'))]),
    )
    const { findings, problems, dataFrom } = data.match([pkg('pypi', 'Flask.Thing', '1.5')], undefined, now)
    assert.deepEqual([problems, dataFrom], [[], Date.UTC(2026, 0, 10)])
    const [finding, ...others] = findings
    assert.ok(finding && others.length === 0)
    assert.deepEqual(VulnerabilityFinding.parse(finding), finding)
    assert.match(finding.fingerprint, /^[0-9a-f]{32}$/)
    assert.deepEqual(
      { ...finding, fingerprint: '' },
      {
        kind: 'vulnerability',
        id: 'CVE-2026-1',
        severity: 'critical',
        title: 'A hole',
        remedy: 'Update Flask.Thing to 2.1 or later.',
        references: ['https://a.example', 'https://b.example'],
        places: [{ path: 'usr/Flask.Thing' }],
        fingerprint: '',
        package: { purl: 'pkg:pypi/Flask.Thing@1.5', name: 'Flask.Thing', version: '1.5' },
        // 2.0 is what one of them says, and what another calls affected.
        fixed: '2.1',
        aliases: ['GHSA-aaaa', 'PYSEC-1'],
        ratings: [
          { version: '4.0', vector: critical4, score: 9.3 },
          { version: '3.1', vector: high, score: 7.5 },
        ],
        publishedAt: Date.UTC(2026, 0, 1),
      },
    )
  })

  it('over several steps, and only of the same package', async () => {
    using data = await dataOf(
      record('A', [affected('npm', 'x', before('9'))], { aliases: ['B'] }),
      record('C', [affected('npm', 'x', before('9'))], { aliases: ['B', 'D'] }),
      record('D', [affected('npm', 'x', before('9')), affected('npm', 'y', before('9'))], { aliases: ['GHSA-1'] }),
      record('E', [affected('npm', 'x', before('9'))]),
    )
    assert.deepEqual(ids(data, [pkg('npm', 'x', '1.0.0')]), ['E', 'GHSA-1'])
    const [y] = data.match([pkg('npm', 'y', '1.0.0')], undefined, now).findings
    assert.deepEqual([y?.id, y?.aliases], ['GHSA-1', ['D']])
  })

  it("a distribution's advisory about several vulnerabilities is in each of them, and does not make them one", async () => {
    using data = await dataOf(
      record('DSA-1', [affected('Debian:12', 'curl', before('8.0-2'))], { upstream: ['CVE-2026-1', 'CVE-2026-2'] }),
      record('DEBIAN-CVE-2026-1', [affected('Debian:12', 'curl', before('8.0-2'), { ecosystem_specific: { urgency: 'high' } })], {
        upstream: ['CVE-2026-1'],
      }),
    )
    const { findings } = data.match([pkg('deb', 'libcurl4', '8.0-1', { name: 'curl', version: '8.0-1' })], distribution('debian', '12'), now)
    assert.deepEqual(
      findings.map(({ id, aliases, severity, fixed }) => [id, aliases, severity, fixed]),
      [
        ['CVE-2026-1', ['DEBIAN-CVE-2026-1', 'DSA-1'], 'high', '8.0-2'],
        ['CVE-2026-2', ['DSA-1'], 'unknown', '8.0-2'],
      ],
    )
    assert.equal(findings[0]?.remedy, 'Update libcurl4 (of curl) to 8.0-2 or later.')
  })

  it('a thousand aliases in a chain, and records without end of one package', async () => {
    const chain = Array.from({ length: 1_500 }, (_, at) => record(`N-${at}`, [affected('npm', 'x', before('9'))], { aliases: [`N-${at + 1}`] }))
    const folder = join(root, `chain-${count++}`)
    const from = mkdtempSync(join(root, 'chain-'))
    for (const [at, one] of chain.entries()) writeFileSync(join(from, `${at}.json`), JSON.stringify(one))
    await importVulnerabilities(folder, [{ location: from }], { now, signal: new AbortController().signal })
    using data = openVulnerabilities(folder)
    const [finding, ...others] = data.match([pkg('npm', 'x', '1.0.0')], undefined, now).findings
    assert.deepEqual([finding?.id, finding?.aliases.length, others.length], ['N-0', 1_500, 0])
  })
})

describe('packages are found by how their ecosystem names them', () => {
  it('languages', async () => {
    const named: readonly (readonly [string, string, Package['type'], string, string])[] = [
      ['npm', '@scope/name', 'npm', '@scope/name', '1.0.0'],
      ['PyPI', 'zope-interface', 'pypi', 'zope.interface', '1.0'],
      ['Maven', 'org.example:thing', 'maven', 'org.example:thing', '1.0.RELEASE'],
      ['Go', 'example.com/mod/v2', 'golang', 'example.com/mod/v2', 'v2.0.1-0.20200101000000-abcdef123456'],
      ['Go', 'stdlib', 'golang', 'stdlib', 'go1.2rc1'],
      ['RubyGems', 'rack', 'gem', 'rack', '1.0.a'],
      ['Packagist', 'vendor/Thing', 'composer', 'Vendor/thing', 'v1.0.0'],
      ['crates.io', 'serde', 'cargo', 'serde', '1.0.0'],
      ['NuGet', 'Newtonsoft.Json', 'nuget', 'newtonsoft.json', '1.0.0.1'],
    ]
    using data = await dataOf(...named.map(([ecosystem, name], at) => record(`X-${at}`, [affected(ecosystem, name, before('3'))])))
    const packages = named.map(([, , type, name, version]) => pkg(type, name, version))
    assert.deepEqual(
      ids(data, packages).toSorted(),
      named.map((_, at) => `X-${at}`),
    )
    assert.deepEqual(
      ids(data, [
        pkg('npm', 'serde', '1.0.0'),
        pkg('golang', 'example.com/mod', 'v1.0.0'),
        pkg('golang', 'stdlib', '(devel)'),
        pkg('npm', '@scope/name', ''),
      ]),
      [],
    )
  })

  it('distributions, by release', async () => {
    const known: readonly (readonly [string, Distribution, Distribution])[] = [
      ['Debian:12', distribution('debian', '12'), distribution('debian', '11')],
      ['Debian:13', distribution('debian', '', 'trixie'), distribution('debian', '12')],
      ['Debian:sid', distribution('debian', '', 'forky'), distribution('debian', '13', 'trixie')],
      ['Ubuntu:22.04:LTS', distribution('ubuntu', '22.04'), distribution('ubuntu', '24.04')],
      ['Ubuntu:24.10', distribution('ubuntu', '24.10'), distribution('ubuntu', '24.04')],
      ['Alpine:v3.19', distribution('alpine', '3.19.1'), distribution('alpine', '3.2.0')],
      ['Alpine:v3.22', distribution('alpine', '3.22_alpha20250108'), distribution('alpine', '3.2.2')],
      ['Wolfi', distribution('wolfi', '20230201'), distribution('alpine', '3.19.1')],
      ['Rocky Linux:9', distribution('rocky', '9.4'), distribution('rocky', '8.9')],
      ['AlmaLinux:8', distribution('almalinux', '8.10'), distribution('rocky', '8.10')],
      ['Red Hat:enterprise_linux:9::baseos', distribution('rhel', '9.4'), distribution('rhel', '8.9')],
      ['SUSE:Linux Enterprise Server 15 SP5', distribution('sles', '15.5'), distribution('sles', '15.6')],
      ['openSUSE:Leap 15.5', distribution('opensuse-leap', '15.5'), distribution('opensuse-tumbleweed', '20240101')],
      ['Azure Linux:3', distribution('azurelinux', '3.0'), distribution('azurelinux', '2.0')],
      ['openEuler:24.03-LTS', distribution('openEuler', '24.03'), distribution('openeuler', '22.03')],
    ]
    for (const [ecosystem, here, elsewhere] of known) {
      using data = await dataOf(record('X-1', [affected(ecosystem, 'source', before('2-1'))]))
      const type = /Debian|Ubuntu/.test(ecosystem) ? 'deb' : /Alpine|Wolfi/.test(ecosystem) ? 'apk' : 'rpm'
      const binary = pkg(type, 'binary', '5-1', { name: 'source', version: '1-1' })
      assert.deepEqual(ids(data, [binary], here), ['X-1'], `${ecosystem} for ${here.id} ${here.version}`)
      assert.deepEqual(ids(data, [binary], elsewhere), [], `${ecosystem} not for ${elsewhere.id} ${elsewhere.version}`)
      assert.deepEqual(ids(data, [{ ...binary, source: { name: 'source', version: '2-1' } }], here), [])
    }
  })

  it('without a release is about every one, and no knowledge of any: who claims a release that nobody has heard of is told so', async () => {
    using data = await dataOf(
      record('ALL', [affected('Debian', 'source', before('2-1'))]),
      record('TWELVE', [affected('Debian:12', 'source', before('2-1'))]),
    )
    const source = pkg('deb', 'source', '1-1')
    const of = (release: string) => data.match([source], distribution('debian', release), now)
    assert.deepEqual(
      of('12')
        .findings.map(({ id }) => id)
        .sort(),
      ['ALL', 'TWELVE'],
    )
    assert.deepEqual([of('12').problems, of('12').dataFrom], [[], Date.UTC(2026, 0, 10)])
    assert.deepEqual(
      of('99').findings.map(({ id }) => id),
      ['ALL'],
    )
    assert.deepEqual(
      [of('99').problems, of('99').dataFrom],
      [['there is no vulnerability data about debian 99, of which there is 1 package'], undefined],
    )
    using rolling = await dataOf(record('X', [affected('Wolfi', 'source', before('2-1'))]))
    assert.deepEqual(rolling.match([pkg('apk', 'source', '1-r0')], distribution('wolfi', '20230201'), now).problems, [])
  })

  it("Debian's and Alpine's data is about sources, others' about either", async () => {
    using data = await dataOf(
      record('D-1', [affected('Debian:12', 'binary', before('9')), affected('Alpine:v3.19', 'binary', before('9'))]),
      record('R-1', [affected('Rocky Linux:9', 'binary', before('9'))]),
    )
    const binary = (type: Package['type']): Package => pkg(type, 'binary', '1-1', { name: 'source', version: '1-1' })
    assert.deepEqual(ids(data, [binary('deb')], distribution('debian', '12')), [])
    assert.deepEqual(ids(data, [binary('apk')], distribution('alpine', '3.19.0')), [])
    assert.deepEqual(ids(data, [binary('rpm')], distribution('rocky', '9.1')), ['R-1'])
  })
})

describe('packages that nobody has installed', () => {
  it('do not fill the memory or take for ever: one package in so many versions, affected or not', async () => {
    const many = Array.from({ length: 300 }, (_, index) => record(`X-${index}`, [affected('npm', 'x', before('2'))]))
    using data = await dataOf(...many)
    const packages = (version: (index: number) => string) => Array.from({ length: 20_000 }, (_, index) => pkg('npm', 'x', version(index)))
    const refused = (why: RegExp) => ({ code: 'corrupt', message: why })
    assert.throws(
      () =>
        data.match(
          packages(index => `1.0.${index}`),
          undefined,
          now,
        ),
      refused(/more than 100000 known vulnerabilities/),
    )
    assert.throws(
      () =>
        data.match(
          packages(index => `3.0.${index}`),
          undefined,
          now,
        ),
      refused(/more than 2000000 comparisons/),
    )
    assert.equal(data.match(packages(index => `1.0.${index}`).slice(0, 300), undefined, now).findings.length, 90_000)
  })
})

describe('what nothing is known about', () => {
  it('is said, for a match that looks at nothing proves nothing', async () => {
    using data = await dataOf(record('X-1', [affected('npm', 'x', before('2'))]))
    const packages = [pkg('npm', 'x', '3.0.0'), pkg('deb', 'a', '1'), pkg('deb', 'b', '1'), pkg('gem', 'c', '1')]
    assert.deepEqual(data.match(packages, distribution('debian', '12'), now), {
      findings: [],
      dataFrom: Date.UTC(2026, 0, 10),
      problems: [
        'there is no vulnerability data about debian 12, of which there are 2 packages',
        'there is no vulnerability data about RubyGems, of which there is 1 package',
      ],
    })
    assert.match(data.match(packages, undefined, now).problems[0] ?? '', /a distribution that is not known \(deb\)/)
  })

  it('is said of an image that calls itself something else, to be looked up elsewhere', async () => {
    using data = await dataOf(
      record('X-1', [affected('npm', 'x', before('2')), affected('Wolfi', 'y', before('2')), affected('Debian:12', 'a', before('2'))]),
    )
    const packages = [pkg('deb', 'a', '1'), pkg('npm', 'x', '1.0.0')]
    for (const order of [packages, packages.toReversed()]) {
      for (const [id, why] of [
        ['npm', 'npm 12'],
        ['wolfi', 'deb packages in wolfi 12'],
        ['alpine', 'deb packages in alpine 12'],
        ['constructor', 'constructor 12'],
        ['__proto__', '__proto__ 12'],
      ] as const) {
        const { findings, problems } = data.match(order, distribution(id, '12'), now)
        assert.deepEqual(
          findings.map(({ package: { name } }) => name),
          ['x'],
          id,
        )
        assert.deepEqual(problems, [`there is no vulnerability data about ${why}, of which there is 1 package`])
      }
    }
    assert.equal(data.match(packages, distribution('debian', '12'), now).findings.length, 2)
  })

  it('is everything where there is no data', () => {
    using data = openVulnerabilities(join(root, 'nothing'))
    const { findings, dataFrom, problems } = data.match([pkg('npm', 'x', '1.0.0')], undefined, now)
    assert.deepEqual([findings, dataFrom, problems.length], [[], undefined, 1])
    assert.deepEqual(data.status(now), {
      path: join(root, 'nothing', 'vulnerabilities.sqlite'),
      records: 0,
      ecosystems: [],
      sources: [],
      newest: undefined,
      age: undefined,
    })
  })

  it('the age is that of the oldest of what was asked for, and never of the future', async () => {
    using data = await dataOf(
      record('X-1', [affected('npm', 'x', before('2'))], { modified: '2026-01-01T00:00:00Z' }),
      record('X-2', [affected('PyPI', 'x', before('2'))], { modified: '2025-06-01T00:00:00Z' }),
      record('X-3', [affected('Go', 'x', before('2'))], { modified: '2999-01-01T00:00:00Z' }),
    )
    const from = (...packages: Package[]): number | undefined => data.match(packages, undefined, now).dataFrom
    assert.equal(from(pkg('npm', 'x', '5.0.0'), pkg('pypi', 'y', '1')), Date.UTC(2025, 5, 1))
    assert.equal(from(pkg('npm', 'x', '5.0.0')), Date.UTC(2026, 0, 1))
    assert.equal(from(pkg('golang', 'x', 'v5.0.0')), now)
    assert.equal(from(), undefined)
    const { newest, age } = data.status(now + day)
    assert.deepEqual([newest, age], [now, day])
  })
})

describe('hostile packages', () => {
  it('have versions and names of any kind, and cost nothing', async () => {
    using data = await dataOf(
      record('X-1', [affected('npm', '__proto__', before('2')), affected('PyPI', 'x', before('2')), affected('Debian:12', 'x', before('2'))]),
    )
    const strange = ['', '\u0000', 'x'.repeat(1_000_000), '1'.repeat(1_000_000), "'; DROP TABLE record; --", '٣', '\ud800']
    const packages = strange.flatMap(text =>
      [pkg('npm', 'x', text), pkg('pypi', 'x', text), pkg('deb', 'x', text)].concat({ ...pkg('npm', 'x', '1'), name: text }),
    )
    const { findings } = data.match(packages, distribution('debian', '12'), now)
    assert.ok(findings.every(({ package: { version } }) => version.length < 100))
    assert.deepEqual(ids(data, [pkg('npm', '__proto__', '1.0.0')]), ['X-1'])
  })
})
