import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { Ajv } from 'ajv'
import fc from 'fast-check'
import { fixture } from '../../../test/fixtures.ts'
import { anyContents, digest, image, packages } from '../../../test/scan/sbom.ts'
import { parseLicenseExpression } from './license-expression.ts'
import type { SpdxDocument } from './spdx.ts'
import { spdx } from './spdx.ts'

const stamp = { at: Date.UTC(2026, 10, 23, 12, 30, 1, 250), version: '0.1.0' }

/** What the specification says of the fields that are used here (clauses 6, 7, 10 and 11). */
const assertValid = (document: SpdxDocument): void => {
  const written: SpdxDocument = JSON.parse(JSON.stringify(document))
  assert.deepEqual(written, document, 'nothing is lost in JSON')
  assert.match(document.creationInfo.created, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  assert.match(document.documentNamespace, /^https:\/\/[^#]+$/)
  assert.match(document.creationInfo.creators.join('\n'), /^Tool: [^\s]+$/)
  const ids = [document.SPDXID, ...document.packages.map(({ SPDXID }) => SPDXID)]
  assert.equal(new Set(ids).size, ids.length, 'ids are unique')
  for (const id of ids) assert.match(id, /^SPDXRef-[A-Za-z0-9.-]+$/)
  for (const { spdxElementId, relatedSpdxElement } of document.relationships)
    assert.ok(ids.includes(spdxElementId) && ids.includes(relatedSpdxElement))
  const held = document.relationships.map(({ relatedSpdxElement }) => relatedSpdxElement)
  assert.deepEqual([...held].sort(), ids.slice(1).sort(), 'everything is described or contained, once')
  const extracted = (document.hasExtractedLicensingInfos ?? []).map(({ licenseId }) => licenseId)
  assert.equal(new Set(extracted).size, extracted.length)
  const used = new Set<string>()
  for (const { name, versionInfo, licenseDeclared, checksums, externalRefs } of document.packages) {
    assert.match(name, /^[^\p{Cc}]+$/u)
    if (versionInfo !== undefined) assert.match(versionInfo, /^[^\p{Cc}]+$/u)
    for (const { checksumValue } of checksums ?? []) assert.match(checksumValue, /^[0-9a-f]{64}$/)
    for (const { referenceLocator } of externalRefs ?? []) assert.match(referenceLocator, /^pkg:\S*$/)
    if (licenseDeclared === 'NOASSERTION') continue
    const listed = licenseDeclared.replace(/LicenseRef-[0-9a-f]+/g, id => {
      used.add(id)
      return 'MIT'
    })
    assert.ok(parseLicenseExpression(listed), licenseDeclared)
  }
  assert.deepEqual([...used].sort(), extracted.toSorted(), 'each name of the document is explained')
}

describe('SPDX', () => {
  it('of an image is valid and says what was found', () => {
    const document = spdx(image, stamp)
    assertValid(document)
    assert.equal(document.creationInfo.created, '2026-11-23T12:30:01Z')
    const [subject, system, ssl, maven, first, second] = document.packages
    assert.deepEqual([subject?.primaryPackagePurpose, subject?.versionInfo], ['CONTAINER', digest])
    assert.deepEqual(subject?.checksums, [{ algorithm: 'SHA256', checksumValue: digest.slice(7) }])
    assert.deepEqual([system?.primaryPackagePurpose, system?.name, system?.versionInfo], ['OPERATING_SYSTEM', 'debian', '12'])
    assert.deepEqual(ssl?.externalRefs, [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: packages[0]?.purl }])
    assert.deepEqual([ssl?.sourceInfo, ssl?.licenseDeclared], ['built from openssl 3.0.11-1~deb12u2', 'NOASSERTION'])
    assert.match(maven?.licenseDeclared ?? '', /^LicenseRef-[0-9a-f]{16} AND MIT$/)
    assert.deepEqual([first?.licenseDeclared, second?.licenseDeclared].sort(), ['MIT', 'MIT OR Apache-2.0'])
    assert.deepEqual(
      document.hasExtractedLicensingInfos?.map(({ extractedText }) => extractedText),
      ['Apache License, Version 2.0'],
    )
    assert.ok(
      document.relationships.some(({ spdxElementId, relatedSpdxElement }) => spdxElementId === system?.SPDXID && relatedSpdxElement === ssl?.SPDXID),
    )
  })

  it('says when something could not be read', () => {
    assert.equal(spdx(image, stamp).comment, undefined)
    assert.match(spdx({ ...image, complete: false }, stamp).comment ?? '', /packages may be missing/)
  })

  it('is valid whatever was found, and the same in any order', () => {
    fc.assert(
      fc.property(anyContents, contents => {
        const document = spdx(contents, stamp)
        assertValid(document)
        assert.deepEqual(spdx({ ...contents, packages: contents.packages.toReversed() }, stamp), document)
      }),
      { numRuns: 300 },
    )
  })

  const { path, skip } = fixture('spdx')
  const schemaPath = join(path, 'spdx-schema-2.3.json')
  it('is valid by the schema', { skip: skip || (existsSync(schemaPath) ? false : `there is no ${schemaPath}`) }, () => {
    const validate = new Ajv({ strict: false }).compile(JSON.parse(readFileSync(schemaPath, 'utf8')))
    assert.equal(validate({ ...spdx(image, stamp), SPDXID: 1 }), false)
    fc.assert(
      fc.property(fc.oneof(fc.constant(image), anyContents), contents => {
        assert.ok(validate(JSON.parse(JSON.stringify(spdx(contents, stamp)))), JSON.stringify(validate.errors))
      }),
    )
  })

  const tools = spawnSync('pyspdxtools', ['--help'], { stdio: 'ignore' }).status === 0
  it('is valid for the tools of SPDX', { skip: tools ? false : 'pyspdxtools is not installed: pip install spdx-tools' }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'dayfly-spdx-'))
    try {
      const samples = [image, ...fc.sample(anyContents, { numRuns: 12, seed: 4 })]
      for (const [index, contents] of samples.entries()) {
        const file = join(folder, `${index}.spdx.json`)
        writeFileSync(file, JSON.stringify(spdx(contents, stamp)))
        const said = spawnSync('pyspdxtools', ['--infile', file], { encoding: 'utf8', timeout: 120_000 })
        assert.equal(said.status, 0, `${said.stdout}${said.stderr}`)
      }
      assert.throws(() => {
        const file = join(folder, 'wrong.spdx.json')
        writeFileSync(file, JSON.stringify({ ...spdx(image, stamp), documentNamespace: 'x' }))
        execFileSync('pyspdxtools', ['--infile', file], { stdio: 'ignore' })
      })
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
