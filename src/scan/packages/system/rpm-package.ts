/** What an rpm's header says, as a package. */
import type { Distribution, Package } from '../../../model/package.ts'
import { isWord, printable } from './collect.ts'
import { systemPurl } from './purl.ts'
import type { RpmHeader } from './rpm-header.ts'

/** `openssl-1:3.0.7-27.el9.src.rpm` is of openssl, `3.0.7-27.el9`. */
const sourceOf = (file: string | undefined): { name: string; version: string } | undefined => {
  const stem = file?.endsWith('.rpm') ? file.slice(0, file.lastIndexOf('.', file.length - 5)) : undefined
  const release = stem?.lastIndexOf('-') ?? -1
  const version = release > 0 ? (stem?.lastIndexOf('-', release - 1) ?? -1) : -1
  if (!stem || version < 1) return undefined
  const source = { name: stem.slice(0, version), version: stem.slice(version + 1) }
  return isWord(source.name) && isWord(source.version) ? source : undefined
}

/** `(none)` is how rpm writes what is not there. */
const said = (text: string | undefined): string | undefined => (text && text !== '(none)' && isWord(text) ? text : undefined)

/** `path` is of the file that says it. */
export const rpmPackage = (header: RpmHeader, path: string, distribution: Distribution | undefined): Package => {
  const plain = `${header.version}-${header.release}`
  const epoch = header.epoch ? `${header.epoch}` : undefined
  const withEpoch = (version: string): string => (epoch ? `${epoch}:${version}` : version)
  const architecture = said(header.arch)
  const sourceRpm = said(header.sourceRpm)
  // A source has its binaries' epoch in nearly all packages, and its file's name does not say it.
  const source = sourceOf(sourceRpm)
  const license = printable(header.license ?? '', 1024)
  return {
    type: 'rpm',
    name: header.name,
    version: withEpoch(plain),
    purl: systemPurl('rpm', header.name, plain, distribution, { arch: architecture, epoch, upstream: sourceRpm, rpmmod: said(header.modularity) }),
    source: source ? { name: source.name, version: withEpoch(source.version) } : { name: header.name, version: withEpoch(plain) },
    ...(architecture && { architecture }),
    licenses: license && license !== '(none)' ? [license] : [],
    paths: [path],
  }
}
