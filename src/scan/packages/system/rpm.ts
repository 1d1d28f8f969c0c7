/** Red Hat, SUSE, Amazon and what is built like them: rpm's database in each of its three forms. */
import type { Cataloguer } from '../../catalogue.ts'
import type { Collector } from './collect.ts'
import { collecting, isWord, Malformed } from './collect.ts'
import { collectOwned, withOwned } from './owned-files.ts'
import type { Pages } from './pages.ts'
import { pagesOf } from './pages.ts'
import { bdbBlobs } from './rpm-bdb.ts'
import { eachRpmFile } from './rpm-files.ts'
import type { RpmHeader } from './rpm-header.ts'
import { parseRpmHeader } from './rpm-header.ts'
import { ndbBlobs } from './rpm-ndb.ts'
import { rpmPackage } from './rpm-package.ts'
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
  read: async (entry, content, distribution, signal) => {
    const owned = collectOwned(entry.path, entry.path)
    const found = await collecting(entry, signal, async collector => {
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
        if (!header || header.name === 'gpg-pubkey') continue
        collector.add(rpmPackage(header, entry.path, distribution))
        if (isWord(header.name)) eachRpmFile(blob, path => owned.add(header.name, path))
      }
    })
    return withOwned(found, owned)
  },
}
