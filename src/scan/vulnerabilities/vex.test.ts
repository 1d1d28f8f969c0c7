import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { VulnerabilityFinding } from '../../model/finding.ts'
import type { Package } from '../../model/package.ts'
import { importVulnerabilities } from './import.ts'
import { imageProduct, vexDocument, vexIndex, vexStatements } from './vex.ts'
import { openVulnerabilities } from './vulnerabilities.ts'

const now = Date.UTC(2026, 0, 15)
const digest = 'ab'.repeat(32)
const image = `pkg:oci/app@sha256:${digest}?repository_url=registry.example/app`
const curl = 'pkg:deb/debian/curl@7.88.1-10?arch=amd64&distro=debian-12'

const document = (...statements: readonly object[]): object => ({
  '@context': 'https://openvex.dev/ns/v0.2.0',
  '@id': 'https://example.com/vex',
  author: 'us',
  timestamp: '2026-01-01T00:00:00Z',
  version: 1,
  statements,
})
const statement = (products: readonly unknown[], more: object = {}): object => ({
  vulnerability: { name: 'CVE-2026-1' },
  products,
  status: 'not_affected',
  justification: 'vulnerable_code_not_in_execute_path',
  ...more,
})
const said = (
  products: readonly unknown[],
  more: object = {},
  names: readonly string[] = ['CVE-2026-1'],
  about: readonly string[] = [image],
): string | undefined => vexIndex(vexStatements(document(statement(products, more))))(names, { purl: curl, products: about }, now)?.status

describe('an OpenVEX statement', () => {
  it('holds for the package that it names, as precisely as it does', () => {
    for (const purl of [curl, 'pkg:deb/debian/curl@7.88.1-10', 'pkg:deb/debian/curl', 'pkg:deb/debian/curl?distro=debian-12']) {
      assert.equal(said([{ '@id': purl }]), 'not_affected', purl)
      assert.equal(said([purl]), 'not_affected', 'as older documents write it')
      assert.equal(said([{ '@id': 'https://example.com/curl', identifiers: { purl } }]), 'not_affected')
    }
    for (const purl of [
      'pkg:deb/debian/curl@7.88.1-11',
      'pkg:deb/ubuntu/curl',
      'pkg:deb/debian/curl?arch=arm64',
      'pkg:npm/curl',
      'pkg:deb/debian/curly',
      'curl',
      'pkg:',
      'pkg:%',
    ])
      assert.equal(said([{ '@id': purl }]), undefined, purl)
  })

  it('holds in the image that it names, for all in it or for the parts it names', () => {
    assert.equal(said([{ '@id': image }]), 'not_affected')
    assert.equal(said([{ '@id': `pkg:oci/app@sha256:${digest}` }]), 'not_affected')
    assert.equal(said([{ '@id': 'x', hashes: { 'sha-256': digest.toUpperCase() } }]), 'not_affected')
    assert.equal(said([{ '@id': 'x', hashes: { 'sha-256': digest } }], {}, undefined, [`sha256:${digest}`]), 'not_affected')
    assert.equal(said([{ '@id': image, subcomponents: [{ '@id': 'pkg:deb/debian/curl' }] }]), 'not_affected')
    assert.equal(said([{ '@id': image, subcomponents: ['pkg:deb/debian/curl'] }]), 'not_affected')
    assert.equal(said([{ '@id': image, subcomponents: [{ '@id': 'pkg:deb/debian/openssl' }] }]), undefined)
    const other = `pkg:oci/app@sha256:${'cd'.repeat(32)}`
    assert.equal(said([{ '@id': other }]), undefined)
    assert.equal(
      said([{ '@id': other, subcomponents: [{ '@id': 'pkg:deb/debian/curl' }] }]),
      undefined,
      'a part of another image says nothing about this one',
    )
    assert.equal(said([{ '@id': image }], {}, undefined, []), undefined)
    assert.equal(said([]), undefined)
  })

  it('is about a vulnerability by any of its names', () => {
    assert.equal(said([curl], { vulnerability: { name: 'GHSA-1', aliases: ['CVE-2026-1'] } }), 'not_affected')
    assert.equal(said([curl], { vulnerability: { '@id': 'https://nvd.nist.gov/vuln/detail/CVE-2026-1' } }), 'not_affected')
    assert.equal(said([curl], { vulnerability: 'CVE-2026-1' }), 'not_affected')
    assert.equal(said([curl], {}, ['CVE-2026-2', 'CVE-2026-1']), 'not_affected')
    assert.equal(said([curl], {}, ['CVE-2026-2']), undefined)
  })

  it('gives way to a newer one, and does not hold before its time', () => {
    const at = (timestamp: string, status: string): object => statement([curl], { timestamp, status })
    const status = (...statements: readonly object[]): string | undefined =>
      vexIndex(vexStatements(document(...statements)))(['CVE-2026-1'], { purl: curl, products: [] }, now)?.status
    const [early, late, future] = [
      at('2026-01-02T00:00:00Z', 'not_affected'),
      at('2026-01-03T00:00:00Z', 'affected'),
      at('2027-01-01T00:00:00Z', 'fixed'),
    ]
    assert.equal(status(early, late, future), 'affected')
    assert.equal(status(late, early), 'affected')
    assert.equal(status(future), undefined)
    assert.equal(status(late, at('2026-01-03T00:00:00Z', 'fixed')), 'fixed', 'of the same time the later one')
  })
})

