/** What one file's cataloguer has found so far: bounded lists, checked words, and one way for a fault to become a problem. */
import { throwIfAborted } from '../../../base/abort.ts'
import { DayflyError } from '../../../base/errors.ts'
import type { Package } from '../../../model/package.ts'
import type { Entry, Found } from '../../catalogue.ts'

/** Packages of one file. The largest distributions have some 70,000 in all. */
const mostPackages = 100_000
/** Problems of one file; the rest is counted. */
const mostProblems = 20

/** A file is not what its format says. The message is a clause that goes on after the file's name: `is cut off in page 7`. */
export class Malformed extends Error {
  override readonly name = 'Malformed'
}

export interface Collector {
  add(found: Package): void
  /** A clause that goes on after the file's name. */
  problem(clause: string): void
}

/** Text of a hostile file for people: one line, printable, at most `most` characters. */
export const printable = (text: string, most = 200): string => {
  const clean = text.slice(0, most).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '\ufffd')
  return text.length > most ? `${clean}…` : clean
}

/** Names and versions: 1 to 256 characters of printable ASCII, no blanks. */
export const isWord = (text: string): boolean => /^[!-~]{1,256}$/.test(text)

/** Runs `work` and gives what it has collected, also when it ends early. Rejects only by the signal. */
export const collecting = async (entry: Entry, signal: AbortSignal, work: (collector: Collector) => Promise<void>): Promise<Found> => {
  const packages: Package[] = []
  const problems: string[] = []
  let untold = 0
  const path = printable(entry.path)
  const problem = (clause: string): void => {
    if (problems.length < mostProblems) problems.push(`${path} ${clause}`)
    else untold++
  }
  const add = (found: Package): void => {
    if (!isWord(found.name) || !isWord(found.version)) {
      problem(`has a package whose name or version is none: ${JSON.stringify(printable(`${found.name} ${found.version}`, 80))}`)
      return
    }
    if (packages.length >= mostPackages) throw new Malformed(`has more than ${mostPackages} packages: the rest was not read`)
    packages.push(found)
  }
  try {
    throwIfAborted(signal)
    await work({ add, problem })
  } catch (error) {
    throwIfAborted(signal)
    if (!(error instanceof Malformed) && !(error instanceof DayflyError)) throw error
    problem(error instanceof Malformed ? error.message : `cannot be read: ${error.message}`)
  }
  if (untold > 0) problems.push(`${path} has ${untold} more problems like these`)
  return { packages, problems }
}
