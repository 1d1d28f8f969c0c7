import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Log } from 'sarif'
import { z } from 'zod'
import type { MisconfigurationFinding, SecretFinding, VulnerabilityFinding } from '../../model/finding.ts'
import { Finding, severities } from '../../model/finding.ts'
import { readBaseline, writeBaseline } from './baseline.ts'
import { ScanDocument, scanDocument } from './json.ts'
import { junit } from './junit.ts'
import type { Report } from './report.ts'
import { byWorst } from './report.ts'
import type { SarifLog } from './sarif.ts'
import { mostResults, sarif } from './sarif.ts'
import { fails, parseThreshold, select } from './selection.ts'
import { table } from './table.ts'

const print = (text: string): string => Buffer.from(text).toString('hex').padStart(32, '0').slice(-32)

const vulnerability = (more: Partial<VulnerabilityFinding> = {}): VulnerabilityFinding => ({
  kind: 'vulnerability',
  id: 'CVE-2023-0464',
  severity: 'high',
  title: 'Excessive resource usage verifying X.509 policy constraints',
  remedy: 'Update openssl to 3.0.9-1 or later.',
  references: ['javascript:alert(1)', 'https://nvd.nist.gov/vuln/detail/CVE-2023-0464'],
  places: [{ path: 'var/lib/dpkg/status', layer: 'sha256:1' }],
  fingerprint: print('v'),
  package: { purl: 'pkg:deb/debian/openssl@3.0.8-1', name: 'openssl', version: '3.0.8-1' },
  fixed: '3.0.9-1',
  aliases: [],
  ratings: [{ version: '3.1', vector: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H', score: 7.5 }],
  ...more,
})
const secret = (more: Partial<SecretFinding> = {}): SecretFinding => ({
  ...{ kind: 'secret', id: 'aws-access-key', severity: 'critical', title: 'AWS access key', places: [{ path: 'src/ä b#.py', line: 7 }] },
  ...{ fingerprint: print('s'), redacted: 'AKIA••••••WXYZ', hash: 'ab', ...more },
})
const misconfiguration = (more: Partial<MisconfigurationFinding> = {}): MisconfigurationFinding => ({
  ...{ kind: 'misconfiguration', id: 'image-root-user', severity: 'medium', title: 'The image runs as root', places: [{ field: 'user' }] },
  ...{ fingerprint: print('m'), ...more },
})

const report = (findings: readonly Finding[], more: Partial<Report> = {}): Report => ({
  target: { kind: 'folder', name: '.', prefix: '', file: '.' },
  ...{ version: '0.1.0', at: Date.parse('2030-01-01T00:00:00Z'), distribution: undefined, packages: [], problems: [], dataFrom: undefined },
  findings: findings.toSorted(byWorst),
  leftOut: { severity: 0, unfixed: 0, vex: 0, baseline: 0 },
  ...more,
})

/** What code scanning asks of a file beyond the standard, and what of the standard is used; nothing else may be there. */
const Text = z.string().min(1).max(1024)
const Level = z.enum(['error', 'warning', 'note'])
const Uri = z.string().regex(/^(file:\/\/\/|(?![a-z][a-z0-9+.-]*:|\/))(?:[A-Za-z0-9._~!$&'()*+,;=@/-]|%[0-9A-F]{2})+$/)
const Sarif = z.strictObject({
  $schema: z.literal('https://json.schemastore.org/sarif-2.1.0.json'),
  version: z.literal('2.1.0'),
  runs: z.tuple([
    z.strictObject({
      tool: z.strictObject({
        driver: z.strictObject({
          name: z.literal('Dayfly'),
          version: Text,
          rules: z.array(
            z.strictObject({
              id: z.string().min(1).max(255),
              name: z.string().min(1).max(255),
              shortDescription: z.strictObject({ text: Text }),
              fullDescription: z.strictObject({ text: Text }),
              help: z.strictObject({ text: z.string().min(1), markdown: z.string().min(1) }),
              helpUri: z.url({ protocol: /^https?$/ }).optional(),
              defaultConfiguration: z.strictObject({ level: Level }),
              properties: z.strictObject({
                tags: z.array(z.string()).min(1).max(10),
                'security-severity': z.string().regex(/^(10\.0|\d\.\d)$/),
                precision: z.enum(['very-high', 'high']),
              }),
            }),
          ),
        }),
      }),
      automationDetails: z.strictObject({ id: z.string().endsWith('/') }),
      invocations: z.tuple([
        z.strictObject({
          executionSuccessful: z.literal(true),
          toolExecutionNotifications: z.array(z.strictObject({ level: Level, message: z.strictObject({ text: z.string().min(1) }) })),
        }),
      ]),
      results: z
        .array(
          z.strictObject({
            ruleId: z.string().min(1).max(255),
            ruleIndex: z.int().min(0),
            level: Level,
            message: z.strictObject({ text: z.string().min(1) }),
            locations: z
              .array(
                z.strictObject({
                  physicalLocation: z.strictObject({
                    artifactLocation: z.strictObject({ uri: Uri, uriBaseId: z.literal('%SRCROOT%').optional() }),
                    region: z.strictObject({ startLine: z.int().min(1) }),
                  }),
                  logicalLocations: z.array(z.strictObject({ fullyQualifiedName: z.string() })).optional(),
                  message: z.strictObject({ text: z.string() }).optional(),
                }),
              )
              .min(1)
              .max(100),
            partialFingerprints: z.strictObject({
              'dayflyFingerprint/v1': z.string().regex(/^[0-9a-f]{32}$/),
              primaryLocationLineHash: z.string().regex(/^[0-9a-f]{32}:1$/),
            }),
          }),
        )
        .max(mostResults),
    }),
  ]),
})

/** The standard's own types are those of something that may be changed. */
type Changeable<T> = { -readonly [K in keyof T]: Changeable<T[K]> }
/** Does not compile where a member that the standard wants is missing, or is of another type than there. */
const fitsStandard: Changeable<SarifLog> extends Log ? true : false = true

const valid = (of: Report) => {
  assert.ok(fitsStandard)
  const log = Sarif.parse(JSON.parse(JSON.stringify(sarif(of))))
  const [run] = log.runs
  const { rules } = run.tool.driver
  assert.equal(new Set(rules.map(({ id }) => id)).size, rules.length, 'a rule is there once')
  for (const { ruleId, ruleIndex } of run.results) assert.equal(rules[ruleIndex]?.id, ruleId)
  return run
}

describe('SARIF', () => {
  it('has a rule for each kind of finding, with its score, and every finding in a file', () => {
    const { results, tool } = valid(report([misconfiguration(), vulnerability(), secret()]))
    assert.deepEqual(
      results.map(({ ruleId, level, locations: [at] }) => [
        ruleId,
        level,
        at?.physicalLocation.artifactLocation.uri,
        at?.physicalLocation.region.startLine,
      ]),
      [
        ['aws-access-key', 'error', 'src/%C3%A4%20b%23.py', 7],
        ['CVE-2023-0464', 'error', 'var/lib/dpkg/status', 1],
        ['image-root-user', 'warning', '.', 1],
      ],
    )
    const cve = tool.driver.rules.find(({ id }) => id === 'CVE-2023-0464')
    assert.equal(cve?.properties['security-severity'], '7.5')
    assert.equal(cve?.helpUri, 'https://nvd.nist.gov/vuln/detail/CVE-2023-0464')
    assert.doesNotMatch(JSON.stringify(tool), /javascript:/)
  })

  it('names files from the working folder, those outside it by their whole path, and an image by its name', () => {
    const uriIn = (prefix: string, file: string, finding: Finding) =>
      valid(report([finding], { target: { kind: 'image', name: 'x', prefix, file } })).results[0]?.locations[0]?.physicalLocation.artifactLocation
    assert.deepEqual(uriIn('sub/', 'sub', secret({ places: [{ path: 'a:b.py' }] })), { uri: 'sub/a%3Ab.py', uriBaseId: '%SRCROOT%' })
    assert.deepEqual(uriIn('/srv/x/', '/srv/x', secret({ places: [{ path: 'a.py' }] })), { uri: 'file:///srv/x/a.py' })
    assert.deepEqual(uriIn('', 'registry.example/app:1', misconfiguration({ places: [] })), {
      uri: 'registry.example/app%3A1',
      uriBaseId: '%SRCROOT%',
    })
  })

  it('holds as many as are kept, the worst, and tells of the rest', () => {
    const many = Array.from({ length: mostResults + 7 }, (_, at) =>
      secret({ fingerprint: print(String(at)), severity: at === 3 ? 'critical' : 'low' }),
    )
    const { results, invocations } = valid(report(many, { problems: ['a.jar cannot be read'] }))
    assert.equal(results.length, mostResults)
    assert.equal(results[0]?.level, 'error')
    assert.deepEqual(
      invocations[0].toolExecutionNotifications.map(({ message }) => message.text),
      ['7 of 5007 findings, the mildest, are not in this file: it holds 5000.', 'The scan is incomplete: a.jar cannot be read'],
    )
  })

  it('is valid and the same whatever the text and order', () => {
    const text = fc.string({ unit: 'binary', maxLength: 2000 })
    const any = fc
      .record({
        id: fc.string({ unit: 'binary', minLength: 1, maxLength: 400 }),
        title: text.map(words => `t${words}`),
        path: text,
        severity: fc.constantFrom(...severities),
      })
      .map(({ id, title, path, severity }) => secret({ id, title, severity, places: [{ path }], fingerprint: print(`${id}${path}`) }))
    fc.assert(
      fc.property(fc.array(any, { maxLength: 8 }), findings => {
        const first = sarif(report(findings))
        for (const { locations } of first.runs[0].results)
          for (const { physicalLocation } of locations) decodeURIComponent(physicalLocation.artifactLocation.uri)
        assert.ok(first.runs[0].tool.driver.rules.every(({ id, fullDescription }) => id.length <= 255 && fullDescription.text.length <= 1024))
        assert.equal(JSON.stringify(first).isWellFormed(), true)
        const distinct = [...new Map(findings.map(each => [each.fingerprint, each])).values()]
        assert.deepEqual(sarif(report(distinct.toReversed())), sarif(report(distinct)))
      }),
      { numRuns: 60 },
    )
  })
})

describe('JUnit', () => {
  it('has what fails as failures, and what does not as passed', () => {
    const xml = junit(
      report([secret(), misconfiguration({ title: 'a "quoted" <title> & more' })], { problems: ['x.rpm is broken'] }),
      ({ kind }) => kind === 'secret',
    )
    assert.match(xml, /<testsuites name="dayfly scan" tests="3" failures="1"/)
    assert.match(
      xml,
      /<testcase name="aws-access-key" classname="secret" file="src\/ä b#\.py" line="7" time="0">\n {6}<failure message="AWS access key: AKIA/,
    )
    assert.match(xml, /<testcase name="image-root-user"[^>]*>\n {6}<system-out>a &quot;quoted&quot; &lt;title&gt; &amp; more/)
    assert.match(xml, /<testcase name="x\.rpm is broken" classname="scan" time="0"><skipped/)
  })
  it('is never empty', () =>
    assert.match(
      junit(report([]), () => true),
      /tests="1" failures="0".*\n.*\n.*<testcase name="nothing was found"/,
    ))
})

describe('JSON', () => {
  it('is by its own schema', () => {
    const document = ScanDocument.parse(
      JSON.parse(
        JSON.stringify(scanDocument(report([secret(), vulnerability()], { dataFrom: 0, distribution: { id: 'debian', version: '12', like: [] } }))),
      ),
    )
    assert.deepEqual(
      [document.summary.critical, document.summary.high, document.complete, document.dataFrom],
      [1, 1, true, '1970-01-01T00:00:00.000Z'],
    )
  })
})

describe('the table', () => {
  const paint = (_: string, text: string): string => text
  const of = (findings: readonly Finding[], more: Partial<Report> = {}, width?: number): string => table(report(findings, more), { width, paint })

  it('has a part for each kind, the worst first, and says what is not shown', () => {
    const text = of([misconfiguration(), vulnerability({ exploited: true }), secret()], {
      leftOut: { severity: 2, unfixed: 0, vex: 1, baseline: 3 },
      problems: ['p'],
    })
    assert.deepEqual(
      text.split('\n').filter(line => /^\d/.test(line)),
      ['1 vulnerability (1 high)', '1 secret (1 critical)', '1 misconfiguration (1 medium)'],
    )
    assert.match(text, /high {6}CVE-2023-0464 {2}openssl {2}3\.0\.8-1 {2}3\.0\.9-1 {2}exploited · Excessive/)
    assert.match(text, /The scan is incomplete:\n {2}p\n/)
    assert.match(text, /\.: 1 critical, 1 high, 1 medium \(not shown: 2 milder, 1 settled by VEX, 3 in the baseline\); 0 packages\n$/)
  })

  it('is no wider than the terminal, where its last column has room', () => {
    const text = of([secret({ title: 'long '.repeat(60), places: [{ path: 'p/'.repeat(100) }] })], {}, 120)
    assert.ok(
      text.split('\n').every(line => [...line].length <= 120),
      text,
    )
    assert.match(of([secret({ title: 'long '.repeat(60) })]), /(long ){59}long/)
  })

  it('steers no terminal', () => {
    const text = of([secret({ title: '\u001b[2Jx\u202e\n', places: [{ path: 'a\u001b]0;b' }] })], {
      target: { kind: 'image', name: '\u001b[0m', prefix: '', file: '' },
    })
    // biome-ignore lint/suspicious/noControlCharactersInRegex: finding none is the point
    assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u202a-\u202e]/)
  })
})

describe('what counts', () => {
  const all = [
    secret(),
    vulnerability({ fingerprint: print('1'), vex: { status: 'not_affected' } }),
    vulnerability({ fingerprint: print('2'), vex: { status: 'under_investigation' } }),
    { ...vulnerability({ fingerprint: print('3') }), fixed: undefined },
    misconfiguration(),
  ].map(finding => Finding.parse(JSON.parse(JSON.stringify(finding))))

  it('is not what VEX settles, nor what nothing fixes if that is asked for, nor what is known', () => {
    const none = { severity: 'unknown', ignoreUnfixed: false, baseline: new Set<string>() } as const
    assert.deepEqual(select(all, none).leftOut, { severity: 0, unfixed: 0, vex: 1, baseline: 0 })
    const chosen = select(all, { severity: 'high', ignoreUnfixed: true, baseline: new Set([print('s')]) })
    assert.deepEqual(chosen.leftOut, { severity: 1, unfixed: 1, vex: 1, baseline: 1 })
    assert.deepEqual(
      chosen.shown.map(({ fingerprint }) => fingerprint),
      [print('2')],
    )
    assert.equal(chosen.counting.length, 2, 'what is too mild to be shown may fail all the same')
  })

  it('fails by severity and kind', () => {
    const thresholds = [parseThreshold('high,secret', '--fail-on'), parseThreshold('Critical', '--fail-on')]
    assert.deepEqual(
      [secret(), vulnerability(), vulnerability({ severity: 'critical' }), secret({ severity: 'low' })].map(finding => fails(thresholds, finding)),
      [true, false, true, false],
    )
    assert.equal(fails([], secret()), false)
    for (const text of ['hihg', 'high,', 'high,secrets', 'high,secret,x', ''])
      assert.throws(() => parseThreshold(text, '--fail-on'), { code: 'invalid', field: '--fail-on' })
  })

  it('is what a baseline does not know, whatever its line', () => {
    const text = writeBaseline([secret(), vulnerability(), secret()])
    assert.deepEqual(readBaseline(text, 'b.json'), new Set([print('s'), print('v')]))
    assert.equal(text.split('\n').filter(line => line.includes('fingerprint')).length, 2)
    assert.equal(writeBaseline([vulnerability(), secret({ places: [{ path: 'src/ä b#.py', line: 99 }] })]), text)
    assert.deepEqual(readBaseline(writeBaseline([]), 'b.json'), new Set())
    for (const [bad, why] of [
      ['{', /no JSON/],
      ['{"schemaVersion":2,"findings":[]}', /schemaVersion/],
      ['{"schemaVersion":1,"findings":[{"fingerprint":"x","id":"","kind":"secret","place":""}]}', /findings\.0\.fingerprint/],
    ] as const)
      assert.throws(() => readBaseline(bad, 'b.json'), { code: 'invalid', field: '--baseline', message: why })
  })
})
