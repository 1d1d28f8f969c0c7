/** SPDX 2.3 in JSON (https://spdx.github.io/spdx-spec/v2.3). */
import type { Distribution } from '../../model/package.ts'
import type { Contents, Part, Stamp, Subject } from './contents.ts'
import { isoSecond, isSystem, partsOf, serialOf, sha256Of, shortHash } from './contents.ts'
import { parseLicenseExpression } from './license-expression.ts'

export interface SpdxPackage {
  SPDXID: string
  name: string
  versionInfo?: string
  downloadLocation: 'NOASSERTION'
  filesAnalyzed: false
  licenseConcluded: 'NOASSERTION'
  licenseDeclared: string
  copyrightText: 'NOASSERTION'
  primaryPackagePurpose: 'CONTAINER' | 'APPLICATION' | 'OPERATING_SYSTEM' | 'LIBRARY'
  checksums?: { algorithm: 'SHA256'; checksumValue: string }[]
  externalRefs?: { referenceCategory: 'PACKAGE-MANAGER'; referenceType: 'purl'; referenceLocator: string }[]
  sourceInfo?: string
}

export interface SpdxDocument {
  spdxVersion: 'SPDX-2.3'
  dataLicense: 'CC0-1.0'
  SPDXID: 'SPDXRef-DOCUMENT'
  name: string
  documentNamespace: string
  creationInfo: { created: string; creators: string[]; licenseListVersion: '3.29' }
  comment?: string
  packages: SpdxPackage[]
  relationships: { spdxElementId: string; relationshipType: 'DESCRIBES' | 'CONTAINS'; relatedSpdxElement: string }[]
  hasExtractedLicensingInfos?: { licenseId: string; name: string; extractedText: string }[]
}

const subjectId = 'SPDXRef-Subject'
const systemId = 'SPDXRef-OperatingSystem'

const nothingSaid: Pick<SpdxPackage, 'downloadLocation' | 'filesAnalyzed' | 'licenseConcluded' | 'licenseDeclared' | 'copyrightText'> = {
  downloadLocation: 'NOASSERTION',
  filesAnalyzed: false,
  licenseConcluded: 'NOASSERTION',
  licenseDeclared: 'NOASSERTION',
  copyrightText: 'NOASSERTION',
}

/** A line of text, for fields that have one line each in SPDX's other formats. */
const line = (text: string): string =>
  text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()

const versionInfo = (text: string | undefined): Pick<SpdxPackage, 'versionInfo'> => {
  const version = line(text ?? '')
  return version ? { versionInfo: version } : {}
}

const checksums = (digest: string | undefined): Pick<SpdxPackage, 'checksums'> => {
  const checksumValue = sha256Of(digest)
  return checksumValue ? { checksums: [{ algorithm: 'SHA256', checksumValue }] } : {}
}

/** What is declared as one expression. What the license list does not know gets a name of this document, and its text there. */
const declared = (texts: readonly string[], extracted: Map<string, string>): string => {
  const parts = [...new Set(texts.map(line))]
    .filter(text => text && text !== 'NOASSERTION' && text !== 'NONE')
    .map(text => {
      const expression = parseLicenseExpression(text)
      if (expression) return expression
      const id = `LicenseRef-${shortHash(text)}`
      extracted.set(id, text)
      return { text: id, shape: 'other' } as const
    })
  if (parts.length === 0) return 'NOASSERTION'
  return parts.map(({ text, shape }) => (shape === 'compound' && parts.length > 1 ? `(${text})` : text)).join(' AND ')
}

const packageOf = ({ package: each, ref }: Part, extracted: Map<string, string>): SpdxPackage => ({
  ...nothingSaid,
  SPDXID: `SPDXRef-Package-${shortHash(ref)}`,
  name: line(each.name) || 'NOASSERTION',
  ...versionInfo(each.version),
  licenseDeclared: declared(each.licenses, extracted),
  primaryPackagePurpose: 'LIBRARY',
  ...checksums(each.digest),
  ...(each.purl.startsWith('pkg:') && {
    externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: line(each.purl).replaceAll(' ', '%20') }],
  }),
  ...(each.source && { sourceInfo: line(`built from ${each.source.name} ${each.source.version}`) }),
})

const subjectOf = (subject: Subject): SpdxPackage => ({
  ...nothingSaid,
  SPDXID: subjectId,
  name: line(subject.name) || 'NOASSERTION',
  ...versionInfo(subject.digest),
  primaryPackagePurpose: subject.kind === 'image' ? 'CONTAINER' : 'APPLICATION',
  ...checksums(subject.digest),
})

const systemOf = ({ id, version }: Distribution): SpdxPackage => ({
  ...nothingSaid,
  SPDXID: systemId,
  name: line(id) || 'NOASSERTION',
  ...versionInfo(version),
  primaryPackagePurpose: 'OPERATING_SYSTEM',
})

/** The document as an object for `JSON.stringify`: the same for the same contents and stamp, in whichever order they come. It has no vulnerabilities. */
export const spdx = (contents: Contents, stamp: Stamp): SpdxDocument => {
  const { subject, distribution, complete } = contents
  const parts = partsOf(contents.packages)
  const extracted = new Map<string, string>()
  const packages = parts.map(part => packageOf(part, extracted))
  const contains = (outer: string, inner: string) => ({ spdxElementId: outer, relationshipType: 'CONTAINS', relatedSpdxElement: inner }) as const
  const infos = [...extracted].sort(([left], [right]) => (left < right ? -1 : 1))
  return {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: line(subject.name) || 'NOASSERTION',
    documentNamespace: `https://spdx.org/spdxdocs/dayfly-${serialOf(contents, stamp)}`,
    creationInfo: { created: isoSecond(stamp.at), creators: [`Tool: dayfly-${line(stamp.version)}`], licenseListVersion: '3.29' },
    ...(!complete && { comment: 'Not everything could be read: packages may be missing.' }),
    packages: [subjectOf(subject), ...(distribution ? [systemOf(distribution)] : []), ...packages],
    relationships: [
      { spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES', relatedSpdxElement: subjectId },
      ...(distribution ? [contains(subjectId, systemId)] : []),
      ...parts.map((part, index) => contains(distribution && isSystem(part.package) ? systemId : subjectId, packages[index]?.SPDXID ?? subjectId)),
    ],
    ...(infos.length > 0 && { hasExtractedLicensingInfos: infos.map(([licenseId, text]) => ({ licenseId, name: text, extractedText: text })) }),
  }
}
