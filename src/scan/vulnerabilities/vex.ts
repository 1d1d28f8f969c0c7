/**
 * OpenVEX (https://github.com/openvex/spec): what somebody says about a vulnerability in a product. A statement holds for a package when its product is
 * that package, or an image it is in and the package is among its subcomponents, if it names any. Of several the newest counts.
 */
import { createHash } from 'node:crypto'
import { PackageURL } from 'packageurl-js'
import { z } from 'zod'
import type { VulnerabilityFinding } from '../../model/finding.ts'

const mostStatements = 100_000
const text = z.string().max(4_000)
const Component = z.union([
  text.transform(id => ({ '@id': id, identifiers: undefined, hashes: undefined })),
  z.object({
    '@id': text.optional(),
    identifiers: z.object({ purl: text.optional() }).optional(),
    hashes: z.object({ 'sha-256': text.optional() }).optional(),
  }),
])
const Product = z.union([
  text.transform(id => ({ '@id': id, identifiers: undefined, hashes: undefined, subcomponents: undefined })),
  z.object({
    '@id': text.optional(),
    identifiers: z.object({ purl: text.optional() }).optional(),
    hashes: z.object({ 'sha-256': text.optional() }).optional(),
    subcomponents: z.array(Component).max(10_000).optional(),
  }),
])
const Vulnerability = z.union([
  text.transform(name => ({ name, '@id': undefined, aliases: undefined })),
  z.object({ name: text.optional(), '@id': text.optional(), aliases: z.array(text).max(1_000).optional() }),
])
const VexDocument = z.object({
  '@context': text.refine(context => context.startsWith('https://openvex.dev/ns'), 'it is not of OpenVEX'),
  timestamp: text,
  last_updated: text.optional(),
  statements: z
    .array(
      z.object({
        vulnerability: Vulnerability,
        products: z.array(Product).max(10_000).optional(),
        status: z.enum(['not_affected', 'affected', 'fixed', 'under_investigation']),
        justification: text.optional(),
        impact_statement: text.optional(),
        timestamp: text.optional(),
        last_updated: text.optional(),
      }),
    )
    .max(mostStatements),
})

type Identified = z.infer<typeof Component>
export type VexStatus = NonNullable<VulnerabilityFinding['vex']>['status']

interface Reference {
  readonly purls: readonly PackageURL[]
  /** Hex SHA-256. */
  readonly digest: string | undefined
}

export interface VexStatement {
  readonly vulnerabilities: readonly string[]
  readonly products: readonly { readonly itself: Reference; readonly parts: readonly Reference[] }[]
  readonly status: VexStatus
  readonly justification: string | undefined
  /** Wall ms. */
  readonly since: number
}

const purlOf = (text: string | undefined): PackageURL | undefined => {
  if (!text?.startsWith('pkg:')) return undefined
  try {
    return PackageURL.fromString(text)
  } catch {
    return undefined
  }
}

const referenceOf = (component: Identified): Reference => ({
  purls: [purlOf(component['@id']), purlOf(component.identifiers?.purl)].filter(purl => purl !== undefined),
  digest: component.hashes?.['sha-256']?.toLowerCase(),
})

const nameOf = (id: string | undefined): string | undefined => id?.slice(id.lastIndexOf('/') + 1)

/** Throws an Error that says what is wrong. What it says of a product is kept only where the product can be recognised. */
export const vexStatements = (json: unknown): VexStatement[] => {
  const parsed = VexDocument.safeParse(json)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new Error(`no OpenVEX document: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`)
  }
  const document = parsed.data
  return document.statements.map(statement => {
    const since = Date.parse(statement.last_updated ?? statement.timestamp ?? document.last_updated ?? document.timestamp)
    if (Number.isNaN(since)) throw new Error('no OpenVEX document: a timestamp is no time')
    const { vulnerability } = statement
    return {
      vulnerabilities: [vulnerability.name, nameOf(vulnerability['@id']), ...(vulnerability.aliases ?? [])].flatMap(name => name || []),
      products: (statement.products ?? []).map(product => ({ itself: referenceOf(product), parts: (product.subcomponents ?? []).map(referenceOf) })),
      status: statement.status,
      justification: statement.justification ?? statement.impact_statement,
      since,
    }
  })
}

const qualifiersOf = (purl: PackageURL): readonly (readonly [string, string])[] =>
  Object.entries(purl.qualifiers ?? {}).map(([name, value]) => [name, String(value)])

/** A purl stands for all that have what it says: version, qualifiers and subpath only where it has them. */
const stands = (general: PackageURL, special: PackageURL): boolean => {
  if (general.type !== special.type || general.name !== special.name || (general.namespace ?? '') !== (special.namespace ?? '')) return false
  if (general.version && general.version !== special.version) return false
  if (general.subpath && general.subpath !== special.subpath) return false
  const has = new Map(qualifiersOf(special))
  return qualifiersOf(general).every(([name, value]) => has.get(name) === value)
}

/** What a finding is in: the package's purl, and how the image or folder may be called: purls, `sha256:` digests. */
export interface VexSubject {
  readonly purl: string
  readonly products: readonly string[]
}

