/**
 * Looks at one layer, or at one folder: is shown every entry as it passes, keeps those that somebody wants, and reads them once all have passed.
 * What it keeps is bounded, whatever the layer holds; what is cut off is a problem, and a problem makes the facts incomplete.
 */
import { throwIfAborted } from '../base/abort.ts'
import { messageOf } from '../base/errors.ts'
import type { SecretFinding } from '../model/finding.ts'
import type { Distribution, Package } from '../model/package.ts'
import type { Cataloguer, Content, Entry } from './catalogue.ts'
import type { LayerFacts, OwnedFiles } from './facts.ts'
import { scannerVersion } from './facts.ts'
import type { RawPath, Tree } from './files.ts'
import { printable } from './packages/system/collect.ts'
import { isOsRelease, osReleasePaths, readOsRelease } from './packages/system/os-release.ts'
import { remarkable, remarksOn } from './remarkable.ts'
import type { SecretSearch } from './secret-search.ts'
import type { FoundSecrets } from './secrets/findings.ts'
import type { Seen } from './seen.ts'

export interface LayerScanOptions {
  readonly cataloguers: readonly Cataloguer[]
  readonly secrets: SecretSearch | undefined
  readonly limits?: Partial<Limits>
}

/** What is kept of one layer. */
export interface Limits {
  readonly packages: number
  readonly secrets: number
  /** Of each list of files that stand out. */
  readonly remarkable: number
  readonly problems: number
  /** Bytes, about, of the names of files that packages of a distribution have brought. */
  readonly owned: number
  /** Files to be read. */
  readonly wanted: number
  /** Bytes of their names and hits, together. */
  readonly wantedBytes: number
}

const usual: Limits = {
  packages: 50_000,
  secrets: 5_000,
  remarkable: 5_000,
  problems: 500,
  owned: 8 * 1024 * 1024,
  wanted: 200_000,
  wantedBytes: 48 * 1024 * 1024,
}

export interface LayerScan {
  see(seen: Seen): void
  /** What could not be looked at. */
  problem(text: string): void
  /** Reads what is wanted. Call once; rejects only by the signal. */
  finish(tree: Tree, layer: { readonly diffId: string; readonly bytes: number; readonly entries: number }, until: Until): Promise<LayerFacts>
}

export interface Until {
  readonly signal: AbortSignal
  /** Asked between files. When it says so, the rest is not read, which is a problem. */
  outOfTime(): boolean
}

/** Characters. */
const longestProblem = 500

/** Of a text beside its characters. */
const overhead = 32
const bytesOf = ({ list, declaredIn, name, paths }: OwnedFiles): number =>
  paths.reduce((sum, path) => sum + path.length + overhead, list.length + declaredIn.length + (name?.length ?? 0) + overhead)

/** Not for its name, which a hard link does not share. */
const goesByContent = ({ seen, suspicious }: Wanted): boolean => seen.kind === 'file' && (suspicious || seen.magic !== undefined)

/** A list that says when it was too short. */
const bounded = <T>(most: number, what: string, problem: (text: string) => void): { readonly items: T[]; add(item: T): void } => {
  const items: T[] = []
  let told = false
  return {
    items,
    add: item => {
      if (items.length < most) items.push(item)
      else if (!told) {
        told = true
        problem(`there are more than ${most} ${what}: the rest was left out`)
      }
    },
  }
}

interface Wanted {
  readonly seen: Seen
  readonly entry: Entry
  readonly by: readonly Cataloguer[]
  /** To be searched for secrets. */
  readonly suspicious: boolean
  /** What it counts for in `wantedBytes`. */
  readonly weight: number
}

const byPath = (left: { readonly entry: Entry }, right: { readonly entry: Entry }): number =>
  left.entry.path < right.entry.path ? -1 : left.entry.path > right.entry.path ? 1 : 0

/**
 * As cataloguers see it. A hard link is a file by another name: those who go by names read it; those who go by the first bytes have read it under the other.
 * A name that is not UTF-8 has U+FFFD in it.
 */
const entryOf = ({ path, kind, mode, uid, gid, size, magic }: Seen): Entry | undefined =>
  kind === 'opaque' ? undefined : { path, kind: kind === 'hardlink' ? 'file' : kind, mode, uid, gid, size, magic }

