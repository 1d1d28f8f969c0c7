/**
 * Which files a distribution's package has brought, of those that other cataloguers may find packages in: an archive of Java that comes with a deb is mended by
 * the distribution, under a version that does not say so, and is not to be judged as Maven's. Only such files are kept, and few enough, whatever a list says:
 * what is not kept is listed twice, which hides nothing. So lists that make no sense are no problems.
 */
import type { Entry, Found } from '../../catalogue.ts'
import type { OwnedFiles } from '../../facts.ts'
import { languageCataloguers, lockCataloguers } from '../languages/cataloguers.ts'

/** Characters. */
const longestPath = 4096
/** Bytes, about, of all that are kept of one list. A desktop's thousand packages have less than one million. */
const mostKept = 4 * 1024 * 1024
/** Bytes of a text beside its characters. */
const overhead = 32
/** Paths of one list that are looked at. A desktop has half a million. */
const mostExamined = 2_000_000

const byName = [...languageCataloguers, ...lockCataloguers]
/** For `wants` by name: nobody looks at more of it. */
const probe: { -readonly [Key in keyof Entry]: Entry[Key] } = { path: '', kind: 'file', mode: 0o644, uid: 0, gid: 0, size: 1, magic: undefined }

/** Where no programs are. */
const noPrograms = ['usr/share/', 'usr/include/', 'usr/src/', 'usr/lib/debug/', 'etc/', 'var/', 'boot/']
const programFolders = ['bin', 'sbin', 'libexec']

const inProgramFolder = (path: string, slash: number): boolean =>
  slash > 0 && programFolders.includes(path.slice(path.lastIndexOf('/', slash - 1) + 1, slash))

/** A list says nothing of what files hold: by its name it may be a program or a shared library. */
const mayBeProgram = (path: string): boolean => {
  if (noPrograms.some(folder => path.startsWith(folder))) return false
  const slash = path.lastIndexOf('/')
  if (!path.includes('.', slash + 1) || path.includes('.so', slash + 1)) return true
  return inProgramFolder(path, slash)
}

/** Endings of most files of any distribution. No cataloguer goes by one of them, so none has to be asked. */
const usual: ReadonlySet<string> = new Set('.py .pyc .pm .js .ts .map .h .hpp .c .gz .mo .html .svg .png .page .md .pod .elc .o .a'.split(' '))
const longestUsual = 5

const mayDeclare = (path: string): boolean => {
  const dot = path.lastIndexOf('.')
  if (dot > 0 && path.length - dot <= longestUsual && usual.has(path.slice(dot)) && !inProgramFolder(path, path.lastIndexOf('/'))) return false
  probe.path = path
  return mayBeProgram(path) || byName.some(cataloguer => cataloguer.wants(probe))
}

/** Collects what one list says. */
export interface OwnedCollector {
  /** `path` may begin with a slash or `./`. False when no more is kept. */
  add(name: string | undefined, path: string): boolean
  /** Without those packages that have brought nothing of the kind. */
  readonly owned: readonly OwnedFiles[]
}

/** `list`: the file that says it; `declaredIn`: the file that says which packages are installed. */
export const collectOwned = (list: string, declaredIn: string): OwnedCollector => {
  const paths = new Map<string | undefined, string[]>()
  let kept = 0
  let examined = 0
  return {
    add: (name, given) => {
      if (++examined > mostExamined || kept >= mostKept) return false
      if (given.length > longestPath) return true
      const path = given.startsWith('/') ? given.slice(1) : given.startsWith('./') ? given.slice(2) : given
      // A name that is not UTF-8 is wanted by no cataloguer.
      if (path === '' || path.includes('\ufffd') || !mayDeclare(path)) return true
      const before = paths.get(name)
      if (before === undefined) paths.set(name, [path])
      else before.push(path)
      kept += path.length + overhead + (before === undefined ? list.length + declaredIn.length + (name?.length ?? 0) : 0)
      return true
    },
    get owned() {
      return [...paths].map(([name, each]) => ({ list, declaredIn, ...(name === undefined ? {} : { name }), paths: each }))
    },
  }
}

export const withOwned = (found: Found, { owned }: OwnedCollector): Found => (owned.length === 0 ? found : { ...found, owned })
