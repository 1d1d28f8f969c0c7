/** Red Hat, SUSE, Amazon and what is built like them: rpm's database in each of its three forms. */
import type { Distribution, Package } from '../../../model/package.ts'
import type { Cataloguer } from '../../catalogue.ts'
import type { Collector } from './collect.ts'
import { collecting, isWord, Malformed, printable } from './collect.ts'
import type { Pages } from './pages.ts'
import { pagesOf } from './pages.ts'
import { systemPurl } from './purl.ts'
import { bdbBlobs } from './rpm-bdb.ts'
import type { RpmHeader } from './rpm-header.ts'
import { parseRpmHeader } from './rpm-header.ts'
import { ndbBlobs } from './rpm-ndb.ts'
import { sqliteBlobs } from './rpm-sqlite.ts'

/** Of old; of SUSE and Fedora since 36; of systems that are put together elsewhere (ostree). */
const folders: ReadonlySet<string> = new Set(['var/lib/rpm', 'usr/lib/sysimage/rpm', 'usr/share/rpm'])

type Form = (file: Pages, problem: (clause: string) => void, signal: AbortSignal) => AsyncGenerator<Buffer>
const forms: ReadonlyMap<string, Form> = new Map<string, Form>([
  ['rpmdb.sqlite', sqliteBlobs],
  ['Packages.db', ndbBlobs],
  ['Packages', bdbBlobs],
])

/** What SQLite has written beside the database and not yet, or no longer, in it. */
const journals: ReadonlySet<string> = new Set(['rpmdb.sqlite-wal', 'rpmdb.sqlite-journal'])

/** Sound or not. */
const mostBlobs = 100_000

/** The file's name, where it is one of rpm's folders. */
const nameIn = (path: string): string | undefined => {
  const slash = path.lastIndexOf('/')
  return folders.has(path.slice(0, slash)) ? path.slice(slash + 1) : undefined
}

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

const packageOf = (header: RpmHeader, path: string, distribution: Distribution | undefined): Package => {
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

const headerOf = (blob: Buffer, collector: Collector): RpmHeader | undefined => {
  try {
    return parseRpmHeader(blob)
  } catch (error) {
    if (!(error instanceof Malformed)) throw error
    collector.problem(error.message)
    return undefined
  }
}

export const rpm: Cataloguer = {
  name: 'rpm',
  wants: entry => {
    const name = entry.kind === 'file' ? nameIn(entry.path) : undefined
    return name !== undefined && (forms.has(name) || (journals.has(name) && entry.size > 0))
  },
  read: (entry, content, distribution, signal) =>
    collecting(entry, signal, async collector => {
      const name = nameIn(entry.path) ?? ''
      const form = forms.get(name)
      if (!form) {
        if (content.size > 0) collector.problem(`holds ${content.size} bytes that are not in the database: packages may be missing or gone`)
        return
      }
      let blobs = 0
      for await (const blob of form(pagesOf(content, signal), collector.problem, signal)) {
        if (++blobs > mostBlobs) throw new Malformed(`has more than ${mostBlobs} packages: the rest was not read`)
        const header = headerOf(blob, collector)
        // Keys for signatures are kept as packages that hold nothing.
        if (header && header.name !== 'gpg-pubkey') collector.add(packageOf(header, entry.path, distribution))
      }
    }),
}