export const createLayerScan = ({ cataloguers, secrets, limits: given }: LayerScanOptions): LayerScan => {
  const limits = { ...usual, ...given }
  const problems: string[] = []
  const problem = (text: string): void => {
    if (problems.length < limits.problems) problems.push(printable(text, longestProblem))
    else if (problems.length === limits.problems) problems.push('there are more problems: the rest was left out')
  }
  const wanted = new Map<string, Wanted>()
  const remarked = new Map<string, { entry: Entry; remarks: NonNullable<ReturnType<typeof remarksOn>> }>()
  /** Further names of files, and files that were to be read for what is in them, and were replaced: perhaps they had one. */
  let linked = 0
  let lost = 0
  let wantedBytes = 0
  let tooMany = false
  let tooRemarkable = false
  let entries = 0
  const findings = bounded<SecretFinding>(limits.secrets, 'secrets', problem)
  const tell = (found: FoundSecrets): void => {
    for (const each of found.findings) findings.add(each)
    for (const each of found.problems) problem(each)
  }

  const forget = (key: string): void => {
    const before = wanted.get(key)
    if (before !== undefined) {
      wantedBytes -= before.weight
      wanted.delete(key)
      if (goesByContent(before)) lost++
    }
    remarked.delete(key)
  }

  const see = (seen: Seen): void => {
    entries++
    const entry = entryOf(seen)
    if (entry === undefined) return
    // Two names that are not UTF-8 may look the same.
    const key = seen.raw === undefined ? seen.path : seen.raw.toString('latin1')
    forget(key) // what comes later in a layer replaces what came before
    if (entry.kind === 'file' && seen.kind === 'hardlink') linked++
    const remarks = remarksOn(entry)
    if (remarks !== undefined) {
      if (remarked.size < 4 * limits.remarkable) remarked.set(key, { entry, remarks })
      else tooRemarkable = true
    }
    if (entry.kind !== 'file') return
    const by = seen.raw === undefined ? cataloguers.filter(cataloguer => cataloguer.wants(entry)) : []
    const suspicious = seen.kind === 'file' && secrets !== undefined && secrets.wants(seen)
    if (seen.kind === 'file' && secrets !== undefined) tell(secrets.judge(seen.path))
    if (by.length === 0 && !suspicious && !isOsRelease(entry)) return
    const weight = 2 * key.length + seen.hits.length + 8 * seen.keywords.length
    if (wanted.size >= limits.wanted || wantedBytes + weight > limits.wantedBytes) {
      tooMany = true
      return
    }
    wantedBytes += weight
    wanted.set(key, { seen, entry, by, suspicious, weight })
  }

  const finish: LayerScan['finish'] = async (tree, layer, { signal, outOfTime }) => {
    if (tooMany) problem(`more files would have to be read than ${limits.wanted}, or their names are too long: the rest was not read`)
    if (tooRemarkable) problem('too many files have modes that stand out: the rest was left out')
    const packages = bounded<Package>(limits.packages, 'packages', problem)
    const owned: OwnedFiles[] = []
    let ownedBytes = 0
    const own = (found: OwnedFiles): void => {
      const bytes = bytesOf(found)
      // What is beyond that is nobody's: packages are listed twice then, which hides nothing and is no problem.
      if (ownedBytes + bytes > limits.owned) return
      ownedBytes += bytes
      owned.push(found)
    }
    let distribution: Distribution | undefined

    /** False: it is not there any more, for another entry of the layer has replaced it or a folder on the way to it. */
    const reading = async (path: RawPath, shown: string, work: (content: Content) => Promise<void>): Promise<boolean> => {
      throwIfAborted(signal)
      try {
        using file = tree.open(path)
        if (file === undefined) return false
        await work(file)
      } catch (error) {
        throwIfAborted(signal)
        problem(`${shown} cannot be read: ${messageOf(error)}`)
      }
      return true
    }

    for (const path of osReleasePaths) {
      const release = wanted.get(path)
      if (release === undefined || distribution !== undefined) continue
      await reading(path, path, async content => {
        const said = await readOsRelease(release.entry, content)
        if (said.problem !== undefined) problem(said.problem)
        distribution = said.distribution
      })
    }
    let left = wanted.size
    // By name: the same layer gives the same facts, whoever has shown it.
    for (const each of [...wanted.values()].sort(byPath)) {
      const { seen, entry, by, suspicious } = each
      if (outOfTime()) {
        problem(`there was no time to read ${left} of the ${wanted.size} files that had to be`)
        break
      }
      left--
      if (by.length === 0 && !suspicious) continue
      const there = await reading(seen.raw ?? seen.path, seen.path, async content => {
        const here = { ...entry, size: content.size }
        for (const cataloguer of by) {
          const found = await cataloguer.read(here, content, distribution, signal)
          for (const one of found.packages) packages.add(one)
          for (const one of found.problems) problem(one)
          for (const one of found.owned ?? []) own(one)
        }
        if (suspicious && secrets !== undefined) tell(await secrets.find(seen, content, signal))
      })
      if (!there && goesByContent(each)) lost++
    }

    // Content is told under the first of its names: where that is not there any more, nobody has looked at it under the others.
    if (linked > 0 && lost > 0)
      problem(`${lost} files were replaced in the layer that brings them, which has hard links: what those hold may not have been read`)

    const lists = {
      setuid: 'setuid files',
      worldWritable: 'files and folders that all may write to',
      shell: 'shells',
      packageManager: 'package managers',
    }
    const of = (remark: keyof typeof lists): Entry[] => {
      const list = bounded<Entry>(limits.remarkable, lists[remark], problem)
      for (const { entry, remarks } of [...remarked.values()].sort(byPath)) if (remarks[remark]) list.add(entry)
      return list.items
    }
    return {
      scannerVersion,
      secretRules: secrets?.version ?? '',
      diffId: layer.diffId,
      entries: layer.entries || entries,
      bytes: layer.bytes,
      ...(distribution === undefined ? {} : { distribution }),
      packages: packages.items,
      owned,
      secrets: findings.items,
      setuid: of('setuid').map(remarkable),
      worldWritable: of('worldWritable').map(remarkable),
      shells: of('shell').map(({ path }) => path),
      packageManagers: of('packageManager').map(({ path }) => path),
      problems,
    }
  }
  return { see, problem, finish }
}