describe('OpenVEX in and out', () => {
  it('imported statements mark the finding, which stays; the document that is written says the same again', async () => {
    const root = mkdtempSync('/tmp/dayfly-vulnerabilities-')
    try {
      const files = {
        'record.json': {
          id: 'GHSA-1',
          modified: '2026-01-01T00:00:00Z',
          aliases: ['CVE-2026-1'],
          affected: [
            { package: { ecosystem: 'npm', name: 'left' }, ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed: '2.0.0' }] }] },
          ],
        },
        'vex.json': document(statement([{ '@id': image, subcomponents: [{ '@id': 'pkg:npm/left@1.0.0' }] }])),
      }
      const sources = Object.entries(files).map(([name, content]) => {
        writeFileSync(join(root, name), JSON.stringify(content))
        return { location: join(root, name) }
      })
      await importVulnerabilities(join(root, 'data'), sources, { now, signal: new AbortController().signal })
      using data = openVulnerabilities(join(root, 'data'))
      const left: Package = { type: 'npm', name: 'left', version: '1.0.0', purl: 'pkg:npm/left@1.0.0', licenses: [], paths: [] }
      const match = (products: readonly string[], vex = vexStatements(document())): readonly VulnerabilityFinding[] =>
        data.match([left], undefined, now, { products, vex }).findings
      assert.equal(match([])[0]?.vex, undefined)
      const found = match([image])
      assert.deepEqual(
        found.map(({ id, vex }) => [id, vex]),
        [['CVE-2026-1', { status: 'not_affected', justification: 'vulnerable_code_not_in_execute_path' }]],
      )
      const out = vexDocument(found, { author: 'them', product: image, now })
      assert.deepEqual(out['statements'], [
        {
          vulnerability: { name: 'CVE-2026-1', aliases: ['GHSA-1'] },
          products: [{ '@id': image, subcomponents: [{ '@id': 'pkg:npm/left@1.0.0' }] }],
          status: 'not_affected',
          justification: 'vulnerable_code_not_in_execute_path',
        },
      ])
      const again = vexIndex(vexStatements(JSON.parse(JSON.stringify(out))))
      assert.equal(again(['GHSA-1'], { purl: left.purl, products: [image] }, now)?.status, 'not_affected')
      assert.equal(
        match([image], vexStatements(document(statement([left.purl], { status: 'affected', timestamp: '2026-01-05T00:00:00Z' }))))[0]?.vex?.status,
        'affected',
      )
    } finally {
      rmSync(root, { recursive: true, force: true })
    }
  })

  it('what nobody has looked at is under investigation; each status has what the specification wants with it', () => {
    const finding = (status?: 'affected' | 'not_affected' | 'fixed', justification?: string): VulnerabilityFinding => ({
      ...{
        kind: 'vulnerability',
        id: 'CVE-2026-1',
        severity: 'low',
        title: '',
        places: [],
        fingerprint: '0'.repeat(32),
        aliases: [],
        ratings: [],
        fixed: '2',
      },
      package: { purl: 'pkg:npm/left@1', name: 'left', version: '1' },
      ...(status ? { vex: { status, ...(justification === undefined ? {} : { justification }) } } : {}),
    })
    const findings = [finding(), finding('affected'), finding('fixed'), finding('not_affected'), finding('not_affected', 'because')]
    const options = { author: 'us', product: image, now }
    const out = vexDocument(findings, options)
    assert.ok(Array.isArray(out['statements']))
    assert.deepEqual(
      out['statements'].map(({ vulnerability: _vulnerability, products: _products, ...rest }: Record<string, unknown>) => rest),
      [
        { status: 'under_investigation' },
        { status: 'affected', action_statement: 'Update left to 2 or later.' },
        { status: 'fixed' },
        { status: 'not_affected', impact_statement: 'It is not affected.' },
        { status: 'not_affected', impact_statement: 'because' },
      ],
    )
    assert.equal(out['@id'], vexDocument(findings, { ...options, now: now + 1 })['@id'], 'the same says the same')
    assert.notEqual(out['@id'], vexDocument(findings.slice(1), options)['@id'])
  })
})

describe('an image as a product', () => {
  it('is a purl that statements are recognised by, whatever its name', () => {
    assert.equal(imageProduct('registry.example:5000/team/app:1.2', `sha256:${digest}`), `pkg:oci/app@sha256:${digest}`)
    assert.equal(imageProduct(`registry.example/app@sha256:${digest}`, `sha256:${digest}`), `pkg:oci/app@sha256:${digest}`)
    assert.equal(imageProduct('Not a name', `sha256:${digest}`), `sha256:${digest}`)
    const found: VulnerabilityFinding = {
      ...{ kind: 'vulnerability', id: 'CVE-2026-1', severity: 'high', title: 't', places: [], fingerprint: '0'.repeat(32), aliases: [], ratings: [] },
      ...{ package: { purl: 'pkg:npm/left@1.0.0', name: 'left', version: '1.0.0' }, vex: { status: 'fixed' } },
    }
    const out = vexDocument([found], { author: 'us', product: imageProduct('app', `sha256:${digest}`), digest: `sha256:${digest}`, now })
    const index = vexIndex(vexStatements(JSON.parse(JSON.stringify(out))))
    for (const product of [`sha256:${digest}`, image])
      assert.equal(index(['CVE-2026-1'], { purl: 'pkg:npm/left@1.0.0', products: [product] }, now)?.status, 'fixed', product)
    assert.equal(index(['CVE-2026-1'], { purl: 'pkg:npm/left@1.0.0', products: [`sha256:${'0'.repeat(64)}`] }, now), undefined)
  })
})
