/** Contents for SBOM tests: real ones, and any that there could be. */
import fc from 'fast-check'
import type { VulnerabilityFinding } from '../../src/model/finding.ts'
import type { Package } from '../../src/model/package.ts'
import { packageTypes } from '../../src/model/package.ts'
import type { Contents } from '../../src/scan/sbom/contents.ts'

export const digest = 'sha256:4c1c50d0ffc614f90b93b07d778028dc765548e823f676fb027f61d281ac380d'

export const packages: readonly Package[] = [
  {
    type: 'deb',
    name: 'libssl3',
    version: '3.0.11-1~deb12u2',
    purl: 'pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64&distro=debian-12&upstream=openssl',
    source: { name: 'openssl', version: '3.0.11-1~deb12u2' },
    architecture: 'amd64',
    licenses: [],
    paths: ['var/lib/dpkg/status'],
  },
  {
    type: 'npm',
    name: '@scope/name',
    version: '1.0.0',
    purl: 'pkg:npm/%40scope/name@1.0.0',
    licenses: ['mit'],
    paths: ['app/node_modules/@scope/name/package.json'],
    digest: 'a'.repeat(64),
  },
  {
    type: 'npm',
    name: '@scope/name',
    version: '1.0.0',
    purl: 'pkg:npm/%40scope/name@1.0.0',
    licenses: ['(MIT or Apache-2.0)'],
    paths: ['other/node_modules/@scope/name/package.json'],
  },
  { type: 'maven', name: 'org.a:b', version: '2', purl: 'pkg:maven/org.a/b@2', licenses: ['Apache License, Version 2.0', 'MIT'], paths: ['app.jar'] },
]

export const finding: VulnerabilityFinding = {
  kind: 'vulnerability',
  id: 'CVE-2023-5678',
  severity: 'medium',
  title: 'Generating excessively long X9.42 DH keys is slow',
  remedy: 'Update libssl3 to 3.0.13-1~deb12u1.',
  references: ['https://www.openssl.org/news/secadv/20231106.txt', 'javascript:alert(1)'],
  places: [],
  fingerprint: '0'.repeat(32),
  package: { purl: packages[0]?.purl ?? '', name: 'libssl3', version: '3.0.11-1~deb12u2' },
  fixed: '3.0.13-1~deb12u1',
  aliases: ['GHSA-aaaa-bbbb-cccc', 'DSA-1-1'],
  ratings: [{ version: '3.1', vector: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L', score: 5.3 }],
  epss: 0.00085,
  exploited: false,
  publishedAt: Date.UTC(2023, 10, 6),
  vex: { status: 'not_affected', justification: 'vulnerable_code_not_in_execute_path' },
}

export const image: Contents = {
  subject: { kind: 'image', name: 'registry.example/shop/web:1.4', digest },
  distribution: { id: 'debian', version: '12', codename: 'bookworm', like: [] },
  packages,
  complete: true,
  findings: [finding],
}

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('', 'NONE', 'NOASSERTION', 'a b', '\u2028', '\ud800', 'x'.repeat(3000)),
)
const license = fc.oneof(
  text,
  fc.constantFrom('MIT', 'GPL-2.0+', 'MIT OR Apache-2.0', 'GPL-2.0-only WITH Classpath-exception-2.0', '(((', 'Public Domain'),
)
const purl = fc.oneof(
  text,
  text.map(name => `pkg:npm/${encodeURIComponent(name.toWellFormed()) || 'x'}@1`),
  fc.constantFrom('pkg:npm/same@1'),
)

const anyPackage: fc.Arbitrary<Package> = fc.record(
  {
    type: fc.constantFrom(...packageTypes),
    name: text,
    version: text,
    purl,
    source: fc.record({ name: text, version: text }),
    architecture: text,
    licenses: fc.array(license, { maxLength: 4 }),
    paths: fc.array(text, { maxLength: 3 }),
    digest: fc.oneof(text, fc.constant('b'.repeat(64))),
  },
  { requiredKeys: ['type', 'name', 'version', 'purl', 'licenses', 'paths'] },
)

const anyFinding: fc.Arbitrary<VulnerabilityFinding> = fc.record(
  {
    kind: fc.constant('vulnerability'),
    id: fc.oneof(text, fc.constantFrom('CVE-2024-1', 'GHSA-1')),
    severity: fc.constantFrom('unknown', 'negligible', 'low', 'medium', 'high', 'critical'),
    title: text,
    remedy: text,
    references: fc.array(fc.oneof(text, fc.webUrl()), { maxLength: 3 }),
    places: fc.constant([]),
    fingerprint: fc.constant('0'.repeat(32)),
    package: fc.record({ purl, name: text, version: text }),
    fixed: text,
    aliases: fc.array(text, { maxLength: 3 }),
    ratings: fc.array(
      fc.record({ version: fc.constantFrom('2.0', '3.0', '3.1', '4.0'), vector: text, score: fc.double({ min: 0, max: 10, noNaN: true }) }),
      { maxLength: 2 },
    ),
    epss: fc.double({ min: 0, max: 1, noNaN: true }),
    exploited: fc.boolean(),
    publishedAt: fc.oneof(fc.nat(), fc.double()),
    vex: fc.record(
      {
        status: fc.constantFrom('not_affected', 'affected', 'fixed', 'under_investigation'),
        justification: fc.oneof(text, fc.constantFrom('component_not_present')),
      },
      { requiredKeys: ['status'] },
    ),
  },
  { requiredKeys: ['kind', 'id', 'severity', 'title', 'places', 'fingerprint', 'package', 'aliases', 'ratings'] },
)

export const anyContents: fc.Arbitrary<Contents> = fc.record(
  {
    subject: fc.record(
      { kind: fc.constantFrom('image', 'folder'), name: text, digest: fc.oneof(text, fc.constant(digest)) },
      { requiredKeys: ['kind', 'name'] },
    ),
    distribution: fc.record({ id: text, version: text, codename: text, like: fc.constant([]) }, { requiredKeys: ['id', 'version', 'like'] }),
    packages: fc.array(anyPackage, { maxLength: 12 }),
    complete: fc.boolean(),
    findings: fc.array(anyFinding, { maxLength: 6 }),
  },
  { requiredKeys: ['subject', 'packages', 'complete'] },
)