const isReferred = (reference: Reference, purls: readonly PackageURL[], digests: readonly string[]): boolean =>
  (reference.digest !== undefined && digests.includes(reference.digest)) ||
  reference.purls.some(general => purls.some(special => stands(general, special)))

/** Finds what is said about a vulnerability, by all its names, in a package. */
export type VexIndex = (names: readonly string[], subject: VexSubject, now: number) => VulnerabilityFinding['vex']

/** Statements of several documents; of two that are equally old the later in the list counts. */
export const vexIndex = (statements: readonly VexStatement[]): VexIndex => {
  const byName = new Map<string, { readonly statement: VexStatement; readonly order: number }[]>()
  for (const [order, statement] of statements.entries()) {
    for (const name of new Set(statement.vulnerabilities)) {
      const known = byName.get(name)
      if (known) known.push({ statement, order })
      else byName.set(name, [{ statement, order }])
    }
  }
  if (byName.size === 0) return () => undefined
  return (names, { purl, products }, now) => {
    const candidates = names.flatMap(name => byName.get(name) ?? []).filter(({ statement }) => statement.since <= now)
    if (candidates.length === 0) return undefined
    const own = [purlOf(purl)].filter(found => found !== undefined)
    const outer = products.map(purlOf).filter(found => found !== undefined)
    const digests = [...products, ...outer.map(found => found.version ?? '')].flatMap(name =>
      name.startsWith('sha256:') ? [name.slice(7).toLowerCase()] : [],
    )
    const holds = ({ statement }: (typeof candidates)[number]): boolean =>
      statement.products.some(({ itself, parts }) => {
        if (parts.length === 0 && isReferred(itself, own, [])) return true
        return isReferred(itself, outer, digests) && (parts.length === 0 || parts.some(part => isReferred(part, own, [])))
      })
    const [newest] = candidates.filter(holds).toSorted((left, right) => right.statement.since - left.statement.since || right.order - left.order)
    if (!newest) return undefined
    const { status, justification } = newest.statement
    return { status, ...(justification === undefined ? {} : { justification }) }
  }
}

export interface VexOptions {
  readonly author: string
  /** What the findings are of, best a purl: `pkg:oci/app@sha256:…`. Undefined: the packages are the products. */
  readonly product: string | undefined
  /** The product's, `sha256:…`: an image that has no registry is recognised by it. */
  readonly digest?: string | undefined
  /** Wall ms. */
  readonly now: number
}

const actionOf = ({ package: found, fixed }: VulnerabilityFinding): string =>
  fixed === undefined ? `No fixed version of ${found.name} is known.` : `Update ${found.name} to ${fixed} or later.`

/**
 * An OpenVEX 0.2.0 document that has a statement for each finding: what is said of it, or `under_investigation`. Its id is the hash of what it says, so
 * that the same findings give the same document.
 */
export const vexDocument = (
  findings: readonly VulnerabilityFinding[],
  { author, product, digest, now }: VexOptions,
): Readonly<Record<string, unknown>> => {
  const hashes = digest?.startsWith('sha256:') ? { hashes: { 'sha-256': digest.slice('sha256:'.length) } } : {}
  const statements = findings.map(finding => {
    const status = finding.vex?.status ?? 'under_investigation'
    const reason = finding.vex?.justification
    return {
      vulnerability: { name: finding.id, ...(finding.aliases.length > 0 ? { aliases: finding.aliases } : {}) },
      products: [
        product === undefined ? { '@id': finding.package.purl } : { '@id': product, ...hashes, subcomponents: [{ '@id': finding.package.purl }] },
      ],
      status,
      // The specification wants one of its words as the justification, and anything else as a statement.
      ...(status === 'not_affected'
        ? reason !== undefined && justifications.has(reason)
          ? { justification: reason }
          : { impact_statement: reason ?? 'It is not affected.' }
        : {}),
      ...(status === 'affected' ? { action_statement: actionOf(finding) } : {}),
    }
  })
  const hash = createHash('sha256')
    .update(JSON.stringify([author, product ?? null, statements]))
    .digest('hex')
  return {
    '@context': 'https://openvex.dev/ns/v0.2.0',
    '@id': `https://openvex.dev/docs/public/vex-${hash}`,
    author,
    timestamp: new Date(now).toISOString(),
    version: 1,
    tooling: 'dayfly',
    statements,
  }
}

/** An image as OpenVEX documents call it: `pkg:oci/app@sha256:…`; by its digest alone where its name is none. */
export const imageProduct = (name: string, digest: string): string => {
  const [short = ''] = (name.split('/').at(-1) ?? '').split(/[:@]/)
  return /^[a-z0-9][a-z0-9._-]{0,127}$/.test(short) ? new PackageURL('oci', undefined, short, digest, undefined, undefined).toString() : digest
}

const justifications: ReadonlySet<string> = new Set([
  'component_not_present',
  'vulnerable_code_not_present',
  'vulnerable_code_not_in_execute_path',
  'vulnerable_code_cannot_be_controlled_by_adversary',
  'inline_mitigations_already_exist',
])
