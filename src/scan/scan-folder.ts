/** A folder of a project, or some files of it, looked at in this process: what pipelines and terminals do. An image's layers go through process/. */
import { closeSync, constants, openSync } from 'node:fs'
import { DayflyError, errnoOf } from '../base/errors.ts'
import type { SecretFinding } from '../model/finding.ts'
import type { Distribution, Package } from '../model/package.ts'
import type { Cataloguer } from './catalogue.ts'
import { layerView } from './covering.ts'
import { openTree } from './files.ts'
import { walk } from './folder.ts'
import { createLayerScan } from './layer.ts'
import { ownership, unowned } from './ownership.ts'
import type { SecretSearch } from './secret-search.ts'

export interface FolderScanOptions {
  readonly cataloguers: readonly Cataloguer[]
  readonly secrets: SecretSearch
  /** Only these and what is below them, as paths of the folder; undefined: all of it. */
  readonly only?: readonly string[] | undefined
  /** Paths for which this says so are passed by, folders with all they hold. */
  readonly skip: (path: string) => boolean
  readonly signal: AbortSignal
}

export interface ScannedFolder {
  readonly distribution: Distribution | undefined
  readonly packages: readonly Package[]
  /** Places are paths of the folder. */
  readonly secrets: readonly SecretFinding[]
  readonly problems: readonly string[]
  readonly files: number
  readonly bytes: number
}

/** What a version control system keeps is not what is in the folder. */
const isRepository = (path: string): boolean => /(^|\/)\.(git|hg|svn)$/.test(path)

/** Neither one of them, nor within one, nor on the way to one. */
const isElsewhere = (path: string, only: readonly string[]): boolean =>
  !only.some(each => path === each || path.startsWith(`${each}/`) || each.startsWith(`${path}/`))

/** The same package declared in several places is one, with all of them. */
const merged = (packages: readonly Package[]): Package[] => {
  const byPurl = new Map<string, Package>()
  for (const found of packages) {
    const before = byPurl.get(found.purl)
    byPurl.set(found.purl, before === undefined ? found : { ...before, paths: [...new Set([...before.paths, ...found.paths])] })
  }
  return [...byPurl.values()]
}

/** Throws `not_found`, `invalid` (no folder) or `host`; rejects by the signal. What cannot be read within the folder is a problem. */
export const scanFolder = async (folder: string, { cataloguers, secrets, only, skip, signal }: FolderScanOptions): Promise<ScannedFolder> => {
  let descriptor: number
  try {
    descriptor = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY)
  } catch (error) {
    const errno = errnoOf(error)
    const remedy = 'Name a folder that you may read.'
    if (errno === 'ENOENT') throw new DayflyError('not_found', `there is no folder ${folder}`, { field: 'TARGET', remedy, cause: error })
    if (errno === 'ENOTDIR') throw new DayflyError('invalid', `${folder} is no folder`, { field: 'TARGET', remedy, cause: error })
    throw new DayflyError('host', `${folder} cannot be opened: ${errno ?? String(error)}`, { field: 'TARGET', remedy, cause: error })
  }
  try {
    const scan = createLayerScan({ cataloguers, secrets })
    const unread: string[] = []
    const totals = await walk(descriptor, {
      secrets,
      ignore: path => isRepository(path) || skip(path) || (only !== undefined && isElsewhere(path, only)),
      onSeen: scan.see,
      onProblem: problem => void unread.push(problem),
      signal,
    })
    using tree = openTree(descriptor)
    const facts = await scan.finish(tree, { diffId: '', ...totals }, { signal, outOfTime: () => false })
    const view = layerView('', `/proc/self/fd/${descriptor}`, new Set())
    const present = facts.packages.map(found => ({ layer: 0, found }))
    const isOwned = await ownership([{ facts, view }], present)
    return {
      distribution: facts.distribution,
      packages: merged(present.flatMap(each => unowned(each, isOwned) ?? [])),
      secrets: facts.secrets,
      problems: [...unread, ...facts.problems],
      files: totals.entries,
      bytes: totals.bytes,
    }
  } finally {
    closeSync(descriptor)
  }
}
