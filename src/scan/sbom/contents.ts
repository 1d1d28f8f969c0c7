/** What an SBOM is made of, in the one order and with the one name for each part that make two documents about the same thing the same. */
import { createHash } from 'node:crypto'
import { DayflyError } from '../../base/errors.ts'
import type { VulnerabilityFinding } from '../../model/finding.ts'
import type { Distribution, Package } from '../../model/package.ts'

export interface Subject {
  readonly kind: 'image' | 'folder'
  /** As the user knows it: `docker.io/library/nginx:1.27`, `src/app`. */
  readonly name: string
  /** Manifest digest of an image, `sha256:…`. */
  readonly digest?: string
}

export interface Contents {
  readonly subject: Subject
  readonly distribution?: Distribution | undefined
  readonly packages: readonly Package[]
  /** Whether everything could be read: false with any problem. */
  readonly complete: boolean
  readonly findings?: readonly VulnerabilityFinding[]
}

export interface Stamp {
  /** Wall ms. */
  readonly at: number
  /** Dayfly's version. */
  readonly version: string
  /** A UUID, to set two documents about one subject apart. Without it the number follows from the subject. */
  readonly serial?: string
}

export interface Part {
  readonly package: Package
  /** The same for the same package in every document, and of no other part of this one. */
  readonly ref: string
}

const sha256 = (...texts: readonly string[]): Buffer => {
  const hash = createHash('sha256')
  for (const text of texts) hash.update(`${Buffer.byteLength(text)}:${text}`)
  return hash.digest()
}

/** 16 hex digits for a document's own names. */
export const shortHash = (...texts: readonly string[]): string => sha256(...texts).toString('hex', 0, 8)

/** Hex SHA-256 of what `digest` names, where it is one. */
export const sha256Of = (digest: string | undefined): string | undefined => {
  const hex = digest?.startsWith('sha256:') ? digest.slice(7) : digest
  return hex && /^[0-9a-f]{64}$/.test(hex) ? hex : undefined
}

const order = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0)

/** One key for each package as it is found: the same one in two places is two parts. The purl comes first, for it decides the order. */
const keyOf = ({ purl, type, name, version, paths, licenses, source, digest }: Package): string =>
  `${purl}\0${JSON.stringify([type, name, version, [...paths].sort(), licenses, source, digest])}`

/** The packages in order, each once. A purl that stands alone is its own reference. */
export const partsOf = (packages: readonly Package[]): readonly Part[] => {
  const keyed = new Map(packages.map(each => [keyOf(each), each]))
  const sorted = [...keyed].sort(([left], [right]) => order(left, right))
  const count = new Map<string, number>()
  for (const [, { purl }] of sorted) count.set(purl, (count.get(purl) ?? 0) + 1)
  return sorted.map(([key, each]) => ({
    package: each,
    ref: each.purl.startsWith('pkg:') && count.get(each.purl) === 1 ? each.purl : `package:${shortHash(key)}`,
  }))
}

/** A UUID (version 8) that follows from the subject's digest or, where it has none, from its name and what was found in it. Throws `invalid`. */
export const serialOf = ({ subject, packages }: Contents, { serial }: Stamp): string => {
  if (serial !== undefined) {
    if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(serial)) return serial
    throw new DayflyError('invalid', `the serial number "${serial}" is no UUID`, {
      field: 'serial',
      remedy: 'Write it in lower case, like 3e671687-395b-41f5-a30f-a58921a69b79.',
    })
  }
  const seed = subject.digest ? [subject.digest] : [subject.name, ...partsOf(packages).map(({ ref }) => ref)]
  const bytes = sha256('dayfly sbom', subject.kind, ...seed).subarray(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

/** An ISO date in UTC, to the second: SPDX has no fractions. */
export const isoSecond = (at: number): string => `${new Date(at).toISOString().slice(0, 19)}Z`

/** Those of a distribution's own manager belong to it. */
export const isSystem = ({ type }: Package): boolean => type === 'deb' || type === 'apk' || type === 'rpm'
