/** Which files the packages of dpkg have brought: a list for each, and in distroless images the sums of its files. */
import { throwIfAborted } from '../../../base/abort.ts'
import { DayflyError } from '../../../base/errors.ts'
import type { Cataloguer } from '../../catalogue.ts'
import { isWord, Malformed } from './collect.ts'
import { statusFolder, statusPath } from './dpkg.ts'
import { eachLine } from './lines.ts'
import type { OwnedCollector } from './owned-files.ts'
import { collectOwned, withOwned } from './owned-files.ts'

const lists = { folder: 'var/lib/dpkg/info/', ending: '.list' }
const sums = { folder: statusFolder, ending: '.md5sums' }
const longestLine = 4096
/** Of a line of sums: 32 digits and two blanks. */
const digest = 34

const isIn = (path: string, { folder, ending }: typeof lists): boolean =>
  path.startsWith(folder) && path.endsWith(ending) && path.length > folder.length + ending.length && !path.includes('/', folder.length)

const stem = (path: string, { folder, ending }: typeof lists): string => path.slice(folder.length, -ending.length)

/** Who has brought what a file lists. */
const ownerOf = (path: string): { readonly name: string | undefined; readonly owned: OwnedCollector } => {
  if (!isIn(path, lists)) return { name: undefined, owned: collectOwned(path, `${sums.folder}${stem(path, sums)}`) }
  // `libc6:amd64.list`, where several architectures may be installed side by side.
  const [name = ''] = stem(path, lists).split(':', 1)
  return { name: isWord(name) ? name : undefined, owned: collectOwned(path, statusPath) }
}

export const dpkgFiles: Cataloguer = {
  name: 'dpkg-files',
  wants: ({ kind, size, path }) => kind === 'file' && size > 0 && (isIn(path, lists) || isIn(path, sums)),
  read: async (entry, content, _distribution, signal) => {
    const nothing = { packages: [], problems: [] }
    const isList = isIn(entry.path, lists)
    const { name, owned } = ownerOf(entry.path)
    if (isList && name === undefined) return nothing
    // A list names folders as well, each before what is in it.
    let before = ''
    const settle = (next: string): void => {
      if (before !== '' && !next.startsWith(`${before}/`)) owned.add(name, before)
      before = next
    }
    try {
      await eachLine(content, signal, (bytes, start, end) => {
        const from = isList ? start : start + digest
        if (end > from && end - from <= longestLine) settle(bytes.toString('utf8', from, end))
      })
      settle('')
    } catch (error) {
      throwIfAborted(signal)
      if (!(error instanceof Malformed) && !(error instanceof DayflyError)) throw error
      return nothing
    }
    return withOwned(nothing, owned)
  },
}
