import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { Ajv } from 'ajv'
import fc from 'fast-check'
import { anyContents, digest, finding, image, packages } from '../../../test/scan/sbom.ts'
import type { CycloneDxDocument } from './cyclonedx.ts'
import { cyclonedx } from './cyclonedx.ts'
import { exceptionIds, licenseIds } from './license-ids.ts'

const library = dirname(createRequire(import.meta.url).resolve('@cyclonedx/cyclonedx-library/package.json'))
const schema = (name: string) => JSON.parse(readFileSync(join(library, 'res/schema', `${name}.SNAPSHOT.schema.json`), 'utf8'))

const ajv = new Ajv({ strict: false, allErrors: false })
ajv.addFormat('date-time', (text: string) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(text) && !Number.isNaN(Date.parse(text)))
ajv.addFormat('iri-reference', (text: string) => URL.canParse(text, 'http://example.org'))
for (const unused of ['email', 'idn-email', 'uri']) ajv.addFormat(unused, true)
// The library refers to its copies by the names of their files.
for (const name of ['spdx', 'jsf-0.82']) ajv.addSchema(schema(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`)
const validate = ajv.compile(schema('bom-1.6'))

const stamp = { at: Date.UTC(2026, 10, 23, 12, 30, 1, 250), version: '0.1.0' }

/** By the schema, and by what it cannot say: every reference is that of one component. */
const assertValid = (document: CycloneDxDocument): void => {
  const written = JSON.parse(JSON.stringify(document))
  assert.ok(validate(written), JSON.stringify(validate.errors))
  const refs = [document.metadata.component, ...document.components].map(component => component['bom-ref'])
  assert.equal(new Set(refs).size, refs.length, 'references are unique')
  const used = [
    ...document.dependencies.flatMap(({ ref, dependsOn }) => [ref, ...dependsOn]),
    ...document.compositions.flatMap(({ assemblies }) => assemblies),
    ...(document.vulnerabilities ?? []).flatMap(({ affects }) => affects.map(({ ref }) => ref)),
  ]
  for (const ref of used) assert.ok(refs.includes(ref), ref)
  const reached = document.dependencies.flatMap(({ dependsOn }) => dependsOn)
  assert.deepEqual([...reached].sort(), document.components.map(component => component['bom-ref']).sort(), 'every component hangs on something')
}

describe('CycloneDX', () => {
  it('of an image is valid and says what was found', () => {
    const document = cyclonedx(image, stamp)
    assertValid(document)
    assert.match(document.serialNumber, /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    assert.equal(document.metadata.timestamp, '2026-11-23T12:30:01.250Z')
    assert.deepEqual(document.metadata.component, {
      ...{ type: 'container', 'bom-ref': 'subject', name: 'registry.example/shop/web:1.4', version: digest },
      hashes: [{ alg: 'SHA-256', content: digest.slice(7) }],
    })
    const [system, ssl, maven, ...twice] = document.components
    assert.deepEqual([system?.type, system?.name, system?.version], ['operating-system', 'debian', '12'])
    assert.deepEqual(ssl?.properties, [{ name: 'dayfly:source', value: 'openssl 3.0.11-1~deb12u2' }])
    assert.equal(ssl?.['bom-ref'], packages[0]?.purl)
    assert.deepEqual([maven?.group, maven?.name], ['org.a', 'b'])
    assert.deepEqual(maven?.licenses, [{ license: { name: 'Apache License, Version 2.0' } }, { license: { id: 'MIT' } }])
    assert.deepEqual(
      twice.map(({ group, name, licenses }) => ({ group, name, licenses })),
      [
        { group: '@scope', name: 'name', licenses: [{ license: { id: 'MIT' } }] },
        { group: '@scope', name: 'name', licenses: [{ expression: 'MIT OR Apache-2.0' }] },
      ],
    )
    assert.deepEqual(document.dependencies[1], { ref: 'operating-system', dependsOn: [packages[0]?.purl] })
    assert.deepEqual(document.compositions[0]?.aggregate, 'complete')
    const [vulnerability] = document.vulnerabilities ?? []
    assert.deepEqual(vulnerability?.affects, [{ ref: packages[0]?.purl, versions: [{ version: '3.0.11-1~deb12u2', status: 'unaffected' }] }])
    assert.deepEqual(vulnerability?.analysis, { state: 'not_affected', justification: 'code_not_reachable' })
    assert.deepEqual(vulnerability?.advisories, [{ url: 'https://www.openssl.org/news/secadv/20231106.txt' }])
    assert.equal(vulnerability?.published, '2023-11-06T00:00:00.000Z')
  })

  it('puts the packages with one vulnerability together, and those of which something else is said apart', () => {
    const { vex: _, ...affected } = finding
    const other = { purl: 'pkg:maven/org.a/b@2', name: 'org.a:b', version: '2' }
    const document = cyclonedx({ ...image, findings: [finding, affected, { ...affected, package: other }] }, stamp)
    assertValid(document)
    assert.deepEqual(document.vulnerabilities?.map(({ affects }) => affects.length).sort(), [1, 2])
  })

  it('without findings has no place for them, and of a folder no operating system', () => {
    const { findings: _, distribution: __, ...rest } = image
    const document = cyclonedx({ ...rest, subject: { kind: 'folder', name: 'app' }, complete: false }, stamp)
    assertValid(document)
    assert.ok(!('vulnerabilities' in document))
    assert.equal(document.compositions[0]?.aggregate, 'incomplete')
    assert.ok(document.components.every(({ type }) => type === 'library'))
  })

  it('has the serial number of the subject, or the one that it is told', () => {
    const other = { ...image, packages: [] }
    assert.equal(cyclonedx(image, stamp).serialNumber, cyclonedx(other, { ...stamp, at: 0 }).serialNumber)
    assert.notEqual(
      cyclonedx(image, stamp).serialNumber,
      cyclonedx({ ...image, subject: { ...image.subject, digest: `sha256:${'0'.repeat(64)}` } }, stamp).serialNumber,
    )
    const serial = '3e671687-395b-41f5-a30f-a58921a69b79'
    assert.equal(cyclonedx(image, { ...stamp, serial }).serialNumber, `urn:uuid:${serial}`)
    assert.throws(() => cyclonedx(image, { ...stamp, serial: 'x' }), { code: 'invalid', field: 'serial' })
  })

  it('is valid whatever was found, and the same in any order', () => {
    fc.assert(
      fc.property(anyContents, contents => {
        const document = cyclonedx(contents, stamp)
        assertValid(document)
        const turned = {
          ...contents,
          packages: contents.packages.toReversed(),
          ...(contents.findings && { findings: contents.findings.toReversed() }),
        }
        assert.deepEqual(cyclonedx(turned, stamp), document)
      }),
      { numRuns: 300 },
    )
  })

  it('that is not valid is seen by the schema as it is used here', () => {
    const document = cyclonedx(image, stamp)
    const [, ssl] = document.components
    assert.ok(ssl)
    for (const wrong of [
      { ...document, serialNumber: 'x' },
      { ...document, specVersion: '1.5', surplus: 1 },
      { ...document, components: [{ ...ssl, licenses: [{ license: { id: 'GPLv2' } }] }] },
      { ...document, components: [{ ...ssl, hashes: [{ alg: 'SHA-256', content: 'x' }] }] },
      { ...document, metadata: { ...document.metadata, timestamp: 'yesterday' } },
    ])
      assert.equal(validate(JSON.parse(JSON.stringify(wrong))), false)
  })

  it('knows the licenses of the schema, no more and no fewer', () => {
    const known: unknown = schema('spdx').enum
    assert.deepEqual([...licenseIds, ...exceptionIds].sort(), Array.isArray(known) ? known.toSorted() : undefined)
  })
})
