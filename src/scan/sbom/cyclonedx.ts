/** CycloneDX 1.6 in JSON (https://cyclonedx.org/docs/1.6/json). */
import type { Distribution, Package } from '../../model/package.ts'
import type { Contents, Part, Stamp, Subject } from './contents.ts'
import { isSystem, partsOf, serialOf, sha256Of } from './contents.ts'
import type { CycloneDxVulnerability } from './cyclonedx-vulnerabilities.ts'
import { vulnerabilitiesOf } from './cyclonedx-vulnerabilities.ts'
import { parseLicenseExpression } from './license-expression.ts'

type License = { license: { id: string } | { name: string } } | { expression: string }

export interface CycloneDxComponent {
  type: 'container' | 'file' | 'operating-system' | 'library' | 'application'
  'bom-ref'?: string
  group?: string
  name: string
  version?: string
  hashes?: { alg: 'SHA-256'; content: string }[]
  licenses?: License[]
  purl?: string
  evidence?: { occurrences: { location: string }[] }
  properties?: { name: string; value: string }[]
}

export interface CycloneDxDocument {
  $schema: string
  bomFormat: 'CycloneDX'
  specVersion: '1.6'
  serialNumber: string
  version: 1
  metadata: { timestamp: string; tools: { components: CycloneDxComponent[] }; component: CycloneDxComponent }
  components: CycloneDxComponent[]
  dependencies: { ref: string; dependsOn: string[] }[]
  compositions: { aggregate: 'complete' | 'incomplete'; assemblies: string[] }[]
  vulnerabilities?: CycloneDxVulnerability[]
}

const subjectRef = 'subject'
const systemRef = 'operating-system'
/** Of versions, by the schema. */
const longestVersion = 1024

const hashes = (digest: string | undefined): Pick<CycloneDxComponent, 'hashes'> => {
  const content = sha256Of(digest)
  return content ? { hashes: [{ alg: 'SHA-256', content }] } : {}
}

/** What an ecosystem writes into a name, CycloneDX has apart: Maven's group, the scope of npm, the vendor of Composer. */
const nameOf = ({ type, name }: Package): Pick<CycloneDxComponent, 'group' | 'name'> => {
  const at = type === 'maven' ? name.indexOf(':') : type === 'npm' || type === 'composer' ? name.indexOf('/') : -1
  return at > 0 && at < name.length - 1 ? { group: name.slice(0, at), name: name.slice(at + 1) } : { name }
}

/** One expression alone, or a list of identifiers and names: the schema allows no mixture. */
export const licensesOf = (declared: readonly string[]): Pick<CycloneDxComponent, 'licenses'> => {
  const texts = [...new Set(declared.map(text => text.trim()))].filter(text => text)
  if (texts.length === 0) return {}
  const parsed = texts.map(text => parseLicenseExpression(text))
  const [only] = parsed
  if (parsed.length === 1 && only && only.shape !== 'id') return { licenses: [{ expression: only.text }] }
  return {
    licenses: texts.map((text, index) => {
      const expression = parsed[index]
      return { license: expression?.shape === 'id' ? { id: expression.text } : { name: expression?.text ?? text } }
    }),
  }
}

const componentOf = ({ package: each, ref }: Part): CycloneDxComponent => ({
  type: 'library',
  'bom-ref': ref,
  ...nameOf(each),
  version: each.version.slice(0, longestVersion),
  ...hashes(each.digest),
  ...licensesOf(each.licenses),
  ...(each.purl.startsWith('pkg:') && { purl: each.purl }),
  ...(each.paths.length > 0 && { evidence: { occurrences: [...each.paths].sort().map(location => ({ location })) } }),
  ...(each.source && { properties: [{ name: 'dayfly:source', value: `${each.source.name} ${each.source.version}` }] }),
})

const subjectOf = (subject: Subject): CycloneDxComponent => ({
  type: subject.kind === 'image' ? 'container' : 'application',
  'bom-ref': subjectRef,
  name: subject.name,
  ...(subject.digest && { version: subject.digest.slice(0, longestVersion) }),
  ...hashes(subject.digest),
})

const systemOf = ({ id, version, codename }: Distribution): CycloneDxComponent => ({
  ...{ type: 'operating-system', 'bom-ref': systemRef, name: id },
  ...(version && { version: version.slice(0, longestVersion) }),
  ...(codename && { properties: [{ name: 'dayfly:codename', value: codename }] }),
})

/** The document as an object for `JSON.stringify`: the same for the same contents and stamp, in whichever order they come. */
export const cyclonedx = (contents: Contents, stamp: Stamp): CycloneDxDocument => {
  const { subject, distribution, complete } = contents
  const parts = partsOf(contents.packages)
  const { vulnerabilities, strangers } = vulnerabilitiesOf(contents.findings ?? [], parts)
  const system = distribution ? parts.filter(part => isSystem(part.package)) : []
  const others = parts.filter(part => !system.includes(part))
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${serialOf(contents, stamp)}`,
    version: 1,
    metadata: {
      timestamp: new Date(stamp.at).toISOString(),
      tools: { components: [{ type: 'application', name: 'dayfly', version: stamp.version }] },
      component: subjectOf(subject),
    },
    components: [...(distribution ? [systemOf(distribution)] : []), ...parts.map(componentOf), ...strangers],
    dependencies: [
      {
        ref: subjectRef,
        dependsOn: [...(distribution ? [systemRef] : []), ...others.map(({ ref }) => ref), ...strangers.map(each => each['bom-ref'])],
      },
      ...(distribution ? [{ ref: systemRef, dependsOn: system.map(({ ref }) => ref) }] : []),
    ],
    compositions: [{ aggregate: complete ? 'complete' : 'incomplete', assemblies: [subjectRef] }],
    ...(contents.findings && { vulnerabilities }),
  }
}
